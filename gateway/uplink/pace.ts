import type { Clock } from '../kernel/clock.ts'

/** At most so many a second, and after a pause no more than a tenth of a second's worth at once. */
export class Pace {
  readonly #clock: Clock
  readonly #perMs: number
  readonly #most: number
  #stock: number
  #at: number
  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock
    this.#perMs = perSecond / 1_000
    this.#most = Math.max(1, perSecond / 10)
    this.#stock = this.#most
    this.#at = clock.mono()
  }
  /** Takes one; returns 0, or how many ms there is none. */
  take(): number {
    const now = this.#clock.mono()
    this.#stock = Math.min(this.#most, this.#stock + (now - this.#at) * this.#perMs)
    this.#at = now
    if (this.#stock < 1) return (1 - this.#stock) / this.#perMs
    this.#stock--
    return 0
  }
}
