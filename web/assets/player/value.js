// Any JSON value as a tree that opens on demand, texts as texts, images as images.

import { button, make } from "./dom.js";
import { ExactNumber } from "./steps.js";
import { count, visible } from "./text.js";

const OPEN_UP_TO = 40;
const OPEN_DEPTH = 2;
const CHUNK = 100;
const LONG_TEXT = 1500;
// Pictures that cannot carry a script. They are only ever shown out of the tape, never fetched.
const IMAGE = /^data:image\/(?:png|jpe?g|gif|webp|avif);base64,[A-Za-z0-9+/=\s]+$/;

export function isImage(text) {
  return text.startsWith("data:image/") && IMAGE.test(text);
}

export function image(source) {
  const shown = make("img", "picture");
  shown.src = source;
  shown.alt = "Image in this step";
  shown.decoding = "async";
  return shown;
}

/** A text in full lines; a long one is cut until asked for. */
export function paragraph(text, className = "text") {
  if (isImage(text)) return image(text);
  const block = make("div", className);
  block.dir = "auto";
  if (text.length <= LONG_TEXT) {
    block.textContent = visible(text);
    return block;
  }
  const start = make("span", "", visible(wholeCharacters(text.slice(0, LONG_TEXT))));
  const more = button("more", `Show all ${count(text.length)} characters`, () => block.replaceChildren(visible(text)));
  block.append(start, "… ", more);
  return block;
}

/** `text` without half of a surrogate pair at its end. */
function wholeCharacters(text) {
  return /[\ud800-\udbff]$/.test(text) ? text.slice(0, -1) : text;
}

export function tree(value) {
  if (typeof value === "string") return paragraph(value);
  return make("div", "tree", node(null, value, 0));
}

function isLeaf(value) {
  return value === null || typeof value !== "object" || value instanceof ExactNumber;
}

function node(key, value, depth) {
  if (isLeaf(value)) return make("div", "leaf", label(key), leaf(value));
  const list = Array.isArray(value);
  const entries = list ? value.map((item, i) => [i, item]) : Object.entries(value);
  const size = list ? `[${count(entries.length)}]` : `{${count(entries.length)}}`;
  if (entries.length === 0) return make("div", "leaf", label(key), make("span", "quiet", list ? "[ ]" : "{ }"));
  const branch = make("details", "branch");
  branch.append(make("summary", "", label(key), make("span", "quiet", size)));
  const children = make("div", "children");
  branch.append(children);
  let filled = false;
  const fill = () => {
    if (filled || !branch.open) return;
    filled = true;
    addChunk(children, entries, 0, depth + 1);
  };
  branch.addEventListener("toggle", fill);
  if (depth < OPEN_DEPTH && entries.length <= OPEN_UP_TO) {
    branch.open = true;
    fill();
  }
  return branch;
}

function addChunk(parent, entries, from, depth) {
  for (const [key, value] of entries.slice(from, from + CHUNK)) parent.append(node(key, value, depth));
  const left = entries.length - from - CHUNK;
  if (left <= 0) return;
  const more = button("more", `Show ${count(Math.min(CHUNK, left))} more of ${count(left)}`, () => {
    more.remove();
    addChunk(parent, entries, from + CHUNK, depth);
  });
  parent.append(more);
}

function label(key) {
  if (key === null) return null;
  return make("span", "key", make("bdi", "", visible(String(key))), ": ");
}

function leaf(value) {
  if (value === null) return make("span", "null", "null");
  if (value instanceof ExactNumber) return make("span", "number", value.source);
  if (typeof value !== "string") return make("span", typeof value, String(value));
  if (isImage(value)) return image(value);
  return paragraph(value, "string");
}
