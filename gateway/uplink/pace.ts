import { Bucket } from '../kernel/bucket.ts'
import type { Clock } from '../kernel/clock.ts'

/** At most so many a second, and after a pause no more than a tenth of a second's worth at once. */
export class Pace {
  readonly #clock: Clock
  readonly #bucket: Bucket
  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock
    // The last one goes into debt.
    this.#bucket = new Bucket(perSecond, Math.max(1, perSecond / 10) - 1, clock.mono())
  }
  /** Takes one; returns 0, or how many ms there is none. */
  take(): number {
    const now = this.#clock.mono()
    const wait = this.#bucket.wait(now)
    if (wait === 0) this.#bucket.take(1, now)
    return wait
  }
}
