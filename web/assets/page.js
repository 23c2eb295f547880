// What stands around the player: the theme, and the Embed button.

import { copy, flash, keep } from "./player/dom.js";

const dark = matchMedia("(prefers-color-scheme: dark)");

for (const toggle of document.querySelectorAll("[data-toggle=theme]")) {
  toggle.addEventListener("click", () => {
    const root = document.documentElement;
    const isDark = (root.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
    root.dataset.theme = isDark ? "light" : "dark";
    keep("retrace-theme", root.dataset.theme);
    document.dispatchEvent(new Event("themechange"));
  });
}

const dialog = document.getElementById("embed");
if (dialog) {
  const code = dialog.querySelector("textarea");
  const copier = dialog.querySelector("[data-copy]");
  const copyCode = async () => {
    const copied = await copy(code.value);
    flash(copier, copied ? "Copied" : "Press Ctrl+C");
    if (!copied) code.select();
  };
  document.getElementById("embed-button").addEventListener("click", () => {
    dialog.showModal();
    copyCode();
  });
  copier.addEventListener("click", copyCode);
}
