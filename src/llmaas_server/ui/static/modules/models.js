// The model picker: which models can do a task, and what each is doing.

import { call } from "./api.js";
import { el } from "./dom.js";

const SECONDS = 4;

/** @param {{state: string, progress?: number | null}} model @returns {string} */
export function state_of(model) {
  if (model.state === "resident") return "in memory";
  if (model.state === "loading") return `loading ${Math.round(100 * (model.progress ?? 0))} %`;
  return "on disk";
}

/**
 * Fills a select, and keeps its states current while the page is seen.
 * @param {HTMLSelectElement} select @param {string[]} tasks any of which the model must be able to do
 */
export async function watch_models(select, tasks) {
  const standard = /** @type {HTMLOptionElement} */ (el("option", { value: "" }, "The server's default"));
  select.append(standard);
  /** @type {Map<string, HTMLOptionElement>} */
  const options = new Map();

  async function look() {
    const models = (await call("GET", "/v1/models")).data;
    for (const model of models) {
      if (!model.tasks.some((task) => tasks.includes(task))) continue;
      let option = options.get(model.id);
      if (!option) {
        option = /** @type {HTMLOptionElement} */ (el("option", { value: model.id }));
        options.set(model.id, option);
        select.append(option);
      }
      option.textContent = `${model.id} · ${state_of(model)}`;
      if (model.default_for?.some((task) => tasks.includes(task))) {
        standard.textContent = `Default: ${model.id} · ${state_of(model)}`;
      }
    }
  }

  try {
    await look();
  } catch {
    standard.textContent = "The server's default (the list cannot be read)";
  }
  setInterval(() => {
    if (document.visibilityState === "visible") look().catch(() => {});
  }, 1000 * SECONDS);
}
