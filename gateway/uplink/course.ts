/** What is on its way to a broker: one run of events, or two after a long time away. */
import type { StoredEvent } from '../journal/journal.ts'
import type { EventSource } from './publisher-options.ts'
import { LeftOut } from './skipped.ts'

export interface Flight {
  readonly event: StoredEvent
  readonly course: Course
  acknowledged: boolean
}

/** One run: read ahead in order, sent in order, with a cursor behind what was acknowledged without a gap. */
export class Course {
  /** Last sequence that belongs to it, of an event that there is; infinite for what is recorded from now on. */
  readonly end: number
  /** Up to here everything was acknowledged, or put aside. */
  cursor: number
  /** In order of sequence; the first is the one behind the cursor. */
  readonly flights: Flight[] = []
  #waiting: StoredEvent[] = []
  fetching = false

  constructor(cursor: number, end = Number.POSITIVE_INFINITY) {
    this.cursor = cursor
    this.end = end
  }

  get done(): boolean {
    return this.cursor >= this.end
  }
  /** Events read and not yet sent. */
  get ahead(): number {
    return this.#waiting.length
  }
  holds(sequence: number): boolean {
    return sequence > this.cursor && sequence <= this.end
  }

  /** What to read next from a journal that ends at `head`: after which sequence, and how many; null: nothing. */
  wanted(head: number, room: number): { after: number; limit: number } | null {
    if (this.fetching) return null
    const after = this.#waiting.at(-1)?.sequence ?? this.flights.at(-1)?.event.sequence ?? this.cursor
    const limit = Math.min(room - this.#waiting.length, Math.min(head, this.end) - after)
    return limit > 0 ? { after, limit } : null
  }

  /** What was read: may be more than belongs here, since where numbers are left out so many events reach further. */
  take(events: readonly StoredEvent[]): void {
    this.#waiting.push(...events.filter(({ sequence }) => sequence <= this.end))
  }

  /** The next one, from now on in flight. */
  next(): Flight | undefined {
    const event = this.#waiting.shift()
    if (!event) return
    const flight = { event, course: this, acknowledged: false }
    this.flights.push(flight)
    return flight
  }

  /** Moves the cursor over what is acknowledged without a gap. Returns whether it moved. */
  acknowledge(flight: Flight): boolean {
    flight.acknowledged = true
    let count = 0
    while (this.flights[count]?.acknowledged) count++
    const last = this.flights[count - 1]
    if (!last) return false
    this.flights.splice(0, count)
    this.cursor = last.event.sequence
    return true
  }

  /** Something from `sequence` on was acknowledged and lies before a gap: it would not come again by itself. */
  took(sequence: number): boolean {
    return this.flights.some(({ acknowledged, event }) => acknowledged && event.sequence >= sequence)
  }

  /** Counts everything after the cursor as unsent. */
  startOver(): void {
    this.flights.length = 0
    this.#waiting = []
  }
}

/** With more than this to catch up, what happens from now on does not wait for it. Less is through in about a second. */
const MANY = 500

type CursorSource = Pick<EventSource, 'cursor' | 'setCursor' | 'leftOut'>

/** What happens now, and, while there is much of it, what is sent late; with their cursors in the journal. */
export class Courses {
  readonly #target: string
  readonly #source: CursorSource
  readonly #leftOut: LeftOut
  live = new Course(0)
  late: Course | null = null
  /** How far the live run has ever come. */
  #told = 0

  constructor(target: string, source: CursorSource) {
    this.#target = target
    this.#source = source
    this.#leftOut = source.leftOut ?? new LeftOut()
  }

  /** Reads where an earlier run stood. Returns its cursor, which may lie beyond `head` when older data was restored. */
  async load(head: number): Promise<number> {
    const [cursor = 0, end = 0, live = 0] = await Promise.all(this.#cursors().map(([name]) => this.#source.cursor(name)))
    if (end > cursor && end <= live && live <= head) {
      // It may have been decided since that what was recorded last is never sent.
      const last = (this.#leftOut.holding(end)?.from ?? end + 1) - 1
      if (last > cursor) this.late = new Course(cursor, last)
      this.live = new Course(live)
    } else this.live = new Course(Math.min(cursor, head))
    return cursor
  }

  /** Up to here nothing is missing at the broker. */
  get cursor(): number {
    return (this.late ?? this.live).cursor
  }
  get inFlight(): number {
    return this.live.flights.length + (this.late?.flights.length ?? 0)
  }
  all(): Course[] {
    return this.late ? [this.live, this.late] : [this.live]
  }
  /** The one that `sequence` is on its way in. */
  holding(sequence: number): Course | undefined {
    return this.all().find((course) => course.holds(sequence))
  }
  /** Events behind `after`, up to `upTo`. */
  count(after: number, upTo: number): number {
    return this.#leftOut.count(after, upTo)
  }
  /** Events from 1 to `head` that were not acknowledged. */
  lag(head: number): number {
    return this.count(this.live.cursor, head) + (this.late ? this.count(this.late.cursor, this.late.end) : 0)
  }

  /** Makes `sequence` and what follows unsent, unless it is on its way already. Returns whether all is to be started over. */
  back(sequence: number): boolean {
    const { late, live } = this
    this.#told = Math.max(this.#told, live.cursor)
    if (late && sequence <= late.end) {
      // What was held and not sent yet comes anyway; what happened since comes again as well.
      const again = sequence <= late.cursor || late.took(sequence) || live.cursor > late.end || live.took(late.end)
      late.cursor = Math.min(late.cursor, sequence - 1)
      live.cursor = Math.min(live.cursor, late.end)
      return again
    }
    if (sequence > live.cursor) return live.took(sequence)
    live.cursor = sequence - 1
    return true
  }

  /**
   * Where much of what was recorded up to `head` is left, it goes late from now on. Nothing may be in flight in the live run. Returns whether so.
   *
   * The event that says which numbers are left out goes before all that have higher ones: until the broker has it, the live run ends there.
   */
  split(head: number): boolean {
    this.#told = Math.max(this.#told, this.live.cursor)
    const gap = this.#leftOut.next(this.#told, head)
    const upTo = gap ? gap.from - 1 : head
    const much = this.count(this.live.cursor, upTo) > MANY
    // What was sent between two times away goes once more: it is not worth a third cursor.
    if (much) this.late = new Course(this.cursor, upTo)
    const end = gap ? gap.to + 1 : Number.POSITIVE_INFINITY
    if (much || end !== this.live.end) this.live = new Course(much ? upTo : this.live.cursor, end)
    return much
  }

  /** Counts everything after the cursors as unsent. */
  startOver(): void {
    for (const course of this.all()) course.startOver()
  }

  /** Puts the cursors into the journal. */
  store(): void {
    if (this.late?.done) this.late = null
    for (const [name, sequence] of this.#cursors()) this.#source.setCursor(name, sequence)
  }

  #cursors(): [name: string, sequence: number][] {
    const { late, live } = this
    return [
      [this.#target, this.cursor],
      [`${this.#target}:late-end`, late?.end ?? 0],
      [`${this.#target}:live`, late ? live.cursor : 0],
    ]
  }
}
