// The page Summarize: a text or a file, and a summary whose sentences show what they rest on.

import { call } from "./api.js";
import { copy_button } from "./copy.js";
import { append, el, fill, need } from "./dom.js";
import { failure } from "./failure.js";
import { Picker } from "./models.js";
import { cut, points } from "./points.js";
import { offer_code } from "./snippets.js";
import { events } from "./stream.js";
import { strip } from "./strip.js";
import { toast, toast_error } from "./toast.js";
import { into_view } from "./view.js";

const form = /** @type {HTMLFormElement} */ (need("[data-summarize]"));
const text = /** @type {HTMLTextAreaElement} */ (need("[name=text]", form));
const drop = need("[data-drop]", form);
const file = /** @type {HTMLInputElement} */ (need("[type=file]", form));
const model = /** @type {HTMLSelectElement} */ (need("[name=model]", form));
const go = need("button[type=submit]", form);
const stop = need("[data-stop]", form);
const answer = need("[data-answer]");
const picker = new Picker(model, "summarize");

const STAGES = { reading: "Reading", writing: "Writing", merging: "Merging what was read", checking: "Checking each sentence" };

/** @returns {Record<string, any>} what the form asks for */
function asked() {
  const fields = new FormData(form);
  /** @type {Record<string, any>} */
  const body = { text: text.value };
  for (const name of ["method", "length", "style", "focus"]) {
    const value = String(fields.get(name) ?? "").trim();
    if (value) body[name] = value;
  }
  if (fields.get("max_words")) body.max_words = Number(fields.get("max_words"));
  if (fields.get("strict")) body.strict = true;
  if (model.value) body.model = model.value;
  return body;
}

/** @param {File} given */
async function read(given) {
  const most = Number(drop.dataset.most);
  if (given.size > most) {
    toast(`${given.name} has ${(given.size / 2 ** 20).toFixed(1)} MiB; ${most / 2 ** 20} MiB is the most. Split it, or paste a part of it.`, "bad");
    return;
  }
  drop.setAttribute("aria-busy", "true");
  try {
    text.value = (await call("POST", `/console/read?name=${encodeURIComponent(given.name)}`, given)).text;
    count();
    toast(`Read ${given.name}: ${points(text.value).length.toLocaleString("en")} characters.`);
  } catch (error) {
    toast_error(error);
  } finally {
    drop.removeAttribute("aria-busy");
  }
}

function count() {
  need("[data-count]", form).textContent = text.value ? `${text.value.length.toLocaleString("en")} characters` : "";
}

/** Shows spans of the source, the first of them in view. @param {HTMLElement} box @param {string[]} all @param {{start: number, end: number}[]} spans */
function mark(box, all, spans) {
  box.replaceChildren();
  let at = 0;
  let first = null;
  for (const span of [...spans].sort((a, b) => a.start - b.start)) {
    append(box, cut(all, at, span.start));
    const marked = el("mark", {}, cut(all, Math.max(at, span.start), span.end));
    first ??= marked;
    box.append(marked);
    at = Math.max(at, span.end);
  }
  append(box, cut(all, at, all.length));
  if (first) box.scrollTop = Math.max(0, first.offsetTop - box.offsetTop - 60);
}

/** @param {any} sentence @param {() => void} look what shows its sources */
function line_of(sentence, look) {
  const unsupported = sentence.supported === false;
  const button = el("button", { type: "button", class: unsupported ? "unsupported" : "", "aria-pressed": "false" }, sentence.text);
  for (const name of ["mouseenter", "focus", "click"]) button.addEventListener(name, look);
  const support = sentence.support === null ? "support not measured" : `support ${sentence.support.toFixed(2)}`;
  const told = unsupported ? [el("span", { class: "badge bad" }, "not supported"), ` ${sentence.reasons.join("; ") || support}`] : [support];
  return el("li", {}, button, el("span", { class: "faint told" }, ...told));
}

/** @param {Record<string, any>} body @param {any} result */
function show(body, result) {
  const all = points(body.text);
  const source = el("div", { class: "source", tabindex: "0", role: "region", "aria-label": "The source" });
  mark(source, all, []);
  const list = el("ol", { class: "summary" });
  for (const sentence of result.sentences) {
    const item = line_of(sentence, () => {
      for (const other of list.querySelectorAll("button")) other.setAttribute("aria-pressed", String(other.parentElement === item));
      mark(source, all, sentence.sources);
    });
    list.append(item);
  }
  fill(
    answer,
    el("div", { class: "row ends" }, el("p", { class: "faint" }, "Point at a sentence to see what it rests on."), copy_button(() => result.summary)),
    result.sentences.length ? list : el("p", { class: "empty" }, result.dropped ? "Nothing is left: the text supports none of the sentences that were written." : "There is nothing to say."),
    el("p", { class: "faint" }, facts_of(result).join(" · ")),
    el("h3", {}, "Source"),
    source,
    strip(result),
  );
}

/** @param {any} result @returns {string[]} */
function facts_of(result) {
  return [
    `${result.words} words`,
    `coverage ${(100 * result.coverage).toFixed(1)} %`,
    result.method,
    result.parts > 1 ? `read in ${result.parts} parts` : "",
    result.unsupported ? `${result.unsupported} not supported` : "",
    result.dropped ? `${result.dropped} sentences left out` : "",
  ].filter(Boolean);
}

/** How far a long document is. */
class Advance {
  constructor() {
    this.stage = el("span", {}, "Sent");
    this.share = el("span", { class: "faint" });
    this.bar = el("span");
    this.meter = el("div", { class: "meter", role: "progressbar", "aria-label": "Progress", "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": "0" }, this.bar);
    this.live = el("p", { class: "plain growing" });
    this.box = el("div", { class: "progress" }, el("p", { class: "row ends" }, this.stage, this.share), this.meter, this.live);
  }

  /** @param {{stage: string, done: number, total: number}} data */
  show({ stage, done, total }) {
    const percent = Math.round((100 * done) / Math.max(1, total));
    this.stage.textContent = STAGES[/** @type {keyof typeof STAGES} */ (stage)] ?? stage;
    this.share.textContent = `${done.toLocaleString("en")} of ${total.toLocaleString("en")}`;
    this.bar.style.width = `${percent}%`;
    this.meter.setAttribute("aria-valuenow", String(percent));
  }
}

/** @type {AbortController | null} */
let running = null;

async function run() {
  const body = asked();
  const mine = (running = new AbortController());
  const advance = new Advance();
  busy(true);
  fill(answer, advance.box);
  into_view(answer);
  try {
    for await (const { event, data } of events("/v1/tasks/summarize", body, mine.signal)) {
      if (event === "progress") advance.show(data);
      else if (event === "delta") advance.live.append(data.text);
      else if (event === "done") show(body, data);
    }
  } catch (error) {
    if (mine.signal.aborted) fill(answer, el("p", { class: "notice" }, "Stopped. The server's work has ended, too."));
    else fill(answer, failure(error));
  } finally {
    running = null;
    busy(false);
    picker.look().catch(() => {}); // it is in memory now
  }
}

/** @param {boolean} is */
function busy(is) {
  answer.setAttribute("aria-busy", String(is)); // read aloud when it is whole
  stop.hidden = !is;
  go.toggleAttribute("disabled", is);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!running) run();
});
stop.addEventListener("click", () => running?.abort());
text.addEventListener("input", count);
file.addEventListener("change", () => {
  if (file.files?.[0]) read(file.files[0]);
  file.value = "";
});
for (const name of ["dragover", "dragleave", "drop"]) {
  drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.toggleAttribute("data-over", name === "dragover");
    const given = name === "drop" ? /** @type {DragEvent} */ (event).dataTransfer?.files[0] : null;
    if (given) read(given);
  });
}
need("[data-example]").addEventListener("click", () => {
  text.value = /** @type {HTMLTemplateElement} */ (need("[data-example-text]")).content.textContent?.trim() ?? "";
  count();
  text.focus();
});
offer_code(need("[data-snippets]"), () => (text.value.trim() ? { task: "summarize", body: asked(), model: picker.model?.id ?? "" } : null));
count();
