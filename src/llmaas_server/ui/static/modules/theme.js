// Light or dark: as the system is, until somebody says otherwise on this browser.

import { keep, kept } from "./stored.js";

const KEY = "llmaas-theme";
const root = document.documentElement;

/** @returns {"light" | "dark"} what is shown now */
function shown() {
  const chosen = root.dataset.theme;
  if (chosen === "light" || chosen === "dark") return chosen;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

const before = kept(KEY);
if (before === "light" || before === "dark") root.dataset.theme = before;

for (const button of document.querySelectorAll("[data-theme-switch]")) {
  button.addEventListener("click", () => {
    const next = shown() === "dark" ? "light" : "dark";
    root.dataset.theme = next;
    keep(KEY, next);
  });
}
