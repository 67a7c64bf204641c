// The page Chat: a conversation that is streamed, edited, branched, and kept in this browser.

import { ask } from "./confirm.js";
import { el, fill, need } from "./dom.js";
import { failure } from "./failure.js";
import { as_markdown, forget, keep, kept } from "./history.js";
import { Growing } from "./markdown.js";
import { Picker } from "./models.js";
import { Options } from "./sampling.js";
import { offer_code } from "./snippets.js";
import { events } from "./stream.js";
import { toast } from "./toast.js";
import { Tree } from "./tree.js";
import { Coming, drawn } from "./turns.js";

const form = /** @type {HTMLFormElement} */ (need("[data-chat]"));
const input = /** @type {HTMLTextAreaElement} */ (need("[name=message]", form));
const thread = need("[data-thread]");
const stop = need("[data-stop]");
const go = need("button[type=submit]", form);
const system = /** @type {HTMLTextAreaElement} */ (need("[name=system]"));
const past = /** @type {HTMLSelectElement} */ (need("[data-past]"));
const options = new Options(/** @type {HTMLFormElement} */ (need("[data-options]")));
const picker = new Picker(/** @type {HTMLSelectElement} */ (need("[name=model]")), "chat", (model) => options.follow(model));

const EXAMPLES = ["Explain what a prefix cache is, in three sentences.", "Write a short poem about a quiet machine.", "What are three questions to ask before buying a used bicycle?"];

let tree = new Tree();
let id = crypto.randomUUID();
/** @type {AbortController | null} */
let running = null;
let has_room = true;

const hands = {
  siblings: (/** @type {import("./tree.js").Turn} */ turn) => tree.siblings(turn),
  is_last: (/** @type {import("./tree.js").Turn} */ turn) => !tree.turns.some((one) => one.parent === turn.id),
  choose: (/** @type {import("./tree.js").Turn} */ turn) => {
    if (running) return;
    tree.choose(turn);
    draw();
  },
  edit,
  answer,
};

function draw() {
  const path = tree.path();
  fill(thread, ...(path.length ? path.map((turn) => drawn(turn, hands)) : [welcome()]));
}

function welcome() {
  const examples = EXAMPLES.map((text) => el("button", { type: "button", class: "button small", onclick: () => send(text) }, text));
  return el("li", { class: "empty" }, el("p", {}, "Say something. The conversation stays in this browser."), el("div", { class: "row centre", role: "group", "aria-label": "Examples to try" }, ...examples));
}

/** @param {import("./tree.js").Turn} turn */
function edit(turn) {
  if (running) return;
  const box = /** @type {HTMLTextAreaElement} */ (el("textarea", { rows: 4, "aria-label": "The message" }));
  box.value = turn.content;
  const place = [...thread.children][tree.path().indexOf(turn)];
  place.setAttribute("data-edited", "");
  fill(
    place,
    box,
    el("div", { class: "row" },
      el("button", { type: "button", class: "button small primary", onclick: () => {
        if (box.value.trim()) send(box.value, turn.parent);
      } }, "Send as a new branch"),
      el("button", { type: "button", class: "button small", onclick: draw }, "Cancel")),
  );
  box.focus();
}

/** A message of the user, and what follows it. @param {string} text @param {number | null} [parent] */
function send(text, parent = tree.leaf) {
  if (running || !options.ask()) return false;
  answer(tree.add(parent, "user", text).id);
  return true;
}

/** Asks for the message that follows one of the user. @param {number | null} question */
async function answer(question) {
  const asked = running ? null : options.ask();
  if (!asked) return;
  tree.system = system.value;
  tree.leaf = question;
  draw();
  const coming = new Coming();
  thread.append(coming.place);
  coming.place.scrollIntoView({ block: "end" });
  running = new AbortController();
  busy(true);
  const heard = await hear({ messages: tree.messages(question), ...asked }, coming, running.signal);
  running = null;
  busy(false);
  coming.place.remove();
  picker.look().catch(() => {}); // it is in memory now
  if (heard.text || heard.result) {
    const turn = Object.assign(tree.add(question, "assistant", heard.result?.message.content ?? heard.text), {
      reasoning: heard.result?.message.reasoning ?? heard.reasoning,
      is_json: Boolean(asked.response_format),
      ended: heard.ended,
    });
    if (heard.result) turn.result = told(heard.result);
    const asking = tree.get(question);
    if (asking) thread.lastElementChild?.replaceWith(drawn(asking, hands));
    thread.append(drawn(turn, hands));
  }
  if (heard.error) thread.append(el("li", { class: "turn" }, failure(heard.error, () => answer(question))));
  remember();
}

/** What is kept of a result beside its message. @param {any} result */
function told({ id: request, model, usage, timing, cost, warnings }) {
  return { id: request, model, usage, timing, cost, warnings };
}

/**
 * Draws an answer while it comes, at most once a frame.
 * @param {Record<string, unknown>} body @param {Coming} coming @param {AbortSignal} signal
 * @returns {Promise<{text: string, reasoning: string, result: any, ended?: "stopped" | "cut" | "length", error?: unknown}>}
 */
async function hear(body, coming, signal) {
  const growing = new Growing(coming.said);
  let [text, reasoning, fresh, thinking] = ["", "", "", ""];
  let frame = 0;
  const paint = () => {
    frame = 0;
    if (fresh) growing.push(fresh);
    if (thinking) {
      coming.reasoning.hidden = false;
      coming.reasoning.append(thinking);
    }
    fresh = thinking = "";
    const near = document.documentElement.scrollHeight - scrollY - innerHeight < 160;
    if (near) scrollTo({ top: document.documentElement.scrollHeight });
  };
  try {
    for await (const { event, data } of events("/v1/tasks/chat", body, signal)) {
      if (event === "done") return { text, reasoning, result: data, ended: data.finish_reason === "length" ? "length" : undefined };
      if (event !== "delta") continue;
      text += data.text;
      fresh += data.text;
      reasoning += data.reasoning ?? "";
      thinking += data.reasoning ?? "";
      frame ||= requestAnimationFrame(paint);
    }
    return { text, reasoning, result: null, ended: "cut" };
  } catch (error) {
    return signal.aborted ? { text, reasoning, result: null, ended: "stopped" } : { text, reasoning, result: null, ended: "cut", error };
  } finally {
    cancelAnimationFrame(frame);
  }
}

/** @param {boolean} is */
function busy(is) {
  thread.setAttribute("aria-busy", String(is)); // read aloud when it is whole, not word by word
  const [shown, gone] = is ? [stop, go] : [go, stop];
  const held = document.activeElement === gone;
  shown.hidden = false;
  if (held) shown.focus();
  gone.hidden = true;
}

function remember() {
  const fits = keep(id, tree);
  if (!fits && has_room) toast("This browser has no room for the conversation: export it before you leave the page.", "bad");
  has_room = fits;
  list_past();
}

function list_past() {
  const all = kept();
  fill(past, el("option", { value: "" }, all.length ? "Earlier conversations" : "None yet"), ...all.map((one) => el("option", { value: one.id }, one.tree.title || "untitled")));
  past.value = all.some((one) => one.id === id) ? id : "";
}

/** @param {string} name @param {string} type @param {string} content */
function download(name, type, content) {
  const url = URL.createObjectURL(new Blob([content], { type }));
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** @param {string} key @param {Tree} conversation */
function open(key, conversation) {
  if (running) return;
  id = key;
  tree = conversation;
  system.value = tree.system;
  draw();
  list_past();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (input.value.trim() && send(input.value)) input.value = "";
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
past.addEventListener("change", () => {
  const found = kept().find((one) => one.id === past.value);
  if (found) open(found.id, new Tree(found.tree));
});
need("[data-new]").addEventListener("click", () => {
  open(crypto.randomUUID(), new Tree());
  input.focus();
});
need("[data-forget]").addEventListener("click", async () => {
  if (!running && (await ask("Forget this conversation?", "It is removed from this browser, and is nowhere else.", "Forget"))) {
    forget(id);
    open(crypto.randomUUID(), new Tree());
  }
});
need("[data-export-json]").addEventListener("click", () => download("conversation.json", "application/json", JSON.stringify(tree, null, 2)));
need("[data-export-markdown]").addEventListener("click", () => download("conversation.md", "text/markdown", as_markdown(tree)));
offer_code(need("[data-snippets]"), () => {
  const path = tree.path();
  const typed = input.value.trim() ? [{ role: "user", content: input.value }] : [];
  const last = typed.length ? path.at(-1) : path.filter((turn) => turn.role === "user").at(-1);
  const messages = [...new Tree({ ...tree, system: system.value }).messages(last?.id ?? null), ...typed];
  const asked = messages.some((one) => one.role === "user") ? options.read() : null;
  return asked && { task: "chat", body: { messages, ...asked }, model: picker.model?.id ?? "" };
});
draw();
list_past();
