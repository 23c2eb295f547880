// What changed between two texts, word by word (Myers, 1986), or by lines where they differ too much for that.

import { button, make } from "./dom.js";
import { count, visible } from "./text.js";

const WORDS = /\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu;
const LINES = /[^\n]*\n|[^\n]+$/g;
// Steps of the search: its time and memory grow with their square.
const MOST_EDITS = 700;
const AROUND = 140;

/** `[kind, text]` runs that make `before` into `after`: kind is "same", "gone" or "new". */
export function changes(before, after) {
  return search(before, after, WORDS) ?? search(before, after, LINES) ?? whole(before, after);
}

function whole(before, after) {
  return [["gone", before], ["new", after]].filter(([, text]) => text !== "");
}

function search(before, after, tokens) {
  const a = before.match(tokens) ?? [];
  const b = after.match(tokens) ?? [];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < Math.min(a.length, b.length) - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  const middle = edits(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  if (middle === null) return null;
  return joined([["same", a.slice(0, head)], ...middle, ["same", a.slice(a.length - tail)]]);
}

/** The shortest edit script of two lists, or null beyond MOST_EDITS. */
function edits(a, b) {
  const most = Math.min(MOST_EDITS, a.length + b.length);
  const reach = new Int32Array(2 * most + 3);
  const middle = most + 1;
  const history = [];
  for (let d = 0; d <= most; d++) {
    history.push(reach.slice(middle - d - 1, middle + d + 2));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && reach[middle + k - 1] < reach[middle + k + 1]);
      let x = down ? reach[middle + k + 1] : reach[middle + k - 1] + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      reach[middle + k] = x;
      if (x >= a.length && x - k >= b.length) return path(a, b, history);
    }
  }
  return null;
}

/** Walks the search back from its end. */
function path(a, b, history) {
  const runs = [];
  let x = a.length;
  let y = b.length;
  for (let d = history.length - 1; d >= 0; d--) {
    const at = (k) => history[d][k + d + 1];
    const k = x - y;
    const down = k === -d || (k !== d && at(k - 1) < at(k + 1));
    const fromX = d === 0 ? 0 : at(down ? k + 1 : k - 1);
    const fromY = d === 0 ? 0 : fromX - (down ? k + 1 : k - 1);
    const start = d === 0 ? 0 : down ? fromX : fromX + 1;
    if (x > start) runs.push(["same", a.slice(start, x)]);
    if (d > 0) runs.push(down ? ["new", [b[fromY]]] : ["gone", [a[fromX]]]);
    x = fromX;
    y = fromY;
  }
  return runs.reverse();
}

/** Neighbouring runs joined; white space alone between two changes belongs to both. */
function joined(runs) {
  const out = [];
  let gone = "";
  let fresh = "";
  const close = () => {
    if (gone !== "") out.push(["gone", gone]);
    if (fresh !== "") out.push(["new", fresh]);
    gone = fresh = "";
  };
  const kept = merged(runs);
  kept.forEach(([kind, text], i) => {
    const between = kind === "same" && i > 0 && i + 1 < kept.length && /^\s+$/.test(text) && !text.includes("\n");
    if (between && (gone !== "" || fresh !== "")) {
      gone += text;
      fresh += text;
    } else if (kind === "gone") gone += text;
    else if (kind === "new") fresh += text;
    else {
      close();
      out.push([kind, text]);
    }
  });
  close();
  return out;
}

function merged(runs) {
  const out = [];
  for (const [kind, tokens] of runs) {
    if (tokens.length === 0) continue;
    const last = out.at(-1);
    if (last?.[0] === kind) last[1] += tokens.join("");
    else out.push([kind, tokens.join("")]);
  }
  return out;
}

export function showChanges(before, after) {
  if (before === after) return make("p", "quiet", "The same prompt as in the model call before.");
  const block = make("div", "diff text");
  block.dir = "auto";
  const runs = changes(before, after);
  runs.forEach(([kind, text], i) => {
    if (kind === "same") block.append(...context(text, i === 0, i === runs.length - 1));
    else block.append(make(kind === "gone" ? "del" : "ins", "", visible(text)));
  });
  return block;
}

/** Unchanged text, its middle folded where it is long. */
function context(text, first, last) {
  const head = first ? 0 : AROUND;
  const tail = last ? 0 : AROUND;
  const folded = text.length - head - tail;
  if (folded < AROUND) return [visible(text)];
  const fold = button("more", `${count(folded)} unchanged characters`, () => {
    fold.replaceWith(visible(text.slice(head, text.length - tail)));
  });
  return [visible(text.slice(0, head)), fold, visible(text.slice(text.length - tail))];
}
