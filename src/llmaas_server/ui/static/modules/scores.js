// Scores as bars that move when they change, and what of a text a label rests on.

import { append, el, fill } from "./dom.js";
import { cut, points } from "./points.js";

const MOST = 50;

/** A list of bars: each label keeps its bar, so that a new score is a movement. */
export class Bars {
  constructor() {
    this.list = el("ol", { class: "bars" });
    this.more = el("p", { class: "faint", hidden: true });
    this.box = el("div", {}, this.list, this.more);
    /** @type {Map<string, {row: HTMLElement, meter: HTMLElement, bar: HTMLElement, value: HTMLElement}>} */
    this.known = new Map();
  }

  /** @param {{label: string, score: number}[]} scores best first @param {string[]} holding labels that hold @param {number | null} threshold */
  show(scores, holding, threshold) {
    const shown = scores.slice(0, MOST);
    for (const [label, { row }] of this.known) {
      if (shown.some((one) => one.label === label)) continue;
      row.remove();
      this.known.delete(label);
    }
    for (const { label, score } of shown) {
      const { row, meter, bar, value } = this.known.get(label) ?? this.add(label);
      this.list.append(row);
      row.className = holding.includes(label) ? "holds" : "";
      bar.style.width = `${Math.max(0, Math.min(1, score)) * 100}%`;
      meter.setAttribute("aria-label", `${label}: ${score.toFixed(3)}`);
      meter.querySelector(".limit")?.remove();
      if (threshold !== null) meter.append(limit_of(threshold));
      value.textContent = score.toFixed(3);
    }
    this.more.hidden = scores.length <= MOST;
    this.more.textContent = `and ${scores.length - MOST} labels with lower scores`;
  }

  /** @param {string} label */
  add(label) {
    const bar = el("span", { class: "bar-fill" });
    const meter = el("span", { class: "meter", role: "img" }, bar);
    const value = el("span", { class: "bar-value" });
    const one = { row: el("li", {}, el("span", { class: "bar-name" }, label), meter, value), meter, bar, value };
    this.known.set(label, one);
    return one;
  }
}

/** Where abstaining ends. @param {number} threshold */
function limit_of(threshold) {
  const limit = el("span", { class: "limit", title: `abstains below ${threshold}` });
  limit.style.left = `${100 * Math.min(1, threshold)}%`;
  return limit;
}

/** What words say for a label and against it. @param {string} whole @param {any} explanation @returns {HTMLElement} */
export function heat(whole, explanation) {
  const all = points(whole);
  const { words } = explanation;
  const most = Math.max(...words.map((/** @type {any} */ word) => Math.abs(word.score)), 1e-9);
  const box = el("p", { class: "heat" });
  let at = 0;
  for (const word of words) {
    append(box, cut(all, at, word.start));
    const mark = el("mark", { title: signed(word.score) }, cut(all, word.start, word.end));
    mark.style.setProperty("--share", String(Math.abs(word.score) / most));
    mark.dataset.side = word.score >= 0 ? "for" : "against";
    box.append(mark);
    at = word.end;
  }
  append(box, cut(all, at, all.length));
  const section = el("section", { class: "rests" }, el("h3", {}, `What “${explanation.label}” rests on`), box, legend(), ...notes(explanation), as_table(all, words));
  return section;
}

function legend() {
  const sides = [el("span", {}, el("span", { class: "swatch" }), "for the label"), el("span", {}, el("span", { class: "swatch against" }), "against it")];
  return el("p", { class: "faint legend" }, ...sides, el("span", {}, "by what its score loses without the word"));
}

/** @param {any} explanation */
function notes({ words, word_count, flip, gradients }) {
  const gap = gradients?.completeness_gap;
  return [
    words.length < word_count ? el("p", { class: "faint" }, `The text has ${word_count} words: neighbours were grouped.`) : null,
    flip ? el("p", {}, "Without ", el("strong", {}, flip.removed.map((/** @type {any} */ span) => `“${span.text}”`).join(", ")), ` it would be “${flip.label ?? "none"}” (${flip.score.toFixed(3)}).`) : null,
    gap === undefined || gap === null ? null : el("p", { class: "faint" }, `Integrated gradients: completeness gap ${gap.toFixed(4)}.`),
  ];
}

/** For those who do not see colours, or want the numbers. @param {string[]} all @param {any[]} words */
function as_table(all, words) {
  const rows = [...words].sort((a, b) => Math.abs(b.score) - Math.abs(a.score)).map((word) => el("tr", {}, el("td", {}, cut(all, word.start, word.end)), el("td", { class: "number" }, signed(word.score))));
  const body = el("tbody");
  fill(body, ...rows);
  const head = el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Word"), el("th", { scope: "col", class: "number" }, "Share of the score")));
  return el("details", { class: "fold" }, el("summary", {}, "As a table, the weightiest first"), el("table", {}, head, body));
}

/** @param {number} score */
function signed(score) {
  return `${score >= 0 ? "+" : "−"}${Math.abs(score).toFixed(4)}`;
}
