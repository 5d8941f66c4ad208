/** An input's value with its age, for drivers that hear about inputs. */
import type { Clock, Timer } from '../gateway/kernel/clock.ts'
import { Listeners } from '../gateway/kernel/listeners.ts'
import type { InputPoint, Tri } from './driver.ts'

/** Null until first confirmed, and again when not confirmed for `staleMs` (undefined: never by age). */
export class InputCell implements InputPoint {
  readonly ref: string
  readonly #clock: Clock
  readonly #staleMs: number | undefined
  readonly #listeners = new Listeners<[Tri, number]>()
  #value: Tri = null
  #at: number
  #timer: Timer | undefined

  constructor(ref: string, clock: Clock, staleMs?: number) {
    this.ref = ref
    this.#clock = clock
    this.#staleMs = staleMs
    this.#at = clock.mono()
  }

  read(): { value: Tri; at: number } {
    // A timer that is late must not make an old value look fresh.
    if (this.#value !== null && this.#left() <= 0) return { value: null, at: this.#at }
    return { value: this.#value, at: this.#at }
  }

  onChange(fn: (value: Tri, at: number) => void): () => void {
    return this.#listeners.add(fn)
  }

  /** The device said so at `at` (mono ms). */
  confirm(value: boolean, at: number): void {
    this.#at = at
    if (this.#staleMs !== undefined && this.#timer === undefined) this.#watch(this.#staleMs)
    this.#become(value, at)
  }

  /** From now on unknown. Also ends the watch over its age. */
  forget(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#become(null, this.#clock.mono())
  }

  /** Ms until the value is stale. */
  #left(): number {
    return this.#staleMs === undefined ? Number.POSITIVE_INFINITY : this.#at + this.#staleMs - this.#clock.mono()
  }

  /** One timer for any number of confirmations: when it fires it looks how old the value really is. */
  #watch(ms: number): void {
    this.#timer = this.#clock.after(ms, () => {
      this.#timer = undefined
      const left = this.#left()
      if (left > 0) this.#watch(left)
      else this.forget()
    })
  }

  #become(value: Tri, at: number): void {
    if (value === this.#value) return
    this.#value = value
    this.#at = at
    this.#listeners.emit(value, at)
  }
}
