// A conversation with branches: every message knows the one before it.

/**
 * @typedef {{id: number, parent: number | null, role: string, content: string, reasoning?: string, result?: any, is_json?: boolean, ended?: "stopped" | "cut" | "length"}} Turn
 */

export class Tree {
  /** @param {{turns?: Turn[], leaf?: number | null, title?: string, system?: string}} [kept] */
  constructor(kept = {}) {
    /** @type {Turn[]} */
    this.turns = kept.turns ?? [];
    /** @type {number | null} */
    this.leaf = kept.leaf ?? null;
    this.title = kept.title ?? "";
    this.system = kept.system ?? "";
  }

  /** @param {number | null} id @returns {Turn | undefined} */
  get(id) {
    return this.turns.find((turn) => turn.id === id);
  }

  /** @param {number | null} parent @param {string} role @param {string} content @returns {Turn} the new leaf */
  add(parent, role, content) {
    const turn = { id: 1 + Math.max(0, ...this.turns.map((one) => one.id)), parent, role, content };
    this.turns.push(turn);
    this.leaf = turn.id;
    if (role === "user" && !this.title) this.title = content.slice(0, 60);
    return turn;
  }

  /** @returns {Turn[]} from the first message to the leaf */
  path() {
    const found = [];
    for (let turn = this.get(this.leaf); turn; turn = this.get(turn.parent)) found.unshift(turn);
    return found;
  }

  /** @param {Turn} turn @returns {Turn[]} the other versions of a message, it among them */
  siblings(turn) {
    return this.turns.filter((one) => one.parent === turn.parent && one.role === turn.role);
  }

  /** Shows another version, and what followed it last. @param {Turn} turn */
  choose(turn) {
    let leaf = turn;
    for (;;) {
      const next = this.turns.filter((one) => one.parent === leaf.id).at(-1);
      if (!next) break;
      leaf = next;
    }
    this.leaf = leaf.id;
  }

  /** @param {number | null} until the last message to send @returns {{role: string, content: string}[]} */
  messages(until) {
    const sent = this.system.trim() ? [{ role: "system", content: this.system }] : [];
    const before = new Tree({ turns: this.turns, leaf: until }).path();
    return [...sent, ...before.map(({ role, content }) => ({ role, content }))];
  }
}
