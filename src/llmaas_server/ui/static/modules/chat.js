// The page Chat: a conversation that is streamed, edited, branched, and kept in this browser.

import { el, fill, need } from "./dom.js";
import { ask } from "./confirm.js";
import { as_markdown, forget, keep, kept } from "./history.js";
import { blocks, Growing } from "./markdown.js";
import { watch_models } from "./models.js";
import { show_snippets } from "./snippets.js";
import { events } from "./stream.js";
import { strip } from "./strip.js";
import { toast, toast_error } from "./toast.js";
import { Tree } from "./tree.js";

const form = /** @type {HTMLFormElement} */ (need("[data-chat]"));
const input = /** @type {HTMLTextAreaElement} */ (need("[name=message]", form));
const thread = need("[data-thread]");
const stop = need("[data-stop]");
const go = need("button[type=submit]", form);
const options = /** @type {HTMLFormElement} */ (need("[data-options]"));
const model = /** @type {HTMLSelectElement} */ (need("[name=model]", options));
const system = /** @type {HTMLTextAreaElement} */ (need("[name=system]", options));
const past = /** @type {HTMLSelectElement} */ (need("[data-past]"));
const code = need("[data-snippets]");

let tree = new Tree();
let id = crypto.randomUUID();
/** @type {AbortController | null} */
let running = null;

/** @returns {Record<string, unknown> | null} what the options ask for; null where they are wrong */
function sampling() {
  const fields = new FormData(options);
  /** @type {Record<string, unknown>} */
  const body = {};
  for (const name of ["temperature", "top_p", "top_k", "min_p", "max_tokens", "seed"]) {
    const value = String(fields.get(name) ?? "").trim();
    if (value) body[name] = Number(value);
  }
  if (model.value) body.model = model.value;
  const schema = String(fields.get("schema") ?? "").trim();
  if (schema) {
    try {
      body.response_format = { type: "json_schema", schema: JSON.parse(schema) };
    } catch {
      toast("The schema is no JSON.", "bad");
      return null;
    }
  }
  return body;
}

/** @param {import("./tree.js").Turn} turn @returns {HTMLElement} */
function drawn(turn) {
  const said = el("div", { class: turn.role === "user" ? "said plain" : "said" });
  if (turn.role === "user") said.append(turn.content);
  else said.append(...blocks(turn.content));
  return el(
    "li",
    { class: "turn", dataset: { role: turn.role } },
    turn.reasoning ? thought(turn.reasoning) : null,
    said,
    tools_of(turn),
    turn.result ? el("details", { class: "snippets" }, el("summary", {}, "Times and cost"), strip(turn.result)) : null,
  );
}

/** @param {string} text */
function thought(text) {
  return el("details", {}, el("summary", { class: "faint" }, "Reasoning"), el("p", { class: "thought" }, text));
}

/** @param {import("./tree.js").Turn} turn */
function tools_of(turn) {
  const all = tree.siblings(turn);
  const at = all.indexOf(turn);
  const step = (by, label, sign) =>
    el("button", { type: "button", class: "quiet", "aria-label": label, disabled: !all[at + by], onclick: () => {
      tree.choose(all[at + by]);
      draw();
    } }, sign);
  return el(
    "div",
    { class: "tools" },
    ...(all.length > 1 ? [step(-1, "The version before", "‹"), el("span", { class: "faint" }, `${at + 1}/${all.length}`), step(1, "The next version", "›")] : []),
    turn.role === "user"
      ? el("button", { type: "button", class: "quiet", onclick: () => edit(turn) }, "Edit")
      : el("button", { type: "button", class: "quiet", onclick: () => answer(turn.parent) }, "Regenerate"),
  );
}

function draw() {
  const path = tree.path();
  fill(thread, ...(path.length ? path.map(drawn) : [el("li", { class: "empty" }, "Say something. The conversation stays in this browser.")]));
}

/** @param {import("./tree.js").Turn} turn */
function edit(turn) {
  if (running) return;
  const box = /** @type {HTMLTextAreaElement} */ (el("textarea", { rows: 4, "aria-label": "The message" }));
  box.value = turn.content;
  const place = [...thread.children][tree.path().indexOf(turn)];
  fill(
    place,
    box,
    el("div", { class: "row" },
      el("button", { type: "button", class: "button small primary", onclick: () => {
        if (box.value.trim()) answer(tree.add(turn.parent, "user", box.value).id);
      } }, "Send as a new branch"),
      el("button", { type: "button", class: "button small", onclick: draw }, "Cancel")),
  );
  box.focus();
}

/** Asks for the message that follows one of the user. @param {number | null} question */
async function answer(question) {
  if (running) return;
  const asked = sampling();
  if (!asked) return;
  tree.system = system.value;
  tree.leaf = question;
  draw();
  const body = { messages: tree.messages(question), ...asked };
  show_snippets(code, "chat", body);
  const reasoning = el("p", { class: "thought", hidden: true });
  const said = el("div", { class: "said" });
  const place = el("li", { class: "turn", dataset: { role: "assistant" }, "aria-busy": "true" }, reasoning, said);
  thread.append(place);
  place.scrollIntoView({ block: "end" });
  const growing = new Growing(said);
  running = new AbortController();
  busy(true);
  let text = "";
  let fresh = "";
  let thinking = "";
  let result = null;
  let frame = 0;
  const paint = () => {
    frame = 0;
    if (fresh) growing.push(fresh);
    if (thinking) {
      reasoning.hidden = false;
      reasoning.append(thinking);
    }
    fresh = thinking = "";
    const near = document.documentElement.scrollHeight - scrollY - innerHeight < 160;
    if (near) scrollTo({ top: document.documentElement.scrollHeight });
  };
  try {
    for await (const { event, data } of events("/v1/tasks/chat", body, running.signal)) {
      if (event === "delta") {
        text += data.text;
        fresh += data.text;
        thinking += data.reasoning ?? "";
        frame ||= requestAnimationFrame(paint);
      } else if (event === "done") {
        result = data;
      }
    }
  } catch (error) {
    if (!running.signal.aborted) toast_error(error);
  } finally {
    cancelAnimationFrame(frame);
    running = null;
    busy(false);
  }
  if (text || result) {
    const turn = tree.add(question, "assistant", result?.message.content ?? text);
    turn.reasoning = result?.message.reasoning ?? reasoning.textContent ?? "";
    if (result) turn.result = { id: result.id, model: result.model, usage: result.usage, timing: result.timing, cost: result.cost, warnings: result.warnings };
    else toast("Stopped: what was said so far is kept.");
    place.replaceWith(drawn(turn));
    keep(id, tree);
    list_past();
  } else {
    place.remove();
  }
}

/** @param {boolean} is */
function busy(is) {
  stop.hidden = !is;
  go.toggleAttribute("disabled", is);
}

function list_past() {
  const all = kept();
  fill(past, el("option", { value: "" }, all.length ? "Earlier conversations" : "None yet"), ...all.map((one) => el("option", { value: one.id }, one.tree.title || "untitled")));
  past.value = "";
}

/** @param {string} name @param {string} type @param {string} content */
function download(name, type, content) {
  const url = URL.createObjectURL(new Blob([content], { type }));
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = input.value;
  if (!text.trim() || running) return;
  input.value = "";
  answer(tree.add(tree.leaf, "user", text).id);
});
input.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    form.requestSubmit();
  }
});
stop.addEventListener("click", () => running?.abort());
addEventListener("keydown", (event) => {
  if (event.key === "Escape") running?.abort();
});
options.addEventListener("submit", (event) => event.preventDefault());
past.addEventListener("change", () => {
  const found = kept().find((one) => one.id === past.value);
  if (!found || running) return;
  id = found.id;
  tree = new Tree(found.tree);
  system.value = tree.system;
  draw();
});
need("[data-new]").addEventListener("click", () => {
  if (running) return;
  id = crypto.randomUUID();
  tree = new Tree();
  draw();
  input.focus();
});
need("[data-forget]").addEventListener("click", async () => {
  if (!running && (await ask("Forget this conversation?", "It is removed from this browser, and is nowhere else.", "Forget"))) {
    forget(id);
    list_past();
    need("[data-new]").click();
  }
});
need("[data-export-json]").addEventListener("click", () => download("conversation.json", "application/json", JSON.stringify(tree, null, 2)));
need("[data-export-markdown]").addEventListener("click", () => download("conversation.md", "text/markdown", as_markdown(tree)));
watch_models(model, ["chat"]);
list_past();
draw();
