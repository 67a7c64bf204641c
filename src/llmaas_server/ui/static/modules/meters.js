// Bars that are as full as their data-share says: styles within a page are not allowed.

/** @param {ParentNode} within */
export function fill_meters(within) {
  for (const meter of within.querySelectorAll("[data-share]")) {
    if (meter instanceof HTMLElement) meter.style.width = `${Math.min(100, 100 * Number(meter.dataset.share))}%`;
  }
}
