// Conversations of this browser, in its own storage: never on the server.

import { Tree } from "./tree.js";

const KEY = "llmaas-conversations";
const MOST = 50;
const MOST_CHARACTERS = 2_000_000;

/** @returns {{id: string, at: number, tree: any}[]} the newest first */
export function kept() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? found : [];
  } catch {
    return [];
  }
}

/** The oldest are forgotten where there is no room. @param {string} id @param {Tree} tree */
export function keep(id, tree) {
  const others = kept().filter((one) => one.id !== id);
  const all = [{ id, at: Date.now(), tree }, ...others].slice(0, MOST);
  while (all.length > 1 && JSON.stringify(all).length > MOST_CHARACTERS) all.pop();
  try {
    localStorage.setItem(KEY, JSON.stringify(all));
  } catch {
    // The browser has no room: the conversation stays on the page.
  }
}

/** @param {string} id */
export function forget(id) {
  localStorage.setItem(KEY, JSON.stringify(kept().filter((one) => one.id !== id)));
}

/** @param {Tree} tree @returns {string} */
export function as_markdown(tree) {
  return [`# ${tree.title}`, ...tree.path().map((turn) => `## ${turn.role}\n\n${turn.content}`)].join("\n\n");
}
