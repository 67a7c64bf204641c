// A button that copies a text.

import { el } from "./dom.js";
import { toast } from "./toast.js";

/** @param {() => string} text @param {{class?: string, label?: string}} [looks] @returns {HTMLElement} */
export function copy_button(text, looks = {}) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text());
      toast("Copied.");
    } catch {
      toast("The browser does not let pages copy here: select the text.", "bad");
    }
  };
  return el("button", { type: "button", class: looks.class ?? "button small", "aria-label": looks.label, onclick: copy }, "Copy");
}
