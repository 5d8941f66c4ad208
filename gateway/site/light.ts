/** Keeps the traffic light at what the core wants, and keeps trying: a lamp that shows the wrong thing is worse than a late one. */
import type { Aspect, Signal } from '../../firmware-bridge/driver.ts'
import type { Clock, Timer } from '../kernel/clock.ts'

const RETRY_MS = 1_000

export class LightKeeper {
  readonly #signal: Signal | null
  readonly #clock: Clock
  #wanted: Aspect | null = null
  #timer: Timer | null = null

  /** @param signal null where the lane has no light: then only the wish is kept */
  constructor(signal: Signal | null, clock: Clock) {
    this.#signal = signal
    this.#clock = clock
  }

  get wanted(): Aspect | null {
    return this.#wanted
  }

  /** @param ttlMs an attempt not on the wire by then is dropped and made again */
  show(aspect: Aspect, ttlMs: number): void {
    this.stop()
    this.#wanted = aspect
    const guard = () => this.#wanted === aspect
    this.#signal?.show(aspect, { deadline: this.#clock.mono() + ttlMs, guard }).catch(() => {
      if (guard()) this.#timer = this.#clock.after(RETRY_MS, () => this.show(aspect, ttlMs))
    })
  }

  /** No more attempts; the lamp stays as it is. */
  stop(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#wanted = null
  }
}
