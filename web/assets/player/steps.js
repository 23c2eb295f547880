// Inputs and outputs, fetched a few steps at a time and kept while there is room.

const PAGE = 8;
const ROOM_BYTES = 32 * 1024 * 1024;
const TRIES = 3;
const LONGEST_WAIT_S = 5;

/** A number that a double cannot hold, as it was sent. */
export class ExactNumber {
  constructor(source) {
    this.source = source;
  }

  toJSON() {
    return JSON.rawJSON ? JSON.rawJSON(this.source) : Number(this.source);
  }
}

/** Numbers stay as they were sent, where the browser tells how that was. */
function exactly(_key, value, context) {
  if (typeof value === "number" && context?.source !== undefined && !sameNumber(value, context.source)) {
    return new ExactNumber(context.source);
  }
  return value;
}

function sameNumber(value, source) {
  return String(value) === source || (Number.isFinite(value) && !/^-?\d{16,}|\.\d{16,}/.test(source));
}

export class Steps {
  constructor(address, n) {
    Object.assign(this, { address, n, kept: new Map(), bytes: 0, asked: new Map() });
  }

  /** The step as the tape has it, if it is here already. */
  here(i) {
    const held = this.kept.get(i);
    if (!held) return null;
    // What was used last goes last.
    this.kept.delete(i);
    this.kept.set(i, held);
    return held.step;
  }

  async get(i) {
    const here = this.here(i);
    if (here) return here;
    await this.page(i - (i % PAGE));
    // An answer is bounded in bytes and may end before the step.
    if (!this.kept.has(i)) await this.page(i);
    const step = this.here(i);
    if (!step) throw new Error("The server did not send this step.");
    return step;
  }

  /** Asks for what comes next, quietly. */
  ahead(i) {
    if (i < this.n && !this.kept.has(i)) this.page(i - (i % PAGE)).catch(() => {});
  }

  page(from) {
    if (!this.asked.has(from)) {
      this.asked.set(from, this.fetch(from).finally(() => this.asked.delete(from)));
    }
    return this.asked.get(from);
  }

  async fetch(from) {
    // The server numbers steps from 1.
    const text = await ask(`${this.address}?from=${from + 1}&limit=${PAGE - (from % PAGE)}`);
    const { steps } = JSON.parse(text, exactly);
    steps.forEach((step, k) => this.hold(from + k, step, text.length / steps.length));
  }

  hold(i, step, bytes) {
    this.bytes += bytes - (this.kept.get(i)?.bytes ?? 0);
    this.kept.delete(i);
    this.kept.set(i, { step, bytes });
    for (const [oldest, held] of this.kept) {
      if (this.bytes <= ROOM_BYTES || oldest === i) break;
      this.kept.delete(oldest);
      this.bytes -= held.bytes;
    }
  }
}

async function ask(url) {
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(url, { headers: { accept: "application/json" } });
    if (response.ok) return response.text();
    const busy = response.status === 429 || response.status === 503;
    if (!busy || attempt === TRIES) throw new Error(`The server answered ${response.status}.`);
    const seconds = Math.min(LONGEST_WAIT_S, Number(response.headers.get("retry-after")) || attempt);
    await new Promise((done) => setTimeout(done, seconds * 1000));
  }
}
