// How fast the server works: what its totals grew by in the last minute, or since the page is open.

import { call } from "./api.js";
import { need } from "./dom.js";

const SECONDS = 2;
const WINDOW = 60;

/** @typedef {{at: number, calls: number, steps: number, read: number, written: number}} Look */

/** The looks of the last minute, the oldest first. @type {Look[]} */
let looks = [];

/** @returns {Promise<Look>} */
async function look() {
  const figures = await call("GET", "/v1/server");
  const now = { at: figures.uptime_seconds, calls: 0, steps: 0, read: 0, written: 0 };
  for (const task of figures.tasks) now.calls += task.calls;
  for (const lane of figures.lanes) {
    now.steps += lane.steps;
    now.read += lane.prefill_tokens;
    now.written += lane.decode_tokens;
  }
  return now;
}

/** Whether a total fell: the server began anew, or a model is gone. @param {Look} before @param {Look} now */
function fell(before, now) {
  return now.at <= before.at || now.calls < before.calls || now.steps < before.steps;
}

/** @param {string} name @param {number} rate */
function show(name, rate) {
  need(`[data-rate=${name}]`).textContent = rate.toFixed(rate && rate < 10 ? 1 : 0);
}

async function keep_up() {
  const now = await look();
  if (looks.length && fell(looks[looks.length - 1], now)) looks = [];
  looks.push(now);
  while (looks[0].at < now.at - WINDOW) looks.shift();
  const first = looks[0];
  const seconds = now.at - first.at;
  if (!seconds) return;
  show("calls", (60 * (now.calls - first.calls)) / seconds);
  show("steps", (now.steps - first.steps) / seconds);
  show("read", (now.read - first.read) / seconds);
  show("written", (now.written - first.written) / seconds);
  need("[data-rate=seconds]").textContent = seconds.toFixed(0);
}

keep_up().catch(() => {});
setInterval(() => {
  if (document.visibilityState === "visible") keep_up().catch(() => { looks = []; });
}, 1000 * SECONDS);
