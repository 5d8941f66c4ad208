/** Waiting times between attempts: doubling from `min` to `max` ms, each with up to half of it taken off at random. */
export class Backoff {
  readonly #min: number
  readonly #max: number
  readonly #random: () => number
  #next: number
  constructor(min = 250, max = 10_000, random: () => number = Math.random) {
    this.#min = min
    this.#max = max
    this.#random = random
    this.#next = min
  }
  next(): number {
    const wait = this.#next
    this.#next = Math.min(this.#max, wait * 2)
    // Jitter, so that many gateways do not come back to one server in step; never below the minimum.
    return Math.max(this.#min, wait * (1 - this.#random() / 2))
  }
  reset(): void {
    this.#next = this.#min
  }
}
