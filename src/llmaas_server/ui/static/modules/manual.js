// The page of the API: find an address, open what a link leads to, copy a sample.

import { copy_button } from "./copy.js";
import { need } from "./dom.js";

const search = /** @type {HTMLInputElement} */ (need("[data-filter]"));
const operations = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[data-operation]")]);
const groups = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[data-group]")]);

function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const operation of operations) {
    const said = (operation.dataset.operation ?? "").toLowerCase();
    operation.hidden = !words.every((word) => said.includes(word));
    if (!operation.hidden) shown += 1;
  }
  for (const group of groups) group.hidden = !group.querySelector("[data-operation]:not([hidden])");
  need("[data-found]").textContent = words.length ? `${shown} of ${operations.length} addresses` : "";
}

/** What a link leads to may be closed, or hidden by the filter. */
function open_target() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  if (target.closest("[hidden]") || target.hidden) {
    search.value = "";
    filter();
  }
  if (target instanceof HTMLDetailsElement) target.open = true;
  target.scrollIntoView();
}

for (const place of document.querySelectorAll("[data-copy]")) {
  const code = place.closest("figure")?.querySelector("code");
  if (code) place.append(copy_button(() => code.textContent ?? ""));
}
need("[data-filter-row]").hidden = false;
search.addEventListener("input", filter);
window.addEventListener("hashchange", open_target);
open_target();
