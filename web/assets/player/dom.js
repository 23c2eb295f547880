// Elements are made here and nowhere else, always with text and never from markup.

/** An element of `tag`, its class, and children that are elements or strings. */
export function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function button(className, label, onClick) {
  const element = make("button", className, label);
  element.type = "button";
  element.addEventListener("click", onClick);
  return element;
}

/** What a browser keeps for this site; `fallback` where it keeps nothing, as in some frames. */
export function kept(key, fallback) {
  try {
    return localStorage.getItem(key) ?? fallback;
  } catch {
    return fallback;
  }
}

export function keep(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Not kept: the choice holds for this page.
  }
}

/** Copies `text`; false where the browser refuses. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Says `words` in place of a button's label for a moment. */
export function flash(element, words) {
  const label = element.querySelector("[data-label]") ?? element;
  label.dataset.words ??= label.textContent;
  label.textContent = words;
  clearTimeout(element.flashing);
  element.flashing = setTimeout(() => (label.textContent = label.dataset.words), 1600);
}
