// Texts of a tape come from anywhere. What would be invisible, or turn the direction of what stands around it, is shown.

const HIDDEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

function picture(character) {
  const code = character.codePointAt(0);
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return "\u2421";
  return `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
}

/** `text` with control, bidi and zero-width characters shown by a picture or their code. */
export function visible(text) {
  return text.replaceAll("\r\n", "\n").replace(HIDDEN, picture);
}

const WHOLE = new Intl.NumberFormat("en");

export function count(number) {
  return WHOLE.format(number);
}

/** Microseconds in words. */
export function duration(micros) {
  const ms = micros / 1000;
  if (ms < 1) return `${round(ms, 2)} ms`;
  if (ms < 1000) return `${round(ms, 0)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${round(seconds, seconds < 10 ? 2 : 1)} s`;
  const whole = Math.floor(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

function round(number, digits) {
  return String(Number(number.toFixed(digits)));
}

/** Microseconds as a clock: `1:02.5`, with hours where there are any. */
export function clock(micros) {
  const tenths = Math.floor(micros / 100_000);
  const seconds = Math.floor(tenths / 10);
  const tail = `${String(seconds % 60).padStart(2, "0")}.${tenths % 10}`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${tail}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${tail}`;
}

/** Millionths of a dollar. */
export function money(micros) {
  const dollars = micros / 1e6;
  if (dollars >= 1) return `$${dollars.toFixed(2)}`;
  return `$${Number(dollars.toPrecision(2)).toFixed(6).replace(/0{1,4}$/, "")}`;
}

/** `llm_call` as it is read. */
export function typeLabel(type) {
  return type === "llm_call" ? "LLM call" : type.charAt(0).toUpperCase() + type.slice(1).replaceAll("_", " ");
}
