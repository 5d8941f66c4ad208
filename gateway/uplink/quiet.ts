import type { Clock } from '../kernel/clock.ts'
import type { Log } from '../kernel/log.ts'

/** Warnings about what strangers send: at most `perMinute` of them, then only their number, so that nobody can fill the disk with log. */
export class QuietLog {
  readonly #log: Log
  readonly #clock: Clock
  readonly #perMinute: number
  #minute = Number.NEGATIVE_INFINITY
  #shown = 0
  #hidden = 0
  constructor(log: Log, clock: Clock, perMinute = 30) {
    this.#log = log
    this.#clock = clock
    this.#perMinute = perMinute
  }
  warn(fields: object, message: string): void {
    const now = this.#clock.mono()
    if (now - this.#minute >= 60_000) {
      if (this.#hidden > 0) this.#log.warn({ hidden: this.#hidden }, 'more warnings of this kind were not shown')
      this.#minute = now
      this.#shown = 0
      this.#hidden = 0
    }
    if (this.#shown < this.#perMinute) {
      this.#shown++
      this.#log.warn(fields, message)
    } else this.#hidden++
  }
}
