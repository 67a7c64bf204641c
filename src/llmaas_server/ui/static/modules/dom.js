// Elements from plain values. Text is always text: nothing here reads HTML.

/**
 * @param {string} tag
 * @param {Record<string, unknown>} [attributes] `on…` are listeners, `class`, `dataset`, and true or false for flags
 * @param {...(Node | string | number | null | undefined)} children
 * @returns {HTMLElement}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else if (name === "dataset") Object.assign(element.dataset, value);
    else if (value === true) element.setAttribute(name, "");
    else element.setAttribute(name, String(value));
  }
  append(element, ...children);
  return element;
}

/** @param {Element} parent @param {...(Node | string | number | null | undefined)} children */
export function append(parent, ...children) {
  for (const child of children) {
    if (child === null || child === undefined) continue;
    parent.append(child instanceof Node ? child : String(child));
  }
}

/** @param {Element} parent @param {...(Node | string | number | null | undefined)} children */
export function fill(parent, ...children) {
  parent.replaceChildren();
  append(parent, ...children);
}

/** The one element that a page must have. @param {string} selector @param {ParentNode} [within] @returns {HTMLElement} */
export function need(selector, within = document) {
  const found = within.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`the page has no ${selector}`);
  return found;
}

/** What the server has put into the head of the page. @param {string} name @returns {string} */
export function meta(name) {
  return document.querySelector(`meta[name=${name}]`)?.getAttribute("content") ?? "";
}
