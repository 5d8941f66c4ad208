/**
 * Writes to the journal in order, and keeps what the disk refuses until it takes it again. One append is under way at a
 * time and takes along everything gathered meanwhile, so order is kept and commits are shared.
 */

import type { Entry, Journal } from '../journal/journal.ts'
import { type Clock, sleep } from '../kernel/clock.ts'
import { LuongError, messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'

export interface RecorderOptions {
  readonly journal: Pick<Journal, 'append'>
  readonly clock: Clock
  readonly log: Log
  /** Entries kept in memory while the disk refuses. From half of it on, inputs (for replay) are shed; events are refused only at all of it. */
  readonly bound?: number
  /** Called with everything that will be written, in its order, before it is durable. */
  readonly onRecord?: (entries: readonly Entry[]) => void
}

interface Waiting {
  readonly entries: readonly Entry[]
  readonly resolve: (sequences: readonly number[]) => void
  readonly reject: (error: unknown) => void
}

const RETRY_MS = 500
const BATCH = 512

export class Recorder {
  readonly #journal: Pick<Journal, 'append'>
  readonly #clock: Clock
  readonly #log: Log
  readonly #bound: number
  readonly #onRecord: (entries: readonly Entry[]) => void
  #queue: Waiting[] = []
  #entries = 0
  #writing = false
  #refused: string | null = null
  #closing = false
  #shed = 0

  constructor({ journal, clock, log, bound = 20_000, onRecord = () => {} }: RecorderOptions) {
    this.#journal = journal
    this.#clock = clock
    this.#log = log
    this.#bound = bound
    this.#onRecord = onRecord
  }

  /** Entries not yet durable. */
  get backlog(): number {
    return this.#entries
  }
  /** Inputs left out because the disk refused for too long. */
  get shed(): number {
    return this.#shed
  }
  /** Why the disk refuses, or null when it doesn't. */
  get refused(): string | null {
    return this.#refused
  }

  /**
   * Resolves with the events' sequences when they are durable, however long the disk refuses; rejects with QUEUE_FULL at the bound
   * and STOPPED when closed before.
   */
  record(entries: readonly Entry[]): Promise<readonly number[]> {
    const keep = this.#entries * 2 < this.#bound ? entries : entries.filter((e) => e.kind === 'event')
    this.#shed += entries.length - keep.length
    if (keep.length === 0) return Promise.resolve([])
    if (this.#entries + keep.length > this.#bound) {
      const error = new LuongError('QUEUE_FULL', `${this.#entries} entries wait for a journal that cannot be written (${this.#refused})`)
      this.#log.error({ code: error.code, entries: keep }, error.message)
      return Promise.reject(error)
    }
    const work = new Promise<readonly number[]>((resolve, reject) => {
      this.#queue.push({ entries: keep, resolve, reject })
    })
    this.#entries += keep.length
    this.#onRecord(keep)
    if (!this.#writing) void this.#write()
    // Nobody waits for inputs alone. While the disk refuses, time must go on.
    if (this.#refused === null && keep.some((e) => e.kind === 'event')) this.#clock.track(work.catch(() => {}))
    return work
  }

  #take(): Waiting[] {
    let n = 0
    let i = 0
    while (i < this.#queue.length && (i === 0 || n + this.#queue[i]!.entries.length <= BATCH)) n += this.#queue[i++]!.entries.length
    return this.#queue.splice(0, i)
  }

  async #write(): Promise<void> {
    this.#writing = true
    // What is recorded in this turn of the event loop goes together.
    await Promise.resolve()
    while (this.#queue.length > 0) {
      const batch = this.#take()
      try {
        const { sequences } = await this.#journal.append(batch.flatMap((w) => w.entries))
        if (this.#refused !== null) this.#log.info({ entries: this.#entries }, 'the journal takes entries again')
        this.#refused = null
        let at = 0
        for (const w of batch) {
          const events = w.entries.filter((e) => e.kind === 'event').length
          this.#entries -= w.entries.length
          w.resolve(sequences.slice(at, at + events))
          at += events
        }
      } catch (error) {
        this.#queue.unshift(...batch)
        if (this.#refused === null)
          this.#log.error({ err: messageOf(error), entries: this.#entries }, 'the journal refuses entries; they are kept and tried again')
        this.#refused = messageOf(error)
        if (this.#closing) break
        await sleep(this.#clock, RETRY_MS)
      }
    }
    this.#writing = false
  }

  /** Waits until all is durable, `ms` at most; what is left is rejected and logged. */
  async close(ms: number): Promise<void> {
    const until = performance.now() + ms
    while (this.#entries > 0 && performance.now() < until) {
      if (!this.#writing) void this.#write()
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    this.#closing = true
    if (this.#queue.length > 0)
      this.#log.error({ entries: this.#queue.flatMap((w) => w.entries) }, 'stopped with entries the journal did not take')
    for (const w of this.#queue.splice(0)) w.reject(new LuongError('STOPPED', 'stopped before the journal took the entries'))
  }
}
