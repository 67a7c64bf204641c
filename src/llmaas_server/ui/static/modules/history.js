// Conversations of this browser, in its own storage: never on the server.

import * as stored from "./stored.js";
import { Tree } from "./tree.js";

const KEY = "llmaas-conversations";
const MOST = 50;
const MOST_CHARACTERS = 2_000_000;

/** @returns {{id: string, at: number, tree: any}[]} the newest first */
export function kept() {
  try {
    const found = JSON.parse(stored.kept(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter((one) => typeof one?.id === "string" && Array.isArray(one.tree?.turns)) : [];
  } catch {
    return [];
  }
}

/**
 * The oldest are forgotten where there is no room.
 * @param {string} id @param {Tree} tree @returns {boolean} whether this one is kept now
 */
export function keep(id, tree) {
  const others = kept().filter((one) => one.id !== id);
  const all = [{ id, at: Date.now(), tree }, ...others].slice(0, MOST);
  while (all.length > 1 && JSON.stringify(all).length > MOST_CHARACTERS) all.pop();
  while (!stored.keep(KEY, JSON.stringify(all))) {
    if (all.length === 1) return false;
    all.pop();
  }
  return true;
}

/** @param {string} id */
export function forget(id) {
  stored.keep(KEY, JSON.stringify(kept().filter((one) => one.id !== id)));
}

/** @param {Tree} tree @returns {string} */
export function as_markdown(tree) {
  const system = tree.system.trim() ? [`## system\n\n${tree.system}`] : [];
  const turns = tree.path().map((turn) => `## ${turn.role}\n\n${turn.content}`);
  return `${[`# ${tree.title || "Conversation"}`, ...system, ...turns].join("\n\n")}\n`;
}
