// The page Classify: labels, scores that follow what is typed, and what of the text they rest on.

import { call } from "./api.js";
import { el, fill, need } from "./dom.js";
import { failure } from "./failure.js";
import { Labels, save_as_classifier } from "./labels.js";
import { Picker } from "./models.js";
import { Bars, heat } from "./scores.js";
import { offer_code } from "./snippets.js";
import { strip } from "./strip.js";
import { toast } from "./toast.js";
import { into_view } from "./view.js";

const form = /** @type {HTMLFormElement} */ (need("[data-classify]"));
const text = /** @type {HTMLTextAreaElement} */ (need("[name=text]", form));
const chosen = /** @type {HTMLSelectElement} */ (need("[name=classifier]", form));
const multi = /** @type {HTMLInputElement} */ (need("[name=multi]", form));
const live = /** @type {HTMLInputElement} */ (need("[name=live]", form));
const model = /** @type {HTMLSelectElement} */ (need("[name=model]", form));
const answer = need("[data-answer]");
const picker = new Picker(model, "classify");
const labels = new Labels(need("[data-labels]", form), follow);
const bars = new Bars();

const PAUSE_MS = 400;

/** @type {Record<string, {text: string, labels: [string, string][]}>} */
const EXAMPLES = {
  "News topics": { text: "The midfielder scored twice in the last ten minutes and the crowd went home singing.", labels: [["sport", ""], ["business", ""], ["politics", ""], ["science", ""]] },
  "Sentiment": { text: "A slow start, but the ending is brilliant and I would see it again.", labels: [["positive", ""], ["negative", ""]] },
  "Support": { text: "I was charged twice for the same order.", labels: [["billing", "a problem with a payment, an invoice or a refund"], ["delivery", "a parcel that is late, lost or damaged"], ["account", "signing in, passwords, personal data"]] },
  "Urgency": { text: "The pump in cellar two has stopped and the water is rising.", labels: [["urgent", "somebody must act at once"], ["can wait", "tomorrow is early enough"]] },
};

/** @returns {Record<string, any>} what the form asks for */
function asked() {
  const fields = new FormData(form);
  /** @type {Record<string, any>} */
  const body = { text: text.value };
  if (chosen.value) body.classifier = chosen.value;
  else body.labels = labels.asked;
  if (model.value) body.model = model.value;
  if (multi.checked && !chosen.value) body.multi = true;
  if (fields.get("threshold")) body.threshold = Number(fields.get("threshold"));
  if (fields.get("explain")) body.explain = true;
  return body;
}

/** @param {any} one */
function verdict(one) {
  if (!one.abstained && one.labels.length) return el("p", { class: "verdict" }, el("strong", {}, one.labels.join(", ")), " ", el("span", { class: "faint" }, one.score.toFixed(3)));
  const why = one.in_scope?.decision === false ? "the text is out of the classifier's scope" : "no label reaches the threshold";
  return el("p", { class: "verdict" }, el("span", { class: "badge warn" }, "Abstained"), " ", el("span", { class: "faint" }, `${why}; the best is ${one.scores[0]?.label ?? "none"}`));
}

/** How far scores can be trusted as probabilities. @param {any} result */
function trust({ method, calibration, classifier }) {
  const by = classifier ? el("a", { href: `/console/classifiers/${encodeURIComponent(classifier)}` }, classifier) : method;
  if (calibration === "none") return el("p", { class: "faint" }, el("span", { class: "badge" }, "not calibrated"), " Scores order the labels, and are no probabilities. Decided by ", by, ".");
  return el("p", { class: "faint" }, el("span", { class: "badge good" }, "calibrated"), ` Scores are probabilities, by ${calibration}. Decided by `, by, ".");
}

/** @param {Record<string, any>} body @param {any} result */
function show(body, result) {
  const one = result.results[0];
  bars.show(one.scores, one.labels, body.threshold ?? result.threshold ?? null);
  fill(answer, verdict(one), bars.box, trust(result), one.explanation ? heat(body.text, one.explanation) : null, strip(result));
}

/** @type {AbortController | null} */
let running = null;
let was_asked = false;
let timer = 0;

/** @param {boolean} by_hand else because something was typed */
async function run(by_hand) {
  clearTimeout(timer);
  running?.abort();
  const body = asked();
  const mine = (running = new AbortController());
  const button = need("button[type=submit]", form);
  if (by_hand) button.setAttribute("disabled", "");
  answer.setAttribute("aria-busy", "true");
  try {
    const result = await call("POST", "/v1/tasks/classify", body, { signal: mine.signal });
    if (mine.signal.aborted) return;
    was_asked = true;
    show(body, result);
  } catch (error) {
    if (!mine.signal.aborted) fill(answer, failure(error));
  } finally {
    if (running === mine) answer.removeAttribute("aria-busy");
    if (by_hand) button.removeAttribute("disabled");
  }
  if (!by_hand) return;
  picker.look().catch(() => {}); // it is in memory now
  into_view(answer);
}

/** Scores again a moment after the last change, where there is something to score. */
function follow() {
  clearTimeout(timer);
  const enough = chosen.value || labels.pairs.length >= (multi.checked ? 1 : 2);
  if (live.checked && was_asked && text.value.trim() && enough && form.checkValidity()) timer = setTimeout(() => run(false), PAUSE_MS);
}

/** @param {string} [picked] */
async function list_classifiers(picked = "") {
  fill(chosen, el("option", { value: "" }, "The labels below"));
  try {
    const found = await call("GET", "/v1/classifiers");
    const newest = new Map(found.classifiers.map((/** @type {any} */ one) => [one.name, one]).reverse());
    for (const one of newest.values()) chosen.append(el("option", { value: one.name }, `${one.name} (version ${one.version}, ${one.labels} labels)`));
  } catch {
    // A person whose application may not classify has none to choose from.
  }
  chosen.value = picked;
  chosen.dispatchEvent(new Event("change", { bubbles: true }));
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  run(true);
});
form.addEventListener("input", follow);
form.addEventListener("change", follow);
chosen.addEventListener("change", () => need("[data-own-labels]", form).toggleAttribute("hidden", Boolean(chosen.value)));
need("[data-add-label]", form).addEventListener("click", () => labels.add().querySelector("input")?.focus());
need("[data-save]", form).addEventListener("click", async () => {
  const made = await save_as_classifier(labels.pairs, model.value);
  if (!made) return;
  await list_classifiers(made);
  toast(`${made} is trained: it is chosen now.`);
});
for (const [name, example] of Object.entries(EXAMPLES)) {
  need("[data-examples]").append(
    el("button", { type: "button", class: "button small", onclick: () => {
      text.value = example.text;
      labels.replace(example.labels);
      chosen.value = "";
      chosen.dispatchEvent(new Event("change", { bubbles: true }));
    } }, name),
  );
}
labels.replace(EXAMPLES.Support.labels);
text.value = EXAMPLES.Support.text;
list_classifiers();
offer_code(need("[data-snippets]"), () => (text.value.trim() ? { task: "classify", body: asked(), model: picker.model?.id ?? "" } : null));
