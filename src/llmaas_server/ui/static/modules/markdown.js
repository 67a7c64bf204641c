// A small markdown: text in, DOM nodes out. Never HTML, never a picture, links to http(s) alone.

import { el } from "./dom.js";

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+-]*)\s*$/;
const HEADING = /^(#{1,6})\s+(.*)$/;
const ITEM = /^(\s*)([-*+]|\d{1,3}[.)])\s+(.*)$/;
const RULE = /^ {0,3}([-*_])(\s*\1){2,}\s*$/;

const INLINE = /(`+)([\s\S]*?[^`])\1(?!`)|!?\[([^\]\n]{0,500})\]\((\S{1,2000}?)\)|(\*\*|__)(?=\S)([\s\S]{1,2000}?\S)\5|(\*|_)(?=\S)([\s\S]{1,2000}?\S)\7(?![\w])|\bhttps?:\/\/[^\s<>"')\]]{1,2000}/;
const LONGEST_INLINE = 20_000;

/** @param {string} text @returns {Node[]} */
export function inline(text) {
  if (text.length > LONGEST_INLINE) return [document.createTextNode(text)];
  const nodes = [];
  let rest = text;
  while (rest) {
    const found = INLINE.exec(rest);
    if (!found) break;
    if (found.index) nodes.push(document.createTextNode(rest.slice(0, found.index)));
    const [all, , coded, label, address, , strong, , soft] = found;
    if (coded !== undefined) nodes.push(el("code", {}, coded.trim()));
    else if (label !== undefined) nodes.push(link(address, label || address));
    else if (strong !== undefined) nodes.push(el("strong", {}, ...inline(strong)));
    else if (soft !== undefined) nodes.push(el("em", {}, ...inline(soft)));
    else nodes.push(link(all, all));
    rest = rest.slice(found.index + all.length);
  }
  if (rest) nodes.push(document.createTextNode(rest));
  return nodes;
}

/** Where a link goes is always to be seen. @param {string} address @param {string} label @returns {Node} */
function link(address, label) {
  if (!/^https?:\/\//i.test(address)) return document.createTextNode(label === address ? label : `${label} (${address})`);
  const anchor = el("a", { href: address, rel: "noopener noreferrer nofollow", target: "_blank" }, label);
  return label === address ? anchor : el("span", {}, anchor, ` (${address})`);
}

/** @param {string} text whole blocks @returns {Node[]} */
export function blocks(text) {
  const lines = text.split("\n");
  const nodes = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    const fence = FENCE.exec(line);
    if (fence) {
      const end = lines.findIndex((one, index) => index > at && one.trim().startsWith(fence[1]) && !one.trim().slice(fence[1].length).trim());
      const until = end < 0 ? lines.length : end;
      nodes.push(el("pre", { tabindex: "0" }, el("code", {}, lines.slice(at + 1, until).join("\n"))));
      at = until + 1;
    } else if (!line.trim()) {
      at += 1;
    } else if (HEADING.test(line)) {
      const [, marks, title] = /** @type {RegExpExecArray} */ (HEADING.exec(line));
      nodes.push(el(`h${Math.min(6, marks.length + 2)}`, {}, ...inline(title)));
      at += 1;
    } else if (RULE.test(line)) {
      nodes.push(el("hr"));
      at += 1;
    } else if (line.startsWith(">")) {
      const end = until_(lines, at, (one) => !one.startsWith(">"));
      nodes.push(el("blockquote", {}, ...blocks(lines.slice(at, end).map((one) => one.replace(/^>\s?/, "")).join("\n"))));
      at = end;
    } else if (ITEM.test(line)) {
      const end = until_(lines, at, (one) => !ITEM.test(one) && !/^\s{2,}\S/.test(one));
      nodes.push(list(lines.slice(at, end)));
      at = end;
    } else {
      const end = until_(lines, at + 1, (one) => !one.trim() || FENCE.test(one) || HEADING.test(one) || ITEM.test(one) || one.startsWith(">"));
      nodes.push(el("p", {}, ...inline(lines.slice(at, end).join("\n"))));
      at = end;
    }
  }
  return nodes;
}

/** @param {string[]} lines @param {number} start @param {(line: string) => boolean} ends */
function until_(lines, start, ends) {
  let at = start;
  while (at < lines.length && !ends(lines[at])) at += 1;
  return at;
}

/** @param {string[]} lines */
function list(lines) {
  const ordered = /\d/.test(/** @type {RegExpExecArray} */ (ITEM.exec(lines[0]))[2]);
  /** @type {string[]} */
  const items = [];
  for (const line of lines) {
    const item = ITEM.exec(line);
    if (item) items.push(item[3]);
    else items[items.length - 1] += `\n${line.trim()}`;
  }
  return el(ordered ? "ol" : "ul", {}, ...items.map((item) => el("li", {}, ...inline(item))));
}

/**
 * Markdown that grows: blocks that are whole are drawn once, and the last one is plain text until
 * it is. Each push costs what is new, however long the answer is.
 */
export class Growing {
  /** @param {HTMLElement} box */
  constructor(box) {
    this.box = box;
    this.tail = "";
    this.node = document.createTextNode("");
    this.last = el("p", { class: "plain" }, this.node);
    box.replaceChildren(this.last);
  }

  /** @param {string} text */
  push(text) {
    this.tail += text;
    const end = whole_until(this.tail);
    if (end > 0) {
      this.last.before(...blocks(this.tail.slice(0, end)));
      this.tail = this.tail.slice(end);
      this.node.data = this.tail;
    } else {
      this.node.appendData(text);
    }
  }
}

/** Where the last block that cannot change any more ends. @param {string} text */
function whole_until(text) {
  let fence = "";
  let at = 0;
  let end = 0;
  for (;;) {
    const next = text.indexOf("\n", at);
    if (next < 0) return end;
    const line = text.slice(at, next);
    const found = FENCE.exec(line);
    at = next + 1;
    if (fence) {
      if (line.trim().startsWith(fence) && !line.trim().slice(fence.length).trim()) {
        fence = "";
        end = at;
      }
    } else if (found) fence = found[1];
    else if (!line.trim()) end = at;
  }
}
