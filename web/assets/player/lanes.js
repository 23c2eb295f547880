// Where each step's bar goes: below its parent, and below whatever else runs at the same time.

const MOST_LANES = 40;

/** The lane of every step and how many there are. */
export function lanes(outline) {
  const lane = new Uint8Array(outline.n);
  const busyUntil = [];
  for (let i = 0; i < outline.n; i++) {
    const parent = outline.parent[i];
    let at = parent >= 0 && parent < i ? Math.min(lane[parent] + 1, MOST_LANES - 1) : 0;
    while (at < MOST_LANES - 1 && busyUntil[at] > outline.tape[i]) at++;
    lane[i] = at;
    busyUntil[at] = Math.max(busyUntil[at] ?? 0, outline.tapeEnd[i]);
  }
  return { lane, count: Math.max(1, busyUntil.length) };
}
