// Short words at the edge of the page about what has happened.

import { el } from "./dom.js";

const SECONDS = 6;

/** @param {string} text @param {"good" | "bad"} [kind] */
export function toast(text, kind = "good") {
  const box = el("div", { class: `toast ${kind}` }, text);
  document.querySelector("[data-toasts]")?.append(box);
  setTimeout(() => box.remove(), 1000 * SECONDS);
}

/** @param {unknown} error */
export function toast_error(error) {
  if (error instanceof DOMException && error.name === "AbortError") return;
  const told = error instanceof Error ? error : new Error(String(error));
  const hint = "hint" in told && told.hint ? ` ${told.hint}` : "";
  toast(`${told.message}.${hint}`, "bad");
}
