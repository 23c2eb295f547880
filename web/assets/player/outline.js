// The outline: all that is known of the steps before one is opened, in columns. Its twin is src/outline.rs.

const DEEPEST = 64;
const FASTEST_MS = 400;
const SLOWEST_MS = 1500;
const KNEE_MICROS = 2_000_000;
const LONGEST_MS = 180_000;
const LAST_MS = 600;

/** How long the tape stays on a step when `gap` microseconds pass until the next: idle time is shortened. */
function dwell(gap) {
  return FASTEST_MS + (SLOWEST_MS - FASTEST_MS) * (1 - Math.exp(-Math.max(0, gap) / KNEE_MICROS));
}

/** The last place of the ascending `values` that holds at most `wanted`; 0 where all are greater. */
function lastAtMost(values, wanted) {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (values[middle] <= wanted) low = middle;
    else high = middle - 1;
  }
  return low;
}

export class Outline {
  constructor(columns) {
    const n = columns.n;
    this.n = n;
    this.types = columns.types;
    this.names = columns.names;
    this.models = columns.models;
    this.type = Uint8Array.from(columns.type, (digit) => parseInt(digit, 36));
    this.state = Uint8Array.from(columns.state, Number);
    this.nameOf = column(columns.name, n);
    this.modelOf = column(columns.model, n);
    this.tokensIn = column(columns.in, n);
    this.tokensOut = column(columns.out, n);
    this.cost = column(columns.cost, n);
    this.parent = Int32Array.from(column(columns.parent, n), (back, i) => (back === 0 ? -1 : i - back));
    // In microseconds from here on.
    this.start = Float64Array.from(columns.start, (gap) => gap * columns.unit);
    for (let i = 1; i < n; i++) this.start[i] += this.start[i - 1];
    // Less than 0 for a step that never ended.
    this.took = Float64Array.from(columns.took, (took) => took * columns.unit);
    this.end = this.start.map((start, i) => start + Math.max(0, this.took[i]));
    this.realEnd = this.end.reduce((most, end) => Math.max(most, end), 0);
    this.depth = this.depths();
    this.layTape();
  }

  name(i) {
    return this.names[this.nameOf[i]];
  }

  typeName(i) {
    return this.types[this.type[i]];
  }

  model(i) {
    return this.modelOf[i] === 0 ? null : this.models[this.modelOf[i] - 1];
  }

  failed(i) {
    return this.state[i] === 1;
  }

  /** The last step before `i` that `matches`, or −1. */
  before(i, matches) {
    let j = i - 1;
    while (j >= 0 && !matches(j)) j--;
    return j;
  }

  /** The first step after `i` that `matches`, or −1. */
  after(i, matches) {
    for (let j = i + 1; j < this.n; j++) if (matches(j)) return j;
    return -1;
  }

  depths() {
    const depth = new Uint8Array(this.n);
    for (let i = 0; i < this.n; i++) {
      let steps = 0;
      // Bounded, so that parents in a circle end too.
      for (let at = this.parent[i]; at >= 0 && steps < DEEPEST; at = this.parent[at]) steps++;
      depth[i] = steps;
    }
    return depth;
  }

  /** Tape time, in milliseconds at normal speed: every step has its moment, idle time is shortened. */
  layTape() {
    const { n, start } = this;
    this.tape = new Float64Array(n);
    for (let i = 1; i < n; i++) this.tape[i] = this.tape[i - 1] + dwell(start[i] - start[i - 1]);
    const natural = n === 0 ? 0 : this.tape[n - 1] + dwell(this.realEnd - start[n - 1]) + LAST_MS;
    const scale = Math.min(1, LONGEST_MS / Math.max(1, natural));
    for (let i = 0; i < n; i++) this.tape[i] *= scale;
    this.total = natural * scale;
    this.tapeEnd = this.end.map((end, i) => Math.max(this.tape[i], this.toTape(end)));
  }

  /** The moment on the tape at which the run was `micros` old. */
  toTape(micros) {
    const i = lastAtMost(this.start, micros);
    const [from, length] = this.stretch(i);
    const share = length > 0 ? Math.min(1, (micros - from) / length) : 0;
    return this.tape[i] + share * this.width(i);
  }

  /** How old the run was, in microseconds, at a moment on the tape. */
  toReal(moment) {
    const i = this.at(moment);
    const [from, length] = this.stretch(i);
    const width = this.width(i);
    return from + (width > 0 ? Math.min(1, (moment - this.tape[i]) / width) : 0) * length;
  }

  stretch(i) {
    const from = this.start[i];
    return [from, (i + 1 < this.n ? this.start[i + 1] : this.realEnd) - from];
  }

  width(i) {
    return (i + 1 < this.n ? this.tape[i + 1] : this.total) - this.tape[i];
  }

  /** The step that a moment on the tape belongs to. */
  at(moment) {
    return lastAtMost(this.tape, moment);
  }
}

function column(values, n) {
  return values ?? new Array(n).fill(0);
}
