// The page Classify: labels, scores, and what of the text they rest on.

import { call } from "./api.js";
import { dialog } from "./confirm.js";
import { append, el, fill, need } from "./dom.js";
import { watch_models } from "./models.js";
import { cut, points } from "./points.js";
import { show_snippets } from "./snippets.js";
import { strip } from "./strip.js";
import { toast, toast_error } from "./toast.js";

const form = /** @type {HTMLFormElement} */ (need("[data-classify]"));
const text = /** @type {HTMLTextAreaElement} */ (need("[name=text]", form));
const labels = need("[data-labels]", form);
const chosen = /** @type {HTMLSelectElement} */ (need("[name=classifier]", form));
const model = /** @type {HTMLSelectElement} */ (need("[name=model]", form));
const answer = need("[data-answer]");
const code = need("[data-snippets]");

const EXAMPLES = {
  "News topics": { text: "The midfielder scored twice in the last ten minutes and the crowd went home singing.", labels: [["sport", ""], ["business", ""], ["politics", ""], ["science", ""]] },
  "Sentiment": { text: "A slow start, but the ending is brilliant and I would see it again.", labels: [["positive", ""], ["negative", ""]] },
  "Support": { text: "I was charged twice for the same order.", labels: [["billing", "a problem with a payment, an invoice or a refund"], ["delivery", "a parcel that is late, lost or damaged"], ["account", "signing in, passwords, personal data"]] },
};

/** @param {string} name @param {string} meaning */
function add_label(name = "", meaning = "") {
  const row = el(
    "div",
    { class: "label-row", dataset: { label: "" } },
    el("input", { "aria-label": "Label", placeholder: "label", maxlength: 200, value: name }),
    el("input", { "aria-label": "What the label means", placeholder: "what it means (may be empty)", maxlength: 1000, value: meaning }),
    el("button", { type: "button", class: "quiet", "aria-label": "Remove the label", onclick: () => row.remove() }, "✕"),
  );
  labels.append(row);
  return row;
}

/** @returns {[string, string][]} */
function given_labels() {
  return [...labels.querySelectorAll("[data-label]")]
    .map((row) => /** @type {[string, string]} */ ([...row.querySelectorAll("input")].map((input) => input.value.trim())))
    .filter(([name]) => name);
}

/** @returns {Record<string, unknown>} what the form asks for */
function asked() {
  const fields = new FormData(form);
  /** @type {Record<string, unknown>} */
  const body = { text: text.value };
  const pairs = given_labels();
  if (chosen.value) body.classifier = chosen.value;
  else body.labels = pairs.some(([, meaning]) => meaning) ? Object.fromEntries(pairs.map(([name, meaning]) => [name, meaning || name])) : pairs.map(([name]) => name);
  if (model.value) body.model = model.value;
  if (fields.get("multi") && !chosen.value) body.multi = true;
  if (fields.get("threshold")) body.threshold = Number(fields.get("threshold"));
  if (fields.get("explain")) body.explain = true;
  return body;
}

/** @param {{label: string, score: number}[]} scores @param {string[]} holding */
function bars(scores, holding) {
  return el(
    "ol",
    { class: "bars" },
    ...scores.slice(0, 50).map(({ label, score }) => {
      const fill_ = el("span");
      fill_.style.width = `${Math.max(0, Math.min(1, score)) * 100}%`;
      return el(
        "li",
        { class: holding.includes(label) ? "holds" : "" },
        el("span", { class: "bar-name" }, label),
        el("span", { class: "meter", role: "img", "aria-label": `${label}: ${score.toFixed(3)}` }, fill_),
        el("span", { class: "bar-value" }, score.toFixed(3)),
      );
    }),
  );
}

/** @param {string} whole @param {any} explanation */
function heat(whole, explanation) {
  const all = points(whole);
  const most = Math.max(...explanation.words.map((word) => Math.abs(word.score)), 1e-9);
  const box = el("p", { class: "heat" });
  let at = 0;
  for (const word of explanation.words) {
    append(box, cut(all, at, word.start));
    const mark = el("mark", { title: `${word.score >= 0 ? "+" : ""}${word.score.toFixed(4)}` }, cut(all, word.start, word.end));
    mark.style.setProperty("--share", String(Math.abs(word.score) / most));
    mark.dataset.side = word.score >= 0 ? "for" : "against";
    box.append(mark);
    at = word.end;
  }
  append(box, cut(all, at, all.length));
  const flip = explanation.flip;
  const gap = explanation.gradients?.completeness_gap;
  return el(
    "section",
    {},
    el("h3", {}, `What “${explanation.label}” rests on`),
    box,
    el("p", { class: "faint" }, "Green words speak for the label, red ones against it: what its score loses when they are left out."),
    explanation.words.length < explanation.word_count ? el("p", { class: "faint" }, `The text has ${explanation.word_count} words: neighbours were grouped.`) : null,
    flip ? el("p", {}, "Without ", el("strong", {}, flip.removed.map((span) => `“${span.text}”`).join(", ")), ` it would be “${flip.label ?? "none"}” (${flip.score.toFixed(3)}).`) : null,
    gap === undefined || gap === null ? null : el("p", { class: "faint" }, `Integrated gradients: completeness gap ${gap.toFixed(4)}.`),
  );
}

/** @param {Record<string, unknown>} body @param {any} result */
function show(body, result) {
  const one = result.results[0];
  const calibration = result.calibration ?? "none";
  const verdict = one.abstained
    ? el("p", { class: "notice warn" }, one.in_scope?.decision === false ? "Abstained: the text is out of the classifier's scope." : "Abstained: no label reaches the threshold.")
    : el("p", { class: "verdict" }, el("strong", {}, one.labels.join(", ")), ` ${one.score.toFixed(3)}`);
  fill(
    answer,
    verdict,
    bars(one.scores, one.labels),
    el("p", { class: "faint" }, `Method: ${result.method}. Calibration: ${calibration}${calibration === "none" ? ", so scores order the labels and are no probabilities" : ""}.`),
    one.explanation ? heat(String(body.text), one.explanation) : null,
    strip(result),
  );
  show_snippets(code, "classify", body);
}

/** @param {string} [picked] */
async function list_classifiers(picked = "") {
  fill(chosen, el("option", { value: "" }, "The labels below"));
  try {
    const found = await call("GET", "/v1/classifiers");
    for (const one of found.classifiers) chosen.append(el("option", { value: one.name }, `${one.name} (version ${one.version})`));
  } catch {
    // A person whose application may not classify has none to choose from.
  }
  chosen.value = picked;
  chosen.dispatchEvent(new Event("change"));
}

async function save_as_classifier() {
  const pairs = given_labels();
  if (pairs.length < 2) {
    toast("A classifier needs two labels at least.", "bad");
    return;
  }
  const name = /** @type {HTMLInputElement} */ (el("input", { required: true, pattern: "[A-Za-z0-9][A-Za-z0-9._\\-]{0,99}", placeholder: "support" }));
  const boxes = pairs.map(([label]) => /** @type {HTMLTextAreaElement} */ (el("textarea", { required: true, rows: 3, dataset: { examples: label } })));
  await dialog(
    "Save as classifier",
    [
      el("p", {}, "Two examples of each label at least, one a line; eight or more are better."),
      el("label", {}, "Name", name),
      ...pairs.map(([label], index) => el("label", {}, `Examples of ${label}`, boxes[index])),
    ],
    { go: "Train" },
    async () => {
      const examples = Object.fromEntries(pairs.map(([label], index) => [label, boxes[index].value.split("\n").map((line) => line.trim()).filter(Boolean)]));
      const descriptions = Object.fromEntries(pairs.filter(([, meaning]) => meaning));
      try {
        await call("POST", "/v1/classifiers", { name: name.value, examples, ...(Object.keys(descriptions).length ? { descriptions } : {}) });
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
      await list_classifiers(name.value);
      toast(`${name.value} is trained: it is chosen now.`);
      return null;
    },
  );
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = asked();
  const button = need("button[type=submit]", form);
  button.setAttribute("disabled", "");
  answer.setAttribute("aria-busy", "true");
  try {
    show(body, await call("POST", "/v1/tasks/classify", body));
  } catch (error) {
    toast_error(error);
  } finally {
    button.removeAttribute("disabled");
    answer.removeAttribute("aria-busy");
  }
});
chosen.addEventListener("change", () => need("[data-own-labels]", form).toggleAttribute("hidden", Boolean(chosen.value)));
need("[data-add-label]", form).addEventListener("click", () => add_label().querySelector("input")?.focus());
need("[data-save]", form).addEventListener("click", save_as_classifier);
const menu = need("[data-examples]");
for (const [name, example] of Object.entries(EXAMPLES)) {
  menu.append(
    el("button", { type: "button", class: "button small", onclick: () => {
      text.value = example.text;
      labels.replaceChildren();
      for (const [label, meaning] of example.labels) add_label(label, meaning);
      chosen.value = "";
      chosen.dispatchEvent(new Event("change"));
    } }, name),
  );
}
for (const [label, meaning] of EXAMPLES.Support.labels) add_label(label, meaning);
text.value = EXAMPLES.Support.text;
watch_models(model, ["classify"]);
list_classifiers();
