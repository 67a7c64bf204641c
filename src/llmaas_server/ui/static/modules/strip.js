// What an answer took: times, tokens, cost, and the id to name it by.

import { el } from "./dom.js";

/**
 * @typedef {{id: string, model: string, usage: any, timing: any, cost: string | null, warnings?: {message: string}[]}} Result
 */

/** @param {number} ms @returns {string} */
function seconds(ms) {
  return ms < 1000 ? `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

/** @param {Result} result @returns {[string, string][]} */
function figures_of({ usage, timing, cost, model }) {
  const rate = timing.decode_ms > 0 && usage.completion_tokens > 0 ? usage.completion_tokens / (timing.decode_ms / 1000) : null;
  return [
    ["Queue", seconds(timing.queue_ms)],
    ["Prefill", seconds(timing.prefill_ms)],
    ["Decode", seconds(timing.decode_ms)],
    ["Total", seconds(timing.total_ms)],
    ["Tokens", `${usage.prompt_tokens}${usage.cached_tokens ? ` (${usage.cached_tokens} cached)` : ""} + ${usage.completion_tokens}`],
    ["Tokens/s", rate === null ? "—" : rate.toFixed(1)],
    ["Cost", cost ?? "no price set"],
    ["Model", model],
  ];
}

/** How the time was spent, as one bar. @param {any} timing @returns {HTMLElement | null} */
function spent({ queue_ms, prefill_ms, decode_ms, total_ms }) {
  if (!(total_ms > 0)) return null;
  const parts = Object.entries({ queue: queue_ms, prefill: prefill_ms, decode: decode_ms });
  const bar = el("div", { class: "spent", role: "img", "aria-label": parts.map(([name, ms]) => `${name} ${seconds(ms)}`).join(", ") });
  for (const [name, ms] of parts) {
    const part = el("span", { class: name });
    part.style.width = `${Math.min(100, (100 * ms) / total_ms)}%`;
    bar.append(part);
  }
  return bar;
}

/** @param {Result} result @returns {HTMLElement} */
export function strip(result) {
  return el(
    "div",
    { class: "strip" },
    ...(result.warnings ?? []).map((one) => el("p", { class: "notice warn" }, one.message)),
    spent(result.timing),
    el("dl", { class: "facts" }, ...figures_of(result).map(([name, value]) => el("div", {}, el("dt", { class: name.toLowerCase() }, name), el("dd", {}, value)))),
    el("p", { class: "faint" }, "Request ", el("code", {}, result.id)),
  );
}

/** The same on one line, for a message among others. @param {Result} result @returns {HTMLElement} */
export function short_strip(result) {
  const said = figures_of(result).filter(([name]) => name !== "Total" && name !== "Model").map(([name, value]) => el("span", {}, `${name} `, el("b", {}, value)));
  return el(
    "div",
    { class: "short-strip faint" },
    ...(result.warnings ?? []).map((one) => el("p", { class: "notice warn" }, one.message)),
    ...said,
    el("span", {}, "Request ", el("code", {}, result.id)),
  );
}
