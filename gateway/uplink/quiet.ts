import type { Clock } from '../kernel/clock.ts'
import type { Log } from '../kernel/log.ts'

const MINUTE_MS = 60_000

interface Kind {
  since: number
  shown: number
  hidden: number
}

/**
 * Warnings about what strangers send: of each kind (its message, which is one of few) at most `perMinute`, then only their number,
 * so that nobody can fill the disk with log, or hide one thing behind another.
 */
export class QuietLog {
  readonly #log: Log
  readonly #clock: Clock
  readonly #perMinute: number
  readonly #kinds = new Map<string, Kind>()
  constructor(log: Log, clock: Clock, perMinute = 10) {
    this.#log = log
    this.#clock = clock
    this.#perMinute = perMinute
  }
  warn(fields: object, message: string): void {
    const now = this.#clock.mono()
    const kind = this.#kinds.get(message) ?? { since: Number.NEGATIVE_INFINITY, shown: 0, hidden: 0 }
    this.#kinds.set(message, kind)
    if (now - kind.since >= MINUTE_MS) {
      if (kind.hidden > 0) this.#log.warn({ hidden: kind.hidden, of: message }, 'more warnings of this kind were not shown')
      Object.assign(kind, { since: now, shown: 0, hidden: 0 })
    }
    if (kind.shown < this.#perMinute) {
      kind.shown++
      this.#log.warn(fields, message)
    } else kind.hidden++
  }
}
