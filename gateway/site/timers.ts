/** The core's named timers on a clock: starting one that runs starts it anew. */
import type { Clock, Timer } from '../kernel/clock.ts'

export class NamedTimers<Name extends string> {
  readonly #clock: Clock
  readonly #fire: (name: Name) => void
  readonly #running = new Map<Name, Timer>()

  constructor(clock: Clock, fire: (name: Name) => void) {
    this.#clock = clock
    this.#fire = fire
  }

  start(name: Name, ms: number): void {
    this.cancel(name)
    const timer = this.#clock.after(ms, () => {
      this.#running.delete(name)
      this.#fire(name)
    })
    this.#running.set(name, timer)
  }

  cancel(name: Name): void {
    this.#running.get(name)?.cancel()
    this.#running.delete(name)
  }

  stop(): void {
    for (const timer of this.#running.values()) timer.cancel()
    this.#running.clear()
  }
}
