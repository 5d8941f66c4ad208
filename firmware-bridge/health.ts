/** What the drivers share for saying how they are: state, words, counters, and logs that a broken device cannot flood. */
import type { Clock } from '../gateway/kernel/clock.ts'
import { Listeners } from '../gateway/kernel/listeners.ts'
import type { Log } from '../gateway/kernel/log.ts'
import type { DeviceHealth } from './driver.ts'

/** A device's health. Listeners hear changes of state or words; counters are read when asked. */
export class HealthBox {
  readonly #listeners = new Listeners<[DeviceHealth]>()
  readonly #counters: Record<string, number>
  #state: DeviceHealth['state'] = 'starting'
  #why: string | undefined

  /** @param counters names that are shown from the start, at 0 */
  constructor(counters: readonly string[] = []) {
    this.#counters = Object.fromEntries(counters.map((name) => [name, 0]))
  }

  /** `why` names the device and what to do; left out when ok. */
  set(state: DeviceHealth['state'], why?: string): void {
    if (state === this.#state && why === this.#why) return
    this.#state = state
    this.#why = why
    this.#listeners.emit(this.get())
  }

  count(name: string, by = 1): void {
    this.#counters[name] = (this.#counters[name] ?? 0) + by
  }

  get(): DeviceHealth {
    const counters = { ...this.#counters }
    return this.#why === undefined ? { state: this.#state, counters } : { state: this.#state, why: this.#why, counters }
  }

  on(fn: (health: DeviceHealth) => void): () => void {
    return this.#listeners.add(fn)
  }
}

/**
 * Warns at once the first time, then at most once in `everyMs` for the same message, with the number left out.
 * Keys are the messages' fixed texts, so there are few of them.
 */
export class RareLog {
  readonly #clock: Clock
  readonly #log: Log
  readonly #everyMs: number
  readonly #seen = new Map<string, { at: number; left: number }>()

  constructor(clock: Clock, log: Log, everyMs = 10_000) {
    this.#clock = clock
    this.#log = log
    this.#everyMs = everyMs
  }

  warn(fields: object, message: string): void {
    const now = this.#clock.mono()
    const seen = this.#seen.get(message)
    if (seen !== undefined && now - seen.at < this.#everyMs) {
      seen.left++
      return
    }
    this.#log.warn(seen?.left ? { ...fields, left_out: seen.left } : fields, message)
    this.#seen.set(message, { at: now, left: 0 })
  }
}
