/**
 * Messages from the centre that the disk did not take: the newest of each topic is kept in memory and tried again, because nobody says it twice while
 * the connection stands, and of a withdrawal nothing is left at the broker.
 */
import type { Clock, Timer } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import type { QuietLog } from './quiet.ts'

const AGAIN_MS = 5_000
/** Topics that are kept so. */
export const MAX_OWED = 4_096

export interface OwedOptions {
  readonly clock: Clock
  readonly log: QuietLog
  /** There were more than could be kept, and the disk takes them again: what the brokers hold is to be asked for once more. */
  readonly missed: () => void
}

type Store = () => void | Promise<void>

export class Owed {
  readonly #o: OwedOptions
  /** Newest of each topic, while it is being stored or has yet to be. */
  readonly #newest = new Map<string, Store>()
  readonly #owed = new Map<string, Store>()
  #timer: Timer | null = null
  #missed = false
  #stopped = false

  constructor(options: OwedOptions) {
    this.#o = options
  }

  /** Topics that wait for the disk. */
  get size(): number {
    return this.#owed.size
  }

  /** Stores now, or later; an older message of the same topic is not tried any more. Resolves when it is stored or kept. Never rejects. */
  async store(topic: string, store: Store): Promise<void> {
    this.#newest.set(topic, store)
    this.#owed.delete(topic)
    try {
      await store()
      if (this.#newest.get(topic) === store) this.#newest.delete(topic)
    } catch (error) {
      this.#o.log.warn({ topic, err: messageOf(error) }, 'a message could not be stored; it is tried again')
      if (this.#newest.get(topic) === store) this.#keep(topic, store)
    }
  }

  #keep(topic: string, store: Store): void {
    if (this.#owed.size < MAX_OWED) this.#owed.set(topic, store)
    else {
      this.#newest.delete(topic)
      this.#missed = true
    }
    this.#again()
  }

  #again(): void {
    if (this.#stopped) return
    this.#timer ??= this.#o.clock.after(AGAIN_MS, () => {
      this.#timer = null
      void this.#try()
    })
  }

  async #try(): Promise<void> {
    for (const [topic, store] of [...this.#owed]) {
      if (this.#stopped) return
      if (this.#owed.get(topic) !== store) continue
      await this.store(topic, store)
      // Still not: nor would the others.
      if (this.#owed.has(topic)) return this.#again()
    }
    if (this.#owed.size > 0) return this.#again()
    if (!this.#missed) return
    this.#missed = false
    this.#o.missed()
  }

  /** Tries no more, until {@link start}. */
  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
    this.#timer = null
  }

  start(): void {
    this.#stopped = false
    if (this.#owed.size > 0 || this.#missed) this.#again()
  }
}
