// What an answer took: times, tokens, cost, and the id to name it by.

import { el } from "./dom.js";

/** @param {number} ms @returns {string} */
export function seconds(ms) {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

/**
 * @param {{id: string, model: string, usage: any, timing: any, cost: string | null, warnings?: {message: string}[]}} result
 * @returns {HTMLElement}
 */
export function strip(result) {
  const { usage, timing } = result;
  const rate = timing.decode_ms > 0 && usage.completion_tokens > 0 ? usage.completion_tokens / (timing.decode_ms / 1000) : null;
  const figures = [
    ["Queue", seconds(timing.queue_ms)],
    ["Prefill", seconds(timing.prefill_ms)],
    ["Decode", seconds(timing.decode_ms)],
    ["Total", seconds(timing.total_ms)],
    ["Tokens", `${usage.prompt_tokens}${usage.cached_tokens ? ` (${usage.cached_tokens} cached)` : ""} + ${usage.completion_tokens}`],
    ["Tokens/s", rate === null ? "—" : rate.toFixed(1)],
    ["Cost", result.cost ?? "no price set"],
    ["Model", result.model],
  ];
  return el(
    "div",
    { class: "strip" },
    ...(result.warnings ?? []).map((one) => el("p", { class: "notice warn" }, one.message)),
    el("dl", { class: "facts" }, ...figures.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)))),
    el("p", { class: "faint" }, "Request ", el("code", {}, result.id)),
  );
}
