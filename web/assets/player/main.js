// Puts the player together: one outline, one clock, and the three places that show where it stands.

import { copy, flash } from "./dom.js";
import { Detail } from "./detail.js";
import { listenForKeys } from "./keys.js";
import { List } from "./list.js";
import { Outline } from "./outline.js";
import { Playback } from "./playback.js";
import { Steps } from "./steps.js";
import { clock, count } from "./text.js";
import { Timeline } from "./timeline.js";

// Faster than this a step cannot be read: only some are opened while the tape runs or the hand is moved, or a key held down.
const OPEN_EVERY_MS = 500;
const OPEN_CHOSEN_EVERY_MS = 120;
const ADDRESS_AFTER_MS = 300;
// Page Up and Page Down go through a tape in so many steps.
const PAGES = 10;

class Player {
  constructor(root) {
    this.root = root;
    this.outline = new Outline(JSON.parse(document.getElementById("outline").textContent));
    this.current = -1;
    this.opened = -Infinity;
    this.find = (name) => root.querySelector(`[data-part=${name}]`);
    if (this.outline.n === 0) {
      root.classList.add("empty");
      return;
    }
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    this.steps = new Steps(root.dataset.steps, this.outline.n);
    this.playback = new Playback(this.outline.total, (moment) => this.moved(moment), (on) => this.changed(on));
    this.list = new List(this.find("list"), this.outline, (i) => this.go(i));
    this.detail = new Detail(this.find("detail"), this.outline, this.steps);
    this.timeline = new Timeline(this.find("timeline"), this.outline, {
      onScrub: (moment) => this.scrub(moment),
      onPick: (i) => this.go(i),
      onKey: (event) => this.stepKey(event, this.onSlider),
    });
    this.find("total").textContent = clock(this.outline.realEnd);
    this.find("steps").textContent = count(this.outline.n);
    this.wireControls();
    this.wireKeys();
    document.addEventListener("themechange", () => this.timeline.draw());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.timeline.draw());
    this.start();
  }

  /** Opens the step of the address, and plays where nobody asked for a step and motion is welcome. */
  start() {
    const asked = new URLSearchParams(location.search);
    const step = Number(asked.get("step"));
    const speed = asked.get("speed");
    if (speed) this.setSpeed(speed);
    const linked = Number.isInteger(step) && step >= 1 && step <= this.outline.n;
    this.select(linked ? step - 1 : 0, true);
    if (linked) this.playback.seek(this.outline.tape[step - 1]);
    this.root.dataset.ready = "";
    if (linked || this.calm.matches || asked.get("autoplay") === "0") return;
    const watch = new IntersectionObserver((seen) => {
      if (!seen.some((entry) => entry.isIntersecting)) return;
      watch.disconnect();
      if (!this.touched) this.playback.play();
    });
    watch.observe(this.find("timeline"));
  }

  moved(moment) {
    const i = this.outline.at(moment);
    // Where motion is unwelcome the hand goes from step to step.
    this.timeline.move(this.calm.matches ? this.outline.tape[i] : moment);
    const now = clock(this.outline.toReal(moment));
    if (now !== this.said) this.find("now").textContent = this.said = now;
    if (i !== this.current) this.select(i, false);
  }

  /** Shows step `i` everywhere; `chosen` by somebody, not come to by playing. */
  select(i, chosen) {
    this.current = i;
    this.find("step").textContent = count(i + 1);
    this.list.select(i, chosen);
    this.timeline.announce(i);
    this.open(chosen ? OPEN_CHOSEN_EVERY_MS : OPEN_EVERY_MS);
  }

  /** Opens the current step, `interval` after the one before it at the earliest. */
  open(interval) {
    clearTimeout(this.opening);
    const wait = this.opened + interval - performance.now();
    if (wait <= 0) this.openNow();
    else this.opening = setTimeout(() => this.openNow(), wait);
  }

  openNow() {
    this.opened = performance.now();
    if (!this.playback.playing) this.rememberAddress();
    // Who passes over steps is not about to open the next one.
    const passing = Math.abs(this.current - this.detail.shown) > 1;
    this.detail.show(this.current).then(() => passing || this.steps.ahead(this.current + 2));
  }

  /** Goes to step `i` because somebody asked for it. */
  go(i) {
    this.touched = true;
    const step = Math.min(this.outline.n - 1, Math.max(0, i));
    // Set first, so that the pause and the move do not open what is left.
    this.current = step;
    this.playback.pause();
    this.playback.seek(this.outline.tape[step]);
    this.select(step, true);
  }

  scrub(moment) {
    this.touched = true;
    this.playback.pause();
    this.playback.seek(moment);
  }

  changed(playing) {
    this.root.classList.toggle("playing", playing);
    this.find("play").setAttribute("aria-label", playing ? "Pause" : "Play");
    if (!playing) this.open(0);
  }

  rememberAddress() {
    clearTimeout(this.remembering);
    if (!this.touched) return;
    this.remembering = setTimeout(() => history.replaceState(null, "", this.address()), ADDRESS_AFTER_MS);
  }

  address() {
    const address = new URL(location.href);
    address.searchParams.set("step", String(this.current + 1));
    return address;
  }

  setSpeed(value) {
    const chooser = this.find("speed");
    if (![...chooser.options].some((option) => option.value === value)) return;
    chooser.value = value;
    this.playback.speed = Number(value);
  }

  nextSpeed(by) {
    const chooser = this.find("speed");
    const at = Math.min(chooser.options.length - 1, Math.max(0, chooser.selectedIndex + by));
    this.setSpeed(chooser.options[at].value);
  }

  wireControls() {
    this.find("play").addEventListener("click", () => this.toggle());
    this.find("previous").addEventListener("click", () => this.go(this.current - 1));
    this.find("next").addEventListener("click", () => this.go(this.current + 1));
    this.find("speed").addEventListener("change", (event) => this.setSpeed(event.target.value));
    const link = this.find("link");
    link.addEventListener("click", async () => {
      const address = new URL(this.root.dataset.page);
      address.searchParams.set("step", String(this.current + 1));
      flash(link, (await copy(address.href)) ? "Copied" : "Not allowed");
    });
    this.help = this.find("help");
    this.find("keys").addEventListener("click", () => this.help.showModal());
  }

  toggle() {
    this.touched = true;
    this.playback.toggle();
  }

  wireKeys() {
    const failed = (i) => this.outline.failed(i);
    const jump = (i) => i >= 0 && this.go(i);
    const next = () => this.go(this.current + 1);
    const previous = () => this.go(this.current - 1);
    listenForKeys(
      {
        " ": () => this.toggle(),
        ArrowRight: next,
        ArrowLeft: previous,
        j: next,
        k: previous,
        Home: () => this.go(0),
        End: () => this.go(this.outline.n - 1),
        "+": () => this.nextSpeed(1),
        "=": () => this.nextSpeed(1),
        "-": () => this.nextSpeed(-1),
        e: () => jump(this.outline.after(this.current, failed)),
        E: () => jump(this.outline.before(this.current, failed)),
        "?": () => this.help.showModal(),
      },
      this.find("single-keys"),
    );
    const page = Math.max(1, Math.round(this.outline.n / PAGES));
    const inList = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page };
    this.find("list").addEventListener("keydown", (event) => this.stepKey(event, inList));
    this.onSlider = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: page, PageDown: -page };
  }

  /** Keys of the slider and the list, which hold whether or not single keys are switched on. */
  stepKey(event, moves) {
    const ends = { Home: 0, End: this.outline.n - 1 };
    const to = ends[event.key] ?? this.current + moves[event.key];
    if (Number.isNaN(to)) return;
    event.preventDefault();
    this.go(to);
  }
}

new Player(document.getElementById("player"));
