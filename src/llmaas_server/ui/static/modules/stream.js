// Server-sent events of a task, one by one.

import { ApiError, send } from "./api.js";

/**
 * @param {string} path @param {Record<string, unknown>} body @param {AbortSignal} signal
 * @returns {AsyncGenerator<{event: string, data: any}>} ends with `done`; an `error` is raised
 */
export async function* events(path, body, signal) {
  const response = await send("POST", path, { ...body, stream: true }, { signal, headers: { accept: "text/event-stream" } });
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  const decoder = new TextDecoder();
  let buffer = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      buffer += done ? decoder.decode() : decoder.decode(value, { stream: true });
      let end;
      while ((end = buffer.indexOf("\n\n")) >= 0) {
        const found = parse(buffer.slice(0, end));
        buffer = buffer.slice(end + 2);
        if (found === null) continue;
        if (found.event === "error") throw new ApiError(found.data.error);
        yield found;
        if (found.event === "done") return;
      }
      if (done) throw new ApiError({ code: "stream_interrupted", message: "the answer was cut", hint: "Send it again." });
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** @param {string} block @returns {{event: string, data: any} | null} null for a comment */
function parse(block) {
  let event = "message";
  const data = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("event: ")) event = line.slice(7);
    else if (line.startsWith("data: ")) data.push(line.slice(6));
  }
  return data.length ? { event, data: JSON.parse(data.join("\n")) } : null;
}
