// The options of a chat: what is left empty is as the model does it by itself, and shows that.

import { el, fill, need } from "./dom.js";

/** @typedef {import("./models.js").Model} Model */

const NAMES = ["temperature", "top_p", "top_k", "min_p", "repetition_penalty", "max_tokens", "seed"];
const NOTHING = { top_k: "all", seed: "none" };

export class Options {
  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.form = form;
    this.note = need("[data-sampling-note]", form);
    this.reset = need("[data-sampling-reset]", form);
    this.schema = /** @type {HTMLTextAreaElement} */ (need("[name=schema]", form));
    this.wrong = need("[data-schema-wrong]", form);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", () => this.show());
    this.reset.addEventListener("click", () => {
      for (const name of NAMES) this.field(name).value = "";
      this.show();
    });
    this.show();
  }

  /** @param {string} name @returns {HTMLInputElement} */
  field(name) {
    return /** @type {HTMLInputElement} */ (need(`[name=${name}]`, this.form));
  }

  /** Shows what this model does by itself. @param {Model | null} model */
  follow(model) {
    /** @type {Record<string, number | null>} */
    const stated = { ...(model?.sampling ?? {}) };
    for (const name of NAMES) {
      const value = stated[name];
      this.field(name).placeholder = value === null || value === undefined ? (NOTHING[/** @type {keyof typeof NOTHING} */ (name)] ?? "the model's") : String(value);
    }
    if (model) this.field("max_tokens").max = String(model.context);
    if (model?.sampling) fill(this.note, "Empty fields take the values in grey, of ", el("strong", {}, model.id), ".");
    else this.note.textContent = "Empty fields take the model's own values.";
  }

  /** How many of the fields say something of their own. */
  show() {
    const own = NAMES.filter((name) => this.field(name).value || this.field(name).validity.badInput);
    this.reset.toggleAttribute("disabled", own.length === 0);
    for (const name of NAMES) this.field(name).closest("label")?.toggleAttribute("data-own", own.includes(name));
    this.wrong.hidden = true;
  }

  /** @returns {Record<string, unknown> | null} the fields of a request; null where one is wrong */
  read() {
    if (!this.form.checkValidity() || this.flaw()) return null;
    /** @type {Record<string, unknown>} */
    const body = {};
    for (const name of NAMES) if (this.field(name).value) body[name] = Number(this.field(name).value);
    const model = /** @type {HTMLSelectElement} */ (need("[name=model]", this.form)).value;
    if (model) body.model = model;
    const schema = this.schema.value.trim();
    if (schema) body.response_format = { type: "json_schema", schema: JSON.parse(schema) };
    return body;
  }

  /** The same; what is wrong is shown where it is. @returns {Record<string, unknown> | null} */
  ask() {
    const flaw = this.flaw();
    if (flaw) {
      this.wrong.textContent = flaw;
      this.wrong.hidden = false;
      this.schema.closest("details")?.setAttribute("open", "");
      this.schema.focus();
    } else this.form.reportValidity();
    return this.read();
  }

  /** What is wrong with the schema. @returns {string} empty where nothing is */
  flaw() {
    const text = this.schema.value.trim();
    if (!text) return "";
    try {
      const found = JSON.parse(text);
      if (found !== null && typeof found === "object" && !Array.isArray(found)) return "";
      return "The schema is no JSON object: it begins with { and ends with }.";
    } catch (error) {
      return `The schema is no JSON: ${error instanceof Error ? error.message : error}.`;
    }
  }
}
