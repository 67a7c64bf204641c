// The page Summarize: a text or a file, and a summary whose sentences show what they rest on.

import { ApiError, csrf, error_of } from "./api.js";
import { append, el, fill, need } from "./dom.js";
import { watch_models } from "./models.js";
import { cut, points } from "./points.js";
import { show_snippets } from "./snippets.js";
import { events } from "./stream.js";
import { strip } from "./strip.js";
import { toast, toast_error } from "./toast.js";

const form = /** @type {HTMLFormElement} */ (need("[data-summarize]"));
const text = /** @type {HTMLTextAreaElement} */ (need("[name=text]", form));
const drop = need("[data-drop]", form);
const file = /** @type {HTMLInputElement} */ (need("[type=file]", form));
const model = /** @type {HTMLSelectElement} */ (need("[name=model]", form));
const stop = need("[data-stop]", form);
const answer = need("[data-answer]");
const code = need("[data-snippets]");

/** @returns {Record<string, unknown>} */
function asked() {
  const fields = new FormData(form);
  /** @type {Record<string, unknown>} */
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
    toast(`${given.name} has ${(given.size / 2 ** 20).toFixed(1)} MiB; ${most / 2 ** 20} MiB is the most.`, "bad");
    return;
  }
  drop.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(`/console/read?name=${encodeURIComponent(given.name)}`, { method: "POST", body: given, headers: { accept: "application/json", "x-csrf-token": csrf() } });
    if (!response.ok) throw await error_of(response);
    text.value = (await response.json()).text;
    toast(`Read ${given.name}: ${points(text.value).length} characters.`);
  } catch (error) {
    toast_error(error instanceof TypeError ? new ApiError({ code: "connection_failed", message: "the server does not answer" }) : error);
  } finally {
    drop.removeAttribute("aria-busy");
  }
}

/** Shows spans of the source, the first of them in view. @param {HTMLElement} box @param {string[]} all @param {{start: number, end: number}[]} spans */
function mark(box, all, spans) {
  box.replaceChildren();
  let at = 0;
  let first = null;
  for (const span of [...spans].sort((a, b) => a.start - b.start)) {
    append(box, cut(all, at, span.start));
    const marked = el("mark", {}, cut(all, span.start, span.end));
    first ??= marked;
    box.append(marked);
    at = Math.max(at, span.end);
  }
  append(box, cut(all, at, all.length));
  if (first) box.scrollTop = Math.max(0, first.offsetTop - box.offsetTop - 60);
}

/** @param {Record<string, unknown>} body @param {any} result */
function show(body, result) {
  const all = points(String(body.text));
  const source = el("div", { class: "source", tabindex: "0", "aria-label": "The source" });
  mark(source, all, []);
  const list = el("ol", { class: "summary" });
  for (const sentence of result.sentences) {
    const unsupported = sentence.supported === false;
    const button = el("button", { type: "button", class: unsupported ? "unsupported" : "", "aria-pressed": "false" }, sentence.text);
    const look = () => {
      for (const other of list.querySelectorAll("button")) other.setAttribute("aria-pressed", String(other === button));
      mark(source, all, sentence.sources);
    };
    for (const name of ["mouseenter", "focus", "click"]) button.addEventListener(name, look);
    const support = sentence.support === null ? "support not measured" : `support ${sentence.support.toFixed(2)}`;
    list.append(el("li", {}, button, el("span", { class: "faint" }, unsupported ? `Not supported: ${sentence.reasons.join("; ") || support}` : support)));
  }
  const facts = [`${result.words} words`, `coverage ${(100 * result.coverage).toFixed(1)} %`, result.method, result.parts > 1 ? `read in ${result.parts} parts` : "", result.dropped ? `${result.dropped} sentences left out` : ""];
  fill(
    answer,
    el("p", { class: "faint" }, "Point at a sentence to see what it rests on."),
    list,
    el("p", { class: "faint" }, facts.filter(Boolean).join(" · ")),
    el("h3", {}, "Source"),
    source,
    strip(result),
  );
  show_snippets(code, "summarize", body);
}

/** @type {AbortController | null} */
let running = null;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (running) return;
  const body = asked();
  running = new AbortController();
  stop.hidden = false;
  const bar = el("span");
  const stage = el("p", { class: "faint" }, "Sent.");
  const live = el("p", { class: "plain" });
  fill(answer, el("div", { class: "progress", role: "status" }, stage, el("div", { class: "meter" }, bar)), live);
  try {
    for await (const { event: name, data } of events("/v1/tasks/summarize", body, running.signal)) {
      if (name === "progress") {
        stage.textContent = `${data.stage}: ${data.done} of ${data.total}`;
        bar.style.width = `${(100 * data.done) / Math.max(1, data.total)}%`;
      } else if (name === "delta") {
        live.append(data.text);
      } else if (name === "done") {
        show(body, data);
      }
    }
  } catch (error) {
    if (running.signal.aborted) fill(answer, el("p", { class: "notice" }, "Stopped. The server's work has ended, too."));
    else {
      fill(answer, el("p", { class: "empty" }, "There is no summary."));
      toast_error(error);
    }
  } finally {
    running = null;
    stop.hidden = true;
  }
});
stop.addEventListener("click", () => running?.abort());
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
watch_models(model, ["summarize"]);
