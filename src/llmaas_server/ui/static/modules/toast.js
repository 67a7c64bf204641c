// Short words at the edge of the page about what has happened.

import { el } from "./dom.js";

const SECONDS = 6;

/** What went well goes by itself; what went wrong stays until it is put away. @param {string} text @param {"good" | "bad"} [kind] */
export function toast(text, kind = "good") {
  const box = el("div", { class: `toast ${kind}` }, el("p", {}, text));
  if (kind === "bad") {
    box.append(el("button", { type: "button", class: "quiet", "aria-label": "Put away", onclick: () => box.remove() }, "✕"));
    for (const other of document.querySelectorAll(".toast.bad")) other.remove();
  } else {
    setTimeout(() => box.remove(), 1000 * SECONDS);
  }
  document.querySelector("[data-toasts]")?.append(box);
}

/** What an error says, as sentences. @param {unknown} error @returns {{said: string, hint: string}} */
export function words_of(error) {
  const told = error instanceof Error ? error : new Error(String(error));
  const said = told.message.replace(/\.$/, "");
  return { said: `${said.charAt(0).toUpperCase()}${said.slice(1)}.`, hint: "hint" in told && typeof told.hint === "string" ? told.hint : "" };
}

/** The same in one piece. @param {unknown} error @returns {string} */
export function sentences_of(error) {
  const { said, hint } = words_of(error);
  return hint ? `${said} ${hint}` : said;
}

/** @param {unknown} error */
export function toast_error(error) {
  if (error instanceof DOMException && error.name === "AbortError") return;
  toast(sentences_of(error), "bad");
}
