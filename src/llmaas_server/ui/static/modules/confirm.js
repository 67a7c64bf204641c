// Questions: for the password once more, and before what cannot be undone.

import { el, meta } from "./dom.js";

/**
 * Shows a dialog and waits for its end.
 * @param {string} title @param {(Node | string)[]} content @param {{go: string, danger?: boolean}} words
 * @param {() => Promise<string | null>} work what to do; a text is what is wrong, and the dialog stays
 * @returns {Promise<boolean>} whether it was done
 */
export function dialog(title, content, words, work) {
  return new Promise((resolve) => {
    const wrong = el("p", { class: "notice bad", role: "alert", hidden: true });
    const go = el("button", { class: `button ${words.danger ? "danger" : "primary"}` }, words.go);
    const cancel = el("button", { type: "button", class: "button", onclick: () => box.close() }, "Cancel");
    const form = el("form", { class: "stack" }, el("h2", {}, title), ...content, wrong, el("div", { class: "row" }, go, cancel));
    const box = /** @type {HTMLDialogElement} */ (el("dialog", { "aria-label": title }, form));
    let done = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      go.setAttribute("disabled", "");
      const told = await work();
      go.removeAttribute("disabled");
      if (told === null) {
        done = true;
        box.close();
      } else {
        wrong.textContent = told;
        wrong.hidden = false;
      }
    });
    box.addEventListener("close", () => {
      box.remove();
      resolve(done);
    });
    document.body.append(box);
    box.showModal();
  });
}

/** @param {string} title @param {string} text @param {string} go @returns {Promise<boolean>} */
export function ask(title, text, go) {
  return dialog(title, [el("p", {}, text)], { go, danger: true }, async () => null);
}

/** Asks for the password of the person. @returns {Promise<boolean>} whether it was the right one */
export function ask_password() {
  const input = /** @type {HTMLInputElement} */ (el("input", { type: "password", name: "password", autocomplete: "current-password", required: true }));
  return dialog(
    "Your password, once more",
    [el("p", {}, "This is asked of one who gave the password in the last ten minutes."), el("label", {}, "Password", input)],
    { go: "Go on" },
    async () => {
      const body = new URLSearchParams({ csrf: meta("csrf-token"), password: input.value });
      const response = await fetch(meta("confirm-path"), { method: "POST", body, credentials: "same-origin", redirect: "manual" });
      return response.type === "opaqueredirect" ? null : "That is not the password, or too many were tried.";
    },
  );
}
