// How the messages of a conversation are drawn.

import { copy_button } from "./copy.js";
import { el } from "./dom.js";
import { blocks } from "./markdown.js";
import { short_strip } from "./strip.js";

/**
 * @typedef {import("./tree.js").Turn} Turn
 * @typedef {{siblings: (turn: Turn) => Turn[], is_last: (turn: Turn) => boolean, choose: (turn: Turn) => void, edit: (turn: Turn) => void, answer: (question: number | null) => void}} Hands
 *   what the buttons of a message do
 */

const ENDED = {
  stopped: "Stopped here.",
  cut: "The answer was cut here.",
  length: "It has as many tokens as it may: raise “Tokens at most” for more.",
};

/** @param {Turn} turn @param {Hands} hands @returns {HTMLElement} */
export function drawn(turn, hands) {
  return el(
    "li",
    { class: "turn", dataset: { role: turn.role } },
    turn.reasoning ? thought(turn.reasoning) : null,
    said(turn),
    turn.ended ? el("p", { class: "faint ended" }, ENDED[turn.ended]) : null,
    turn.result ? short_strip(turn.result) : null,
    tools_of(turn, hands),
  );
}

/** @param {Turn} turn */
function said(turn) {
  if (turn.role === "user") return el("div", { class: "said plain" }, turn.content);
  if (turn.is_json) return el("div", { class: "said" }, el("pre", { tabindex: "0" }, el("code", {}, indented(turn.content))));
  return el("div", { class: "said" }, ...blocks(turn.content));
}

/** @param {string} text @returns {string} */
function indented(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // cut before its end
  }
}

/** @param {string} text */
function thought(text) {
  return el("details", {}, el("summary", { class: "faint" }, "Reasoning"), el("p", { class: "thought" }, text));
}

/** @param {Turn} turn @param {Hands} hands */
function tools_of(turn, hands) {
  const all = hands.siblings(turn);
  const at = all.indexOf(turn);
  /** @param {number} by @param {string} label @param {string} sign */
  const step = (by, label, sign) => quiet(sign, () => hands.choose(all[at + by]), { "aria-label": label, disabled: !all[at + by] });
  return el(
    "div",
    { class: "tools" },
    ...(all.length > 1 ? [step(-1, "The version before", "‹"), el("span", { class: "faint" }, `${at + 1}/${all.length}`), step(1, "The next version", "›")] : []),
    turn.role === "user" ? quiet("Edit", () => hands.edit(turn)) : quiet("Regenerate", () => hands.answer(turn.parent)),
    turn.role === "user" && hands.is_last(turn) ? quiet("Answer", () => hands.answer(turn.id)) : null,
    turn.role === "user" ? null : copy_button(() => turn.content, { class: "quiet", label: "Copy the answer" }),
  );
}

/** @param {string} text @param {() => void} onclick @param {Record<string, unknown>} [more] */
function quiet(text, onclick, more = {}) {
  return el("button", { type: "button", class: "quiet", onclick, ...more }, text);
}

/** An answer on its way: what it will have below is there already, so that nothing jumps. */
export class Coming {
  constructor() {
    this.reasoning = el("p", { class: "thought", hidden: true });
    this.said = el("div", { class: "said" });
    this.place = el("li", { class: "turn", dataset: { role: "assistant" } }, this.reasoning, this.said, el("div", { class: "short-strip" }), el("div", { class: "tools" }));
  }
}
