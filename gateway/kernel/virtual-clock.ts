/**
 * A clock for the simulated world in one process with the gateway: it jumps from timer to timer and never runs past
 * tracked work, so that a day of trucks runs as fast as the machine can, with the same results.
 */
import type { Clock, Timer } from './clock.ts'

export interface VirtualClockOptions {
  /** At most this many times real time; Infinity = as fast as possible (default). */
  readonly pace?: number
  /** Wall clock at the start, ms since 1970. Default: the real one when the clock is made. */
  readonly epoch?: number
  /** Turns of the event loop between two timers, so that streams, sockets and worker messages get through. Default 2. */
  readonly rounds?: number
  /** Real ms after which tracked work that does not settle stops holding the clock, so that nothing hangs. Default 60,000. */
  readonly holdLimit?: number
  /** Told when {@link holdLimit} was reached: how many pieces of work were let go. */
  readonly onOverdue?: (pieces: number) => void
  /** Told when a timer's function throws; default: a process warning. The clock goes on. */
  readonly onError?: (error: unknown) => void
}

interface Entry {
  readonly at: number
  readonly order: number
  fn: (() => void) | null
}

/** Real ms of lateness that a finite pace makes up for. */
const CATCH_UP_MS = 50

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/**
 * Timers fire in order of time, then of creation. With a finite pace the clock follows real time × pace while nothing is tracked;
 * time lost to tracked work or to a busy machine is not made up for in a burst.
 */
export class VirtualClock implements Clock {
  readonly #epoch: number
  readonly #rounds: number
  readonly #holdLimit: number
  readonly #onOverdue: (pieces: number) => void
  readonly #onError: (error: unknown) => void
  readonly #heap = new Heap()
  #pace: number
  /** Virtual ms at the anchor, and the real ms of the anchor (finite pace only). */
  #at = 0
  #anchor = 0
  #order = 0
  /** Tracked work, with the real ms at which it was marked. */
  readonly #tracked = new Map<object, number>()
  #running = false
  /** Waiting for the next timer. */
  #idle = false
  #loop: Promise<void> = Promise.resolve()
  #wake: (() => void) | null = null

  constructor(options: VirtualClockOptions = {}) {
    this.#pace = checkPace(options.pace ?? Number.POSITIVE_INFINITY)
    this.#epoch = options.epoch ?? Date.now()
    this.#rounds = options.rounds ?? 2
    this.#holdLimit = options.holdLimit ?? 60_000
    this.#onOverdue = options.onOverdue ?? (() => {})
    this.#onError = options.onError ?? ((e) => process.emitWarning(e instanceof Error ? e : String(e)))
  }

  /** At most this many times real time; may be changed while running. Throws RangeError unless > 0. */
  get pace(): number {
    return this.#pace
  }
  set pace(value: number) {
    this.#settle()
    this.#pace = checkPace(value)
    this.#rouse()
  }

  /** Pieces of tracked work that hold the clock now. */
  get held(): number {
    return this.#tracked.size
  }

  now(): number {
    return Math.floor(this.#epoch + this.mono())
  }

  mono(): number {
    if (!this.#flowing()) return this.#at
    const flown = this.#at + Math.max(0, performance.now() - this.#anchor) * this.#pace
    const next = this.#heap.peek()
    // Never beyond the next timer: what it does belongs before anything later.
    return next === undefined ? flown : Math.max(this.#at, Math.min(flown, next.at))
  }

  after(ms: number, fn: () => void): Timer {
    const entry: Entry = { at: this.mono() + Math.max(0, ms || 0), order: this.#order++, fn }
    this.#heap.push(entry)
    if (this.#heap.peek() === entry) this.#rouse()
    return {
      cancel: () => {
        if (entry.fn === null) return
        entry.fn = null
        this.#heap.cancelled()
      },
    }
  }

  track<T>(work: Promise<T>): Promise<T> {
    this.#settle()
    const piece = {}
    this.#tracked.set(piece, performance.now())
    const done = () => {
      if (!this.#tracked.delete(piece) || this.#tracked.size > 0) return
      this.#anchor = performance.now()
      this.#rouse()
    }
    work.then(done, done)
    return work
  }

  /** Begins to run. Does nothing when it runs already. */
  start(): void {
    if (this.#running) return
    this.#running = true
    this.#anchor = performance.now()
    this.#loop = this.#loop.then(() => this.#run())
  }

  /** Stands still; timers that have not fired stay, and fire after the next {@link start}. Settles within one timer. */
  async stop(): Promise<void> {
    this.#settle()
    this.#running = false
    this.#rouse()
    await this.#loop
  }

  /** By hand, when not started: fires everything of the next `ms` and arrives there. Waits for tracked work as ever. */
  async advance(ms: number): Promise<void> {
    if (this.#running) throw new Error('the clock is running by itself')
    const end = this.#at + ms
    for (;;) {
      await this.#quiet(() => true)
      const next = this.#heap.peek()
      if (next === undefined || next.at > end) break
      this.#fire(next)
    }
    this.#at = Math.max(this.#at, end)
  }

  async #run(): Promise<void> {
    const on = () => this.#running
    while (this.#running) {
      await this.#quiet(on)
      if (!this.#running) return
      const next = this.#heap.peek()
      if (next === undefined) {
        await this.#idling(undefined)
      } else {
        const early = this.#pace === Number.POSITIVE_INFINITY ? 0 : (next.at - this.#at) / this.#pace - (performance.now() - this.#anchor)
        // setTimeout may be 1 ms early: what is left below that is not worth another nap.
        if (early > 0.5) await this.#idling(early)
        else this.#fire(next)
      }
    }
  }

  /** Lets the event loop drain until nothing is tracked. */
  async #quiet(on: () => boolean): Promise<void> {
    do {
      while (this.#tracked.size > 0 && on()) await this.#hold()
      for (let i = 0; i < this.#rounds && this.#tracked.size === 0; i++) await turn()
    } while (this.#tracked.size > 0 && on())
  }

  /** Waits for tracked work; what is older than the limit is let go. */
  async #hold(): Promise<void> {
    const oldest = Math.min(...this.#tracked.values())
    await this.#pause(oldest + this.#holdLimit - performance.now())
    if (this.#tracked.size === 0) return
    const late = [...this.#tracked].filter(([, since]) => performance.now() - since >= this.#holdLimit)
    for (const [piece] of late) this.#tracked.delete(piece)
    if (late.length > 0) this.#onOverdue(late.length)
  }

  #fire(entry: Entry): void {
    this.#heap.pop()
    const fn = entry.fn!
    entry.fn = null
    // The schedule is kept over the small delays of real timers; what was lost beyond that is not made up for.
    const due = this.#anchor + Math.max(0, entry.at - this.#at) / this.#pace
    this.#anchor = Math.max(due, performance.now() - CATCH_UP_MS)
    this.#at = Math.max(this.#at, entry.at)
    try {
      fn()
    } catch (error) {
      this.#onError(error)
    }
  }

  /** Waits to be roused, at most `ms` real ms. */
  async #pause(ms: number | undefined): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      if (ms !== undefined) timer = setTimeout(resolve, Math.max(1, Math.min(ms, 60_000)))
    })
    this.#wake = null
    clearTimeout(timer)
  }

  /**
   * Nothing is to be done until the next timer: only now does time flow. What a timer sets going takes none of it, so that a busy
   * machine does not make devices late.
   */
  async #idling(ms: number | undefined): Promise<void> {
    this.#idle = true
    await this.#pause(ms)
    if (this.#flowing()) {
      const flown = this.mono()
      this.#anchor += (flown - this.#at) / this.#pace
      this.#at = flown
    }
    this.#idle = false
  }

  #rouse(): void {
    this.#wake?.()
  }

  /** Time flows by itself: running at a finite pace, with nothing tracked and nothing to be done. */
  #flowing(): boolean {
    return this.#running && this.#idle && this.#tracked.size === 0 && this.#pace !== Number.POSITIVE_INFINITY
  }

  /** Moves the anchor to now, keeping the time that has flown. */
  #settle(): void {
    this.#at = this.mono()
    this.#anchor = performance.now()
  }
}

function checkPace(pace: number): number {
  if (!(pace > 0)) throw new RangeError(`pace must be greater than 0, not ${pace}`)
  return pace
}

/**
 * The machine's clock, running `pace` times as fast: for simulated hardware in a process of its own, where nothing is
 * tracked and time never stands still. Throws RangeError unless `pace` > 0.
 */
export function scaledClock(pace: number): Clock {
  checkPace(pace)
  const began = performance.now()
  const epoch = Date.now()
  const mono = () => (performance.now() - began) * pace
  return {
    mono,
    now: () => Math.floor(epoch + mono()),
    after(ms, fn) {
      const timer = setTimeout(fn, Math.max(0, ms || 0) / pace)
      return { cancel: () => clearTimeout(timer) }
    },
    track: (work) => work,
  }
}

/** Timers by time, then creation. Cancelled ones are dropped when they come up, and all at once when they are the majority. */
class Heap {
  #items: Entry[] = []
  #dead = 0

  cancelled(): void {
    this.#dead++
    if (this.#dead < 64 || this.#dead * 2 < this.#items.length) return
    this.#items = this.#items.filter((e) => e.fn !== null).sort((a, b) => (before(a, b) ? -1 : 1))
    this.#dead = 0
  }

  push(entry: Entry): void {
    const items = this.#items
    let i = items.push(entry) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!before(entry, items[parent]!)) break
      items[i] = items[parent]!
      i = parent
    }
    items[i] = entry
  }

  peek(): Entry | undefined {
    while (this.#items.length > 0 && this.#items[0]!.fn === null) {
      this.pop()
      this.#dead--
    }
    return this.#items[0]
  }

  pop(): void {
    const items = this.#items
    const last = items.pop()
    if (last === undefined || items.length === 0) return
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= items.length) break
      if (child + 1 < items.length && before(items[child + 1]!, items[child]!)) child++
      if (!before(items[child]!, last)) break
      items[i] = items[child]!
      i = child
    }
    items[i] = last
  }
}

const before = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)
