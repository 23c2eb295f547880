// The timeline: a bar a step, coloured by its type, and the slider that lies over them.

import { make } from "./dom.js";
import { lanes } from "./lanes.js";
import { clock, duration, typeLabel, visible } from "./text.js";

const TALLEST_LANE = 14;
const TALLEST = 150;
const LEAST_WIDTH = 2;
const DRAG_PX = 4;
const TICK_EVERY_PX = 130;

export class Timeline {
  /** `onScrub(moment)` while the hand is moved, `onPick(step)` when a bar is chosen. */
  constructor(root, outline, { onScrub, onPick, onKey }) {
    Object.assign(this, { root, outline, onScrub, onPick, ...lanes(outline) });
    this.laneHeight = Math.min(TALLEST_LANE, TALLEST / this.count);
    this.slider = root.querySelector("[role=slider]");
    this.canvas = root.querySelector("canvas");
    this.rest = root.querySelector(".rest");
    this.hand = root.querySelector(".hand");
    this.ticks = root.querySelector(".ticks");
    this.hint = root.querySelector(".hint");
    this.slider.setAttribute("aria-valuemax", String(outline.n));
    this.slider.addEventListener("keydown", onKey);
    this.followPointer();
    new ResizeObserver(() => this.draw()).observe(this.slider);
  }

  /** Draws all bars once: while the tape plays only the hand moves. */
  draw() {
    const width = this.slider.clientWidth;
    if (width === 0) return;
    const height = Math.ceil(this.laneHeight * this.count);
    const ratio = Math.min(3, devicePixelRatio || 1);
    this.width = width;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.canvas.style.height = `${height}px`;
    const context = this.canvas.getContext("2d");
    context.scale(ratio, ratio);
    this.outline.types.forEach((type, t) => {
      context.fillStyle = getComputedStyle(this.root.querySelector(`[data-type=${type}] .dot`)).backgroundColor;
      for (let i = 0; i < this.outline.n; i++) if (this.outline.type[i] === t) this.bar(context, i);
    });
    context.fillStyle = getComputedStyle(this.canvas).color;
    for (let i = 0; i < this.outline.n; i++) if (this.outline.failed(i)) this.underline(context, i);
    this.drawTicks();
    this.move(this.moment ?? 0);
  }

  bar(context, i) {
    const [left, top, width, height] = this.box(i);
    context.beginPath();
    context.roundRect(left, top, width, height, Math.min(3, height / 3, width / 2));
    context.fill();
  }

  underline(context, i) {
    const [left, top, width, height] = this.box(i);
    context.fillRect(left, top + height - Math.min(3, height / 2), width, Math.min(3, height / 2));
  }

  box(i) {
    const left = this.x(this.outline.tape[i]);
    const right = this.x(this.outline.tapeEnd[i]);
    const gap = this.laneHeight > 5 ? 2 : this.laneHeight * 0.2;
    return [left, this.lane[i] * this.laneHeight, Math.max(LEAST_WIDTH, right - left - 1), this.laneHeight - gap];
  }

  x(moment) {
    return (moment / Math.max(1, this.outline.total)) * this.width;
  }

  drawTicks() {
    const n = Math.max(2, Math.floor(this.width / TICK_EVERY_PX));
    this.ticks.replaceChildren();
    for (let k = 0; k < n; k++) {
      const tick = make("span", "tick", clock(this.outline.toReal((k / n) * this.outline.total)));
      tick.style.left = `${(100 * k) / n}%`;
      this.ticks.append(tick);
    }
  }

  move(moment) {
    this.moment = moment;
    const x = this.x(moment);
    this.hand.style.transform = `translateX(${x}px)`;
    this.rest.style.transform = `translateX(${x}px)`;
  }

  /** Says where the slider stands. */
  announce(i) {
    this.slider.setAttribute("aria-valuenow", String(i + 1));
    this.slider.setAttribute("aria-valuetext", `Step ${i + 1} of ${this.outline.n}: ${visible(this.outline.name(i))}`);
  }

  followPointer() {
    let down = null;
    const momentAt = (event) => {
      const box = this.slider.getBoundingClientRect();
      return ((event.clientX - box.left) / box.width) * this.outline.total;
    };
    this.slider.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.slider.setPointerCapture(event.pointerId);
      down = event.clientX;
      this.onScrub(momentAt(event));
    });
    this.slider.addEventListener("pointermove", (event) => {
      if (down !== null) this.onScrub(momentAt(event));
      this.showHint(event);
    });
    this.slider.addEventListener("pointerup", (event) => {
      const hit = down !== null && Math.abs(event.clientX - down) < DRAG_PX ? this.hit(event) : -1;
      down = null;
      if (hit >= 0) this.onPick(hit);
    });
    this.slider.addEventListener("pointercancel", () => (down = null));
    this.slider.addEventListener("pointerleave", () => (this.hint.hidden = true));
  }

  /** The step whose bar is under the pointer, or −1. */
  hit(event) {
    const area = this.canvas.getBoundingClientRect();
    const x = event.clientX - area.left;
    const lane = Math.floor((event.clientY - area.top) / this.laneHeight);
    for (let i = this.outline.n - 1; i >= 0; i--) {
      if (this.lane[i] !== lane) continue;
      const [left, , width] = this.box(i);
      if (x >= left - 1 && x <= left + width + 1) return i;
    }
    return -1;
  }

  showHint(event) {
    const i = event.pointerType === "touch" ? -1 : this.hit(event);
    this.hint.hidden = i < 0;
    if (i < 0) return;
    const { outline } = this;
    const took = outline.took[i] < 0 ? "never ended" : duration(outline.took[i]);
    const name = make("bdi", "", visible(outline.name(i)) || typeLabel(outline.typeName(i)));
    this.hint.replaceChildren(name, make("span", "quiet", ` ${typeLabel(outline.typeName(i))} · ${took}`));
    const box = this.slider.getBoundingClientRect();
    const x = Math.min(box.width - this.hint.offsetWidth, Math.max(0, event.clientX - box.left - this.hint.offsetWidth / 2));
    this.hint.style.transform = `translateX(${x}px)`;
  }
}
