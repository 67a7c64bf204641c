// Forms and buttons that change something over the API; their attributes say what.
//
//   <form data-api data-method="POST" data-path="/v1/keys" data-done="The key is made.">
//     <input name="limits.concurrency" data-as="number">      a dot is an object within
//   <button data-call data-method="DELETE" data-path="/v1/keys/key_…" data-ask="…" data-done="…">
//
// Then the page is loaded anew, or that of data-then. Empty fields are left out. What is shown once (a secret, a token) stays until it is put away.

import { call } from "./api.js";
import { ask, dialog } from "./confirm.js";
import { copy_button } from "./copy.js";
import { el } from "./dom.js";
import { fill_meters } from "./meters.js";
import { toast, toast_error } from "./toast.js";

const SHOWN_ONCE = ["secret", "token"];

/** @param {string} text @param {string} kind @returns {unknown} */
function value_of(text, kind) {
  if (kind === "number") return Number(text);
  if (kind === "list") return text.split(",").map((one) => one.trim()).filter(Boolean);
  if (kind === "time") return new Date(text).toISOString();
  return text;
}

/** @param {HTMLFormElement} form @returns {Record<string, any>} */
function body_of(form) {
  /** @type {Record<string, any>} */
  const body = {};
  for (const field of form.elements) {
    if (!(field instanceof HTMLInputElement || field instanceof HTMLSelectElement || field instanceof HTMLTextAreaElement) || !field.name) continue;
    const kind = field.dataset.as ?? "text";
    const many = field instanceof HTMLSelectElement && field.multiple;
    const box = field instanceof HTMLInputElement && field.type === "checkbox";
    let value;
    if (many) value = [...field.selectedOptions].map((one) => one.value);
    else if (box && kind === "flag") value = field.checked;
    else if (box) value = field.checked ? field.value : undefined;
    else value = field.value.trim() === "" ? undefined : value_of(field.value.trim(), kind);
    if (value === undefined || (many && value.length === 0)) continue;
    const path = field.name.split(".");
    const last = /** @type {string} */ (path.pop());
    const place = path.reduce((within, name) => (within[name] ??= {}), body);
    if (box && kind === "item") (place[last] ??= []).push(value);
    else place[last] = value;
  }
  return body;
}

/** Shows what will never be shown again. @param {any} answer @returns {Promise<void>} */
async function show_once(answer) {
  const name = SHOWN_ONCE.find((one) => typeof answer?.[one] === "string");
  if (!name) return;
  const code = el("code", {}, answer[name]);
  await dialog("Keep this now: it is shown this once", [el("pre", { tabindex: "0" }, code), copy_button(() => answer[name])], { go: "I have kept it" }, async () => null);
}

/** @param {HTMLElement} from @param {unknown} body */
async function run(from, body) {
  const { method = "POST", path = "", done } = from.dataset;
  const answer = await call(method, path, body);
  await show_once(answer);
  sessionStorage.setItem("llmaas-said", done ?? "Done.");
  if (from.dataset.then) location.assign(from.dataset.then);
  else location.reload();
}

for (const form of document.querySelectorAll("form[data-api]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button[type=submit], button:not([type])");
    button?.setAttribute("disabled", "");
    try {
      await run(/** @type {HTMLElement} */ (form), body_of(/** @type {HTMLFormElement} */ (form)));
    } catch (error) {
      toast_error(error);
    } finally {
      button?.removeAttribute("disabled");
    }
  });
}
// At the document, so that buttons that come later are heard, too.
document.addEventListener("click", async (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-call]") : null;
  if (button instanceof HTMLElement) await press(button);
});

/** @param {HTMLElement} button */
async function press(button) {
  if (button.dataset.ask && !(await ask(button.textContent ?? "", button.dataset.ask, button.textContent ?? "Go on"))) return;
  button.setAttribute("disabled", "");
  try {
    await run(button, button.dataset.body ? JSON.parse(button.dataset.body) : undefined);
  } catch (error) {
    toast_error(error);
  } finally {
    button.removeAttribute("disabled");
  }
}
const said = sessionStorage.getItem("llmaas-said");
if (said) {
  sessionStorage.removeItem("llmaas-said");
  toast(said);
}
fill_meters(document);
