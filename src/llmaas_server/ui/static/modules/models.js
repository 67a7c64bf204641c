// The model picker: which models can do a task, and what each is doing.

import { call } from "./api.js";
import { el, fill } from "./dom.js";

const SECONDS = 4;
const SECONDS_WHILE_LOADING = 1;

/**
 * @typedef {{max_tokens: number, temperature: number, top_p: number, top_k: number | null, min_p: number, repetition_penalty: number}} Sampling
 * @typedef {{id: string, state: string, progress?: number | null, tasks: string[], default_for: string[], context: number, kernels?: string | null, sampling?: Sampling | null}} Model
 */

/** @param {Model} model @returns {string} */
function state_of(model) {
  if (model.state === "resident") return "in memory";
  if (model.state === "loading") return `loading ${Math.round(100 * (model.progress ?? 0))} %`;
  return "on disk";
}

/** The state once more, below the select, where there is room to say it. @param {Model} model */
function told(model) {
  if (model.state === "loading") {
    const bar = el("span");
    const share = Math.round(100 * (model.progress ?? 0));
    bar.style.width = `${share}%`;
    return [el("span", { class: "badge warn" }, `loading ${share} %`), el("span", { class: "meter", role: "img", "aria-label": `${share} % is loaded` }, bar)];
  }
  if (model.state === "resident") return [el("span", { class: "badge good" }, "in memory"), model.kernels ?? ""];
  return [el("span", { class: "badge" }, "on disk"), "The first request loads it."];
}

/** A select that keeps the states of models current while the page is seen. */
export class Picker {
  /**
   * @param {HTMLSelectElement} select @param {string} task that the model must be able to do
   * @param {(model: Model | null) => void} [seen] hears of the model that is chosen, whenever it changes
   */
  constructor(select, task, seen = () => {}) {
    this.select = select;
    this.task = task;
    this.seen = seen;
    /** @type {Map<string, Model>} */
    this.models = new Map();
    /** @type {Map<string, HTMLOptionElement>} */
    this.options = new Map();
    this.standard = /** @type {HTMLOptionElement} */ (el("option", { value: "" }, "The server's default"));
    this.state = el("p", { class: "model-state faint" });
    select.append(this.standard);
    (select.closest("label") ?? select).after(this.state);
    select.addEventListener("change", () => this.tell());
    this.watch();
  }

  /** The model that a request would get: the one that is chosen, or the default. @returns {Model | null} */
  get model() {
    if (this.select.value) return this.models.get(this.select.value) ?? null;
    return [...this.models.values()].find((model) => model.default_for.includes(this.task)) ?? null;
  }

  tell() {
    const { model } = this;
    fill(this.state, ...(model ? told(model) : []));
    this.seen(model);
  }

  /** Reads the states now. */
  async look() {
    /** @type {Model[]} */
    const all = (await call("GET", "/v1/models")).data;
    const models = all.filter((model) => model.tasks.includes(this.task));
    this.models = new Map(models.map((model) => [model.id, model]));
    for (const [id, option] of this.options) {
      if (this.models.has(id)) continue;
      option.remove();
      this.options.delete(id);
    }
    for (const model of models) {
      let option = this.options.get(model.id);
      if (!option) {
        option = /** @type {HTMLOptionElement} */ (el("option", { value: model.id }));
        this.options.set(model.id, option);
        this.select.append(option);
      }
      write(option, `${model.id} · ${state_of(model)}`);
      if (model.default_for.includes(this.task)) write(this.standard, `Default: ${model.id} · ${state_of(model)}`);
    }
    this.tell();
  }

  async watch() {
    try {
      if (document.visibilityState === "visible") await this.look();
    } catch {
      if (!this.models.size) write(this.standard, "The server's default (the list cannot be read)");
    }
    const loading = [...this.models.values()].some((model) => model.state === "loading");
    setTimeout(() => this.watch(), 1000 * (loading ? SECONDS_WHILE_LOADING : SECONDS));
  }
}

/** An open list jumps where its text is written anew. @param {HTMLOptionElement} option @param {string} text */
function write(option, text) {
  if (option.textContent !== text) option.textContent = text;
}
