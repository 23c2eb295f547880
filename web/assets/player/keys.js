// Keys. Those without a modifier can be switched off, since they may be in the way of speech input and of readers.

import { keep, kept } from "./dom.js";

const SWITCH = "retrace-keys";

/** Listens for the whole page; `acts` maps a key to what it does. */
export function listenForKeys(acts, toggle) {
  toggle.checked = kept(SWITCH, "on") === "on";
  toggle.addEventListener("change", () => keep(SWITCH, toggle.checked ? "on" : "off"));
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !toggle.checked) return;
    const at = event.target;
    if (at.closest("input, textarea, select, dialog")) return;
    // These keys already mean something on what has the focus.
    if ((event.key === " " || event.key === "Enter") && at.closest("button, a, summary")) return;
    if ((event.key === "Home" || event.key === "End") && at.closest(".detail")) return;
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}
