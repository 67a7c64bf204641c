// A button that copies what an element says.

import { el } from "./dom.js";
import { toast } from "./toast.js";

/** @param {HTMLElement} source @returns {HTMLElement} */
export function copy_button(source) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(source.textContent ?? "");
      toast("Copied.");
    } catch {
      toast("The browser does not let pages copy here: select the text.", "bad");
    }
  };
  return el("button", { type: "button", class: "button small", onclick: copy }, "Copy");
}
