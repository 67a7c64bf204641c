// What a page would send now as code: for the Python client, curl, and the OpenAI client.

import { copy_button } from "./copy.js";
import { el } from "./dom.js";

const MOST_SHOWN = 20_000;

/**
 * @typedef {{task: string, body: Record<string, any>, model: string}} Asking
 *   `model` is the one that answers where the body names none
 */

/** A JSON value as Python writes it. @param {unknown} value @returns {string} */
function python(value) {
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (typeof value === "object") {
    return `{${Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}: ${python(item)}`).join(", ")}}`;
  }
  return JSON.stringify(value);
}

/** @param {Record<string, unknown>} given @returns {string[]} a line each */
function arguments_of(given) {
  return Object.entries(given).filter(([, value]) => value !== undefined).map(([name, value]) => `    ${name}=${python(value)},`);
}

const PRINTED = { classify: "result.label, result.scores", summarize: "result.summary", chat: "result.text" };

/** @param {Asking} asking @returns {string} */
function as_client({ task, body }) {
  const { text, messages, ...rest } = body;
  return [
    "from llmaas_client import Client",
    "",
    `client = Client(${JSON.stringify(location.origin)})`,
    `result = client.${task}(`,
    `    ${python(task === "chat" ? messages : text)},`,
    ...arguments_of(rest),
    ")",
    `print(${PRINTED[/** @type {keyof typeof PRINTED} */ (task)]})`,
  ].join("\n");
}

/** From standard input: an argument of a command has a most. @param {Asking} asking @returns {string} */
function as_curl({ task, body }) {
  return [
    `curl ${location.origin}/v1/tasks/${task} \\`,
    '  -H "Authorization: Bearer $LLMAAS_API_KEY" \\',
    '  -H "Content-Type: application/json" \\',
    "  --data-binary @- <<'JSON'",
    JSON.stringify(body),
    "JSON",
  ].join("\n");
}

/** @param {Asking} asking @returns {string} */
function as_openai({ task, body, model }) {
  const head = ["import os", "", "from openai import OpenAI", "", "client = OpenAI(", `    base_url=${JSON.stringify(`${location.origin}/v1`)},`, '    api_key=os.environ["LLMAAS_API_KEY"],', ")"];
  if (task !== "chat") {
    return [...head, `result = client.post("/tasks/${task}", cast_to=object, body=${python(body)})`, "print(result)"].join("\n");
  }
  const { messages, temperature, top_p, max_tokens, seed, response_format, top_k, min_p, repetition_penalty } = body;
  const format = response_format && { type: "json_schema", json_schema: { name: "answer", schema: response_format.schema } };
  const ours = Object.fromEntries(Object.entries({ top_k, min_p, repetition_penalty }).filter(([, value]) => value !== undefined));
  const named = { model: body.model ?? model, messages, temperature, top_p, max_tokens, seed, response_format: format, extra_body: Object.keys(ours).length ? ours : undefined };
  return [...head, "answer = client.chat.completions.create(", ...arguments_of(named), ")", "print(answer.choices[0].message.content)"].join("\n");
}

const KINDS = { Python: as_client, curl: as_curl, "OpenAI client": as_openai };

/**
 * A closed box with the request as code, to be copied. It is written when it is opened, and again
 * when the page changes.
 * @param {HTMLElement} place @param {() => Asking | null} asking null where the page asks for nothing yet
 */
export function offer_code(place, asking) {
  let kind = "Python";
  const code = el("code");
  const tabs = el("div", { class: "row", role: "group", "aria-label": "Copy as" });
  const box = /** @type {HTMLDetailsElement} */ (el("details", { class: "snippets" }, el("summary", {}, "Copy as code")));
  const whole = () => {
    const asked = asking();
    return asked ? KINDS[/** @type {keyof typeof KINDS} */ (kind)](asked) : "";
  };
  const write = () => {
    if (!box.open) return;
    const text = whole();
    if (!text) code.textContent = "# Fill in what is missing first.";
    else code.textContent = text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}\n… ${text.length - MOST_SHOWN} more characters: Copy takes all of it` : text;
    for (const tab of tabs.children) tab.setAttribute("aria-pressed", String(tab.textContent === kind));
  };
  for (const name of Object.keys(KINDS)) {
    tabs.append(el("button", { type: "button", class: "button small", onclick: () => {
      kind = name;
      write();
    } }, name));
  }
  const note = el("p", { class: "faint" }, "On the server's own machine the Python client finds its key; elsewhere, ", el("code", {}, "LLMAAS_API_KEY"), " has one of the page Keys.");
  box.append(el("div", { class: "row ends" }, tabs, copy_button(whole)), el("pre", { tabindex: "0" }, code), note);
  box.addEventListener("toggle", write);
  for (const name of ["input", "change", "click"]) document.addEventListener(name, () => setTimeout(write));
  place.replaceChildren(box);
}
