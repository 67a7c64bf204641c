// The same request as code: for the Python client, curl, and the OpenAI client.

import { copy_button } from "./copy.js";
import { el, fill } from "./dom.js";

/** A JSON value as Python writes it. @param {unknown} value @returns {string} */
export function python(value) {
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (typeof value === "object") {
    return `{${Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}: ${python(item)}`).join(", ")}}`;
  }
  return JSON.stringify(value);
}

/** @param {string} task @param {Record<string, unknown>} body @returns {string} */
function as_client(task, body) {
  const { text, messages, stream: _, ...rest } = body;
  const named = Object.entries(rest).map(([name, value]) => `    ${name}=${python(value)},`);
  const first = python(task === "chat" ? messages : text);
  return [
    "from llmaas_client import Client",
    "",
    `client = Client(${JSON.stringify(location.origin)})`,
    `result = client.${task}(`,
    `    ${first},`,
    ...named,
    ")",
    "print(result)",
  ].join("\n");
}

/** @param {string} text @returns {string} for a shell, in single quotes */
function quoted(text) {
  return `'${text.replaceAll("'", `'"'"'`)}'`;
}

/** @param {string} task @param {Record<string, unknown>} body @returns {string} */
function as_curl(task, body) {
  return [
    `curl ${location.origin}/v1/tasks/${task} \\`,
    '  -H "Authorization: Bearer $LLMAAS_API_KEY" \\',
    '  -H "Content-Type: application/json" \\',
    `  -d ${quoted(JSON.stringify(body))}`,
  ].join("\n");
}

/** @param {string} task @param {Record<string, unknown>} body @returns {string} */
function as_openai(task, body) {
  const head = ["import os", "", "from openai import OpenAI", "", `client = OpenAI(base_url=${JSON.stringify(`${location.origin}/v1`)}, api_key=os.environ["LLMAAS_API_KEY"])`];
  if (task !== "chat") {
    return [...head, `result = client.post("/tasks/${task}", cast_to=object, body=${python(body)})`, "print(result)"].join("\n");
  }
  const { messages, model, temperature, top_p, max_tokens, seed, response_format } = /** @type {any} */ (body);
  const format = response_format && { type: "json_schema", json_schema: { name: "answer", schema: response_format.schema } };
  const fields = Object.entries({ model: model ?? "smollm2-135m-instruct-q4_1", messages, temperature, top_p, max_tokens, seed, response_format: format });
  const named = fields.filter(([, value]) => value !== undefined).map(([name, value]) => `    ${name}=${python(value)},`);
  return [...head, "answer = client.chat.completions.create(", ...named, ")", "print(answer.choices[0].message.content)"].join("\n");
}

/**
 * A closed box with the request as code, each to be copied.
 * @param {string} task @param {Record<string, unknown>} body
 */
export function snippets(task, body) {
  const kinds = { Python: as_client, curl: as_curl, "OpenAI client": as_openai };
  const code = el("code");
  const tabs = el("div", { class: "row", role: "group", "aria-label": "Copy as" });
  /** @param {string} name */
  function show(name) {
    code.textContent = kinds[name](task, body);
    for (const tab of tabs.children) tab.setAttribute("aria-pressed", String(tab.textContent === name));
  }
  for (const name of Object.keys(kinds)) tabs.append(el("button", { type: "button", class: "button small", onclick: () => show(name) }, name));
  const box = el("details", { class: "snippets" }, el("summary", {}, "Copy as code"));
  box.append(el("div", { class: "row ends" }, tabs, copy_button(code)), el("pre", { tabindex: "0" }, code));
  show("Python");
  return box;
}

/** @param {Element} place @param {string} task @param {Record<string, unknown>} body */
export function show_snippets(place, task, body) {
  fill(place, snippets(task, body));
}
