// The list of steps. Only the rows in view exist, so that ten thousand cost as much as ten.

import { make } from "./dom.js";
import { duration, typeLabel, visible } from "./text.js";

// As high as `.row` in player.css.
const ROW_PX = 36;
const SPARE_ROWS = 4;
const INDENT_PX = 14;
const DEEPEST_INDENT = 8;
// Whoever scrolls is left alone for so long.
const HANDS_OFF_MS = 4000;

export class List {
  constructor(root, outline, onPick) {
    Object.assign(this, { root, outline, onPick, rows: [], current: -1, touched: -HANDS_OFF_MS, height: 0 });
    this.sheet = make("div", "sheet");
    this.sheet.setAttribute("role", "presentation");
    this.sheet.style.height = `${outline.n * ROW_PX}px`;
    root.replaceChildren(this.sheet);
    root.addEventListener("scroll", () => this.lay(), { passive: true });
    for (const kind of ["wheel", "touchmove", "pointerdown"]) {
      root.addEventListener(kind, () => (this.touched = performance.now()), { passive: true });
    }
    root.addEventListener("click", (event) => {
      const row = event.target.closest(".row");
      if (row) onPick(row.step);
    });
    new ResizeObserver(() => {
      this.height = root.clientHeight;
      this.makeRows();
      this.lay();
    }).observe(root);
  }

  makeRows() {
    const wanted = Math.min(this.outline.n, Math.ceil(this.height / ROW_PX) + 2 * SPARE_ROWS);
    while (this.rows.length < wanted) {
      const row = emptyRow();
      this.rows.push(row);
      this.sheet.append(row);
    }
    // Rows are told apart by step modulo their number, which has just changed.
    for (const row of this.rows) row.step = -1;
  }

  lay() {
    const first = Math.max(0, Math.floor(this.root.scrollTop / ROW_PX) - SPARE_ROWS);
    const beyond = Math.min(this.outline.n, first + this.rows.length);
    for (let i = Math.max(0, beyond - this.rows.length); i < beyond; i++) {
      const row = this.rows[i % this.rows.length];
      if (row.step !== i) this.fill(row, i);
    }
  }

  fill(row, i) {
    const { outline } = this;
    row.step = i;
    row.id = `step-${i + 1}`;
    row.setAttribute("aria-posinset", String(i + 1));
    row.setAttribute("aria-setsize", String(outline.n));
    row.style.transform = `translateY(${i * ROW_PX}px)`;
    row.dataset.type = outline.typeName(i);
    row.classList.toggle("failed", outline.failed(i));
    const { indent, type, name, model, took } = row.parts;
    type.textContent = `${typeLabel(outline.typeName(i))}: `;
    indent.style.width = `${Math.min(DEEPEST_INDENT, outline.depth[i]) * INDENT_PX}px`;
    name.textContent = visible(outline.name(i)) || typeLabel(outline.typeName(i));
    model.textContent = visible(outline.model(i) ?? "");
    took.textContent = outline.took[i] < 0 ? "–" : duration(outline.took[i]);
    mark(row, i === this.current);
  }

  /** Marks the current step, and shows it unless somebody is scrolling. */
  select(i, chosen) {
    const before = this.current;
    this.current = i;
    if (chosen) this.touched = -HANDS_OFF_MS;
    if (performance.now() - this.touched > HANDS_OFF_MS) this.reveal(i);
    this.lay();
    for (const row of this.rows) if (row.step === before || row.step === i) mark(row, row.step === i);
    this.root.setAttribute("aria-activedescendant", `step-${i + 1}`);
  }

  reveal(i) {
    const top = i * ROW_PX - this.root.scrollTop;
    if (top >= ROW_PX && top <= this.height - 2 * ROW_PX) return;
    this.root.scrollTop = i * ROW_PX - this.height / 3;
  }
}

function mark(row, current) {
  row.classList.toggle("current", current);
  row.setAttribute("aria-selected", String(current));
}

function emptyRow() {
  const parts = {
    indent: make("span", "indent"),
    type: make("span", "unseen"),
    name: make("bdi", "name"),
    model: make("bdi", "model"),
    took: make("span", "took"),
  };
  const { indent, ...texts } = parts;
  const row = make("div", "row", indent, make("span", "dot"), ...Object.values(texts));
  row.setAttribute("role", "option");
  row.parts = parts;
  row.step = -1;
  return row;
}
