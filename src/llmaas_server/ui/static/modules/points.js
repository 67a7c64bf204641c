// Spans of the server count characters as Unicode code points; JavaScript counts halves of them.

/** @param {string} text @returns {string[]} one entry a code point */
export function points(text) {
  return Array.from(text);
}

/** @param {string[]} all @param {number} start @param {number} end @returns {string} */
export function cut(all, start, end) {
  return all.slice(start, end).join("");
}
