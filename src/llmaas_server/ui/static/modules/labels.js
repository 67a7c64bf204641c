// The editor of labels: a name and what it means in each row, and what is saved from them.

import { call } from "./api.js";
import { dialog } from "./confirm.js";
import { el } from "./dom.js";
import { sentences_of, toast } from "./toast.js";

/** Labels with what they mean, empty where nobody says. @typedef {[string, string][]} Pairs */

export class Labels {
  /** @param {HTMLElement} box @param {() => void} changed hears of rows that come and go */
  constructor(box, changed) {
    this.box = box;
    this.changed = changed;
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing || !(event.target instanceof HTMLInputElement)) return;
      event.preventDefault(); // Enter in a label is the next label, not the end of the form
      this.add().querySelector("input")?.focus();
    });
    box.addEventListener("paste", (event) => this.paste(event));
  }

  /** @param {string} name @param {string} meaning */
  add(name = "", meaning = "") {
    const row = el(
      "div",
      { class: "label-row", dataset: { label: "" } },
      el("input", { "aria-label": "Label", placeholder: "label", maxlength: 200, value: name }),
      el("input", { "aria-label": "What the label means", placeholder: "what it means (may be empty)", maxlength: 1000, value: meaning, title: meaning || null }),
      el("button", { type: "button", class: "quiet", "aria-label": "Remove the label", onclick: () => this.remove(row) }, "✕"),
    );
    this.box.append(row);
    this.changed();
    return row;
  }

  /** @param {HTMLElement} row */
  remove(row) {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    /** @type {HTMLElement | null | undefined} */ (next?.querySelector("button"))?.focus();
    this.changed();
  }

  /** @param {Pairs} pairs */
  replace(pairs) {
    this.box.replaceChildren();
    for (const [name, meaning] of pairs) this.add(name, meaning);
  }

  /** @returns {Pairs} those that have a name */
  get pairs() {
    return [...this.box.querySelectorAll("[data-label]")]
      .map((row) => /** @type {[string, string]} */ ([...row.querySelectorAll("input")].map((input) => input.value.trim())))
      .filter(([name]) => name);
  }

  /** As a request has them: names, or names with what they mean. @returns {string[] | Record<string, string>} */
  get asked() {
    const { pairs } = this;
    const names = pairs.map(([name]) => name);
    // An object would keep one of two equal names: the server says what is wrong with both.
    if (!pairs.some(([, meaning]) => meaning) || new Set(names).size < names.length) return names;
    return Object.fromEntries(pairs.map(([name, meaning]) => [name, meaning || name]));
  }

  /** A list that is pasted becomes rows. @param {ClipboardEvent} event */
  paste(event) {
    const lines = (event.clipboardData?.getData("text") ?? "").split("\n").map((line) => line.trim()).filter(Boolean);
    const row = event.target instanceof Element ? event.target.closest("[data-label]") : null;
    if (lines.length < 2 || !row) return;
    event.preventDefault();
    const empty = [...row.querySelectorAll("input")].every((input) => !input.value);
    for (const line of lines) this.add(...split(line));
    if (empty) row.remove();
    this.changed();
  }
}

/** `label: what it means`, as people write it. @param {string} line @returns {[string, string]} */
function split(line) {
  const at = line.search(/[:\t]/);
  return at < 0 ? [line, ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
}

/** Asks for examples of each label, and trains. @param {Pairs} pairs @param {string} model empty for the default @returns {Promise<string | null>} its name; null where it was not made */
export async function save_as_classifier(pairs, model) {
  if (pairs.length < 2) {
    toast("A classifier needs two labels at least.", "bad");
    return null;
  }
  const name = /** @type {HTMLInputElement} */ (el("input", { required: true, pattern: "[A-Za-z0-9][A-Za-z0-9._\\-]{0,99}", title: "Letters and digits, with . _ - between them", placeholder: "support", autocomplete: "off" }));
  const boxes = pairs.map(([label]) => /** @type {HTMLTextAreaElement} */ (el("textarea", { required: true, rows: 3, dataset: { examples: label } })));
  const lines = (/** @type {HTMLTextAreaElement} */ box) => box.value.split("\n").map((line) => line.trim()).filter(Boolean);
  const content = [
    el("p", {}, "Two examples of each label at least, one a line; eight or more are better."),
    el("label", {}, "Name", name),
    ...pairs.map(([label], index) => el("label", {}, `Examples of ${label}`, boxes[index])),
  ];
  const made = await dialog("Save as classifier", content, { go: "Train" }, async () => {
    const descriptions = Object.fromEntries(pairs.filter(([, meaning]) => meaning));
    const body = {
      name: name.value,
      examples: Object.fromEntries(pairs.map(([label], index) => [label, lines(boxes[index])])),
      ...(Object.keys(descriptions).length ? { descriptions } : {}),
      ...(model ? { model } : {}),
    };
    try {
      await call("POST", "/v1/classifiers", body);
    } catch (error) {
      return sentences_of(error);
    }
    return null;
  });
  return made ? name.value : null;
}
