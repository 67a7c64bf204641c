// Parts of a page that keep themselves current: <section id="…" data-live>.
//
// The page is asked for again, and what the server has drawn anew takes the place of the old.

import { fill_meters } from "./meters.js";

const SECONDS = 2;

/** What the person is at, so that it can be found again; null is what cannot be. @param {Element | null} element @returns {string | null} */
function known_by(element) {
  if (!(element instanceof HTMLElement)) return null;
  if (element.id) return `#${CSS.escape(element.id)}`;
  const { path, method } = element.dataset;
  return path ? `[data-path="${CSS.escape(path)}"][data-method="${CSS.escape(method ?? "")}"]` : null;
}

/** Whether somebody is in the middle of something there. @param {Element} region @returns {boolean} */
function is_in_hand(region) {
  const active = document.activeElement;
  if (document.querySelector("dialog[open]")) return true;
  if (!active || !region.contains(active)) return false;
  return active !== region && known_by(active) === null;
}

async function look() {
  const response = await fetch(location.href, { headers: { accept: "text/html" }, credentials: "same-origin", redirect: "manual" });
  if (!response.ok) return; // signed out, or the server is away: what is there stays
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const region of document.querySelectorAll("[data-live]")) {
    const drawn = fresh.getElementById(region.id);
    if (!drawn || drawn.innerHTML === region.getAttribute("data-drawn") || is_in_hand(region)) continue;
    const at = region.contains(document.activeElement) ? known_by(document.activeElement) : null;
    region.setAttribute("data-drawn", drawn.innerHTML);
    region.replaceChildren(...drawn.childNodes);
    fill_meters(region);
    if (at) /** @type {HTMLElement | null} */ (region.querySelector(at))?.focus();
  }
}

setInterval(() => {
  if (document.visibilityState === "visible") look().catch(() => {}); // the next look may go well
}, 1000 * SECONDS);
