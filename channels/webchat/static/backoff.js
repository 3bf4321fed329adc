// How long to wait before the next attempt.

const FIRST_MS = 500;
const LONGEST_MS = 30_000;

/** Waiting times that double, with jitter so that many pages do not come back at one instant. */
export class Backoff {
  #attempts = 0;

  reset() {
    this.#attempts = 0;
  }

  next() {
    const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.#attempts);
    this.#attempts += 1;
    return longest / 2 + (Math.random() * longest) / 2;
  }
}
