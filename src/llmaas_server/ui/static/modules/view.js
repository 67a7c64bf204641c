// Where an answer is below what is seen, as on a phone, it is brought into view.

/** @param {HTMLElement} element */
export function into_view(element) {
  const { top } = element.getBoundingClientRect();
  if (top < 0 || top > innerHeight * 0.7) element.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}
