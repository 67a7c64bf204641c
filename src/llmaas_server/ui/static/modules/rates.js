// How fast the server works now: the difference of two looks at its totals.

import { call } from "./api.js";
import { need } from "./dom.js";

const SECONDS = 2;

/** @type {{at: number, calls: number, read: number, written: number} | null} */
let before = null;

async function look() {
  const figures = await call("GET", "/v1/server");
  const now = { at: figures.uptime_seconds, calls: 0, read: 0, written: 0 };
  for (const task of figures.tasks) {
    now.calls += task.calls;
    now.read += task.prompt_tokens - task.cached_tokens;
    now.written += task.completion_tokens;
  }
  if (before && now.at > before.at) {
    const seconds = now.at - before.at;
    need("[data-rate=calls]").textContent = ((60 * (now.calls - before.calls)) / seconds).toFixed(0);
    need("[data-rate=read]").textContent = ((now.read - before.read) / seconds).toFixed(0);
    need("[data-rate=written]").textContent = ((now.written - before.written) / seconds).toFixed(0);
  }
  before = now;
}

look().catch(() => {});
setInterval(() => {
  if (document.visibilityState === "visible") look().catch(() => { before = null; });
}, 1000 * SECONDS);
