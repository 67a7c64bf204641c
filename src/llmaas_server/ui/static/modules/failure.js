// What stands in the place of an answer that did not come: what happened, and what to do.

import { el } from "./dom.js";
import { words_of } from "./toast.js";

/** @param {unknown} error @param {(() => void) | null} [again] what tries once more @returns {HTMLElement} */
export function failure(error, again = null) {
  const { said, hint } = words_of(error);
  const request = error instanceof Error && "request_id" in error ? error.request_id : null;
  return el(
    "div",
    { class: "notice bad", role: "alert" },
    el("p", {}, el("strong", {}, said)),
    hint ? el("p", {}, hint) : null,
    request ? el("p", { class: "faint" }, "Request ", el("code", {}, String(request))) : null,
    again ? el("p", {}, el("button", { type: "button", class: "button small", onclick: again }, "Try again")) : null,
  );
}
