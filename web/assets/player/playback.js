// The hand of the clock: moves along the tape while it plays.

// After a pause of the page (another tab) the tape goes on where it was.
const LONGEST_FRAME_MS = 100;

export class Playback {
  constructor(total, onMove, onState) {
    Object.assign(this, { total, onMove, onState, moment: 0, speed: 1, playing: false });
    this.frame = this.frame.bind(this);
  }

  play() {
    if (this.playing || this.total === 0) return;
    if (this.moment >= this.total) this.moment = 0;
    this.playing = true;
    this.last = performance.now();
    this.onState(true);
    requestAnimationFrame(this.frame);
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    this.onState(false);
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  seek(moment) {
    this.moment = Math.min(this.total, Math.max(0, moment));
    this.onMove(this.moment);
  }

  frame(now) {
    if (!this.playing) return;
    const passed = Math.min(LONGEST_FRAME_MS, Math.max(0, now - this.last));
    this.last = now;
    this.seek(this.moment + passed * this.speed);
    if (this.moment >= this.total) this.pause();
    else requestAnimationFrame(this.frame);
  }
}
