/**
 * Readers see a tag ten times a second and miss it now and then. Here that becomes one presence a stay, as reader middleware does it:
 * it begins with the first read and ends when there was none for the hold time.
 */
import type { Clock, Timer } from '../gateway/kernel/clock.ts'
import { Listeners } from '../gateway/kernel/listeners.ts'
import type { Presence, Reader } from './driver.ts'

/** One read of a tag or code; see {@link Presence}. */
export interface Read {
  readonly text: string
  readonly rssi: number | null
  readonly antenna: number | null
  readonly raw?: string
}

/** At most this many at a time; then the one not read for longest is let go. */
const MAX = 64

export class Presences implements Reader {
  readonly #clock: Clock
  readonly #holdMs: number
  readonly #present = new Map<string, Presence>()
  readonly #listeners = new Listeners<[Presence, boolean]>()
  #timer: Timer | undefined
  /** Let go because there were too many. */
  crowded = 0

  constructor(clock: Clock, holdMs: number) {
    this.#clock = clock
    this.#holdMs = holdMs
  }

  present(): readonly Presence[] {
    // A timer that is late must not make an old presence look fresh.
    return [...this.#present.values()].filter((p) => this.#left(p) > 0).sort((a, b) => a.first - b.first)
  }

  onPresence(fn: (presence: Presence, there: boolean) => void): () => void {
    return this.#listeners.add(fn)
  }

  /** A tag or code was read now. Returns whether it is a new presence. */
  see(read: Read): boolean {
    this.#expire()
    const now = this.#clock.mono()
    const before = this.#present.get(read.text)
    if (before) {
      const better = (read.rssi ?? Number.NEGATIVE_INFINITY) > (before.rssi ?? Number.NEGATIVE_INFINITY)
      // In again at the end: the map is in the order of the last read.
      this.#present.delete(read.text)
      this.#present.set(read.text, { ...before, ...(better ? read : {}), last: now, count: before.count + 1 })
      return false
    }
    if (this.#present.size >= MAX) {
      const [oldest] = this.#present.keys()
      this.crowded++
      this.#end(oldest!)
    }
    const presence: Presence = { ...read, first: now, last: now, count: 1 }
    this.#present.set(read.text, presence)
    this.#watch()
    this.#listeners.emit(presence, true)
    return true
  }

  /** The reader is lost: nothing is known to be there. */
  clear(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    for (const text of [...this.#present.keys()]) this.#end(text)
  }

  #left(p: Presence): number {
    return p.last + this.#holdMs - this.#clock.mono()
  }

  #end(text: string): void {
    const presence = this.#present.get(text)
    if (!presence) return
    this.#present.delete(text)
    this.#listeners.emit(presence, false)
  }

  #expire(): void {
    for (const [text, p] of [...this.#present]) if (this.#left(p) <= 0) this.#end(text)
  }

  /** One timer for all: it looks when the one not read for longest would go. */
  #watch(): void {
    const [oldest] = this.#present.values()
    if (this.#timer !== undefined || oldest === undefined) return
    this.#timer = this.#clock.after(Math.max(1, this.#left(oldest)), () => {
      this.#timer = undefined
      this.#expire()
      this.#watch()
    })
  }
}
