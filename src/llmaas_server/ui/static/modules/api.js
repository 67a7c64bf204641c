// Calls of the server's own API, as the person who is signed in.

import { ask_password } from "./confirm.js";
import { meta } from "./dom.js";

/** What went wrong, as the server says it. */
export class ApiError extends Error {
  /** @param {{code: string, message: string, hint?: string | null, param?: string | null, request_id?: string | null}} error */
  constructor(error) {
    super(error.message);
    this.code = error.code;
    this.hint = error.hint ?? "";
    this.param = error.param ?? null;
    this.request_id = error.request_id ?? null;
  }
}

/**
 * A request with a value as JSON, or a file; asks for the password and sends it again where the
 * server wants that.
 * @param {string} method @param {string} path @param {unknown} [body] @param {{signal?: AbortSignal, headers?: Record<string, string>}} [options]
 * @returns {Promise<Response>} one that went well
 */
export async function send(method, path, body, options = {}) {
  const response = await raw(method, path, body, options);
  if (response.ok) return response;
  const error = await error_of(response);
  if (error.code === "not_allowed" && error.param === "password" && (await ask_password())) {
    const again = await raw(method, path, body, options);
    if (again.ok) return again;
    throw await error_of(again);
  }
  throw error;
}

/**
 * A request and the JSON of its answer.
 * @param {string} method @param {string} path @param {unknown} [body] @param {{signal?: AbortSignal, headers?: Record<string, string>}} [options]
 * @returns {Promise<any>}
 */
export async function call(method, path, body, options = {}) {
  return (await send(method, path, body, options)).json();
}

/** @param {Response} response @returns {Promise<ApiError>} */
async function error_of(response) {
  try {
    const told = (await response.json()).error;
    if (told?.message) return new ApiError(told);
  } catch {
    // Not JSON: something between us and the server has answered.
  }
  return new ApiError({ code: "unexpected_response", message: `the server answered ${response.status}`, hint: "Load the page again." });
}

/** @param {string} method @param {string} path @param {unknown} body @param {{signal?: AbortSignal, headers?: Record<string, string>}} options */
async function raw(method, path, body, options) {
  const headers = { accept: "application/json", "x-csrf-token": meta("csrf-token"), ...options.headers };
  const is_file = body instanceof Blob;
  if (body !== undefined && !is_file) headers["content-type"] = "application/json";
  try {
    return await fetch(path, {
      method,
      headers,
      body: body === undefined || is_file ? body : JSON.stringify(body),
      signal: options.signal,
      credentials: "same-origin",
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError({ code: "connection_failed", message: "the server does not answer", hint: "Is it running? Start it with: llmaas serve" });
  }
}
