/**
 * Sends the journal's events to one broker, from a durable cursor: QoS 1, in order, at most `window` not yet acknowledged
 * and at most as many read ahead. The cursor moves over acknowledged events without a gap only; after a loss everything
 * behind it is sent again, byte for byte as the journal froze it. So nothing is lost, and what comes twice is identical.
 *
 * After a long time away there are two runs: what was held is sent late, in order and at a pace, and what happens from now on goes
 * before it, in order as well, with a cursor of its own.
 */
import { Backoff } from '../../firmware-bridge/transport/backoff.ts'
import type { StoredEvent } from '../journal/journal.ts'
import type { Timer } from '../kernel/clock.ts'
import { withDeadline } from '../kernel/clock.ts'
import { LuongError, messageOf } from '../kernel/errors.ts'
import { type Course, Courses, type Flight } from './course.ts'
import { Pace } from './pace.ts'
import { type Parked, ParkedEvents } from './parked.ts'
import type { PublisherOptions, PublisherStats, Range } from './publisher-options.ts'
import { BrokerRefused } from './session.ts'
import { NO_LANE, TOPICS, topic } from './topics.ts'

export type { EventLink, EventSource, PublisherOptions, PublisherStats, Range } from './publisher-options.ts'

const LATE_PER_SECOND = 500
/** Part of the window that late events may fill. */
const LATE_SHARE = 0.75

/** An event refused this often, each time alone and on a link that had just taken our status, is parked. */
const STRIKES = 5
/** So many parked without one success in between: the broker, or the way to it, is at fault, and not the events. */
const MAX_PARKED_IN_ROW = 3
const MAX_PARKED = 256
const STOP_MS = 2_000

export class Publisher {
  readonly #o: PublisherOptions
  readonly #full: number
  readonly #backoff: Backoff
  readonly #pace: Pace
  readonly #parked: ParkedEvents
  readonly #off: (() => void)[] = []
  readonly #courses: Courses
  /** Up to here events were recorded before the connection on which they are sent. */
  #historical = 0
  #announced: number | null = null
  /** Everything started under an older number counts as unsent. */
  #epoch = 0
  #window: number
  #running = false
  #pause: Timer | undefined
  #breath: Timer | undefined
  #suspect = { sequence: 0, strikes: 0 }
  #parkedInRow = 0
  #sent = 0
  #acknowledged = 0
  #why: string | null = null
  #retriedParked = false
  #wakeStop: (() => void) | undefined

  constructor(options: PublisherOptions) {
    this.#o = options
    this.#full = Math.max(1, options.window ?? 32)
    this.#window = this.#full
    this.#backoff = options.backoff ?? new Backoff(500, 30_000)
    this.#courses = new Courses(options.target, options.source)
    this.#parked = new ParkedEvents(options.parked, options.log)
    this.#pace = new Pace(options.clock, options.latePerSecond ?? LATE_PER_SECOND)
  }

  async start(): Promise<void> {
    const { source, target, log } = this.#o
    const head = source.head().sequence
    const [cursor] = await Promise.all([this.#courses.load(head), this.#parked.load()])
    if (cursor > head) log.error({ target, cursor, head }, 'the cursor is ahead of the journal (older data restored?); going on at its end')
    this.#running = true
    this.#off.push(source.onCommit(() => this.#pump()))
    this.#off.push(this.#o.link.onState((up, why) => (up ? this.#linkUp() : this.#linkDown(why ?? 'link down'))))
    this.#pump()
  }

  /** Sends nothing new, waits shortly for acknowledgements that are on their way, and settles. */
  async stop(): Promise<void> {
    if (!this.#running) return
    this.#running = false
    this.#pause?.cancel()
    this.#breath?.cancel()
    if (this.#courses.inFlight > 0 && this.#o.link.up) {
      const empty = new Promise<void>((resolve) => {
        this.#wakeStop = resolve
      })
      await withDeadline(this.#o.clock, empty, STOP_MS, () => new Error('late')).catch(() => {})
    }
    for (const off of this.#off.splice(0)) off()
    this.#startOver()
  }

  /**
   * Sees to it that `sequence` and all after it are sent (again). Returns how many events that are.
   * @throws PAYLOAD_INVALID when there is no such sequence.
   */
  resendFrom(sequence: number): number {
    const head = this.#o.source.head().sequence
    if (!Number.isSafeInteger(sequence) || sequence < 1 || sequence > head) {
      throw new LuongError('PAYLOAD_INVALID', `resend-from ${sequence}: the journal holds sequences 1 to ${head}`)
    }
    // What lies behind a cursor is on its way anyway.
    if (this.#courses.back(sequence)) {
      this.#historical = head
      this.#again()
    }
    return this.#courses.count(sequence - 1, head)
  }

  /** Says what will be sent late on the connection that is being made, and keeps to it. */
  announce(): Range | null {
    this.#announced = this.#o.source.head().sequence
    this.#historical = this.#announced
    return this.late
  }

  /** Sequences that are sent late: they were recorded before the connection was there. Null: none. */
  get late(): Range | null {
    const { cursor, late, live } = this.#courses
    const to = this.#historical > live.cursor ? this.#historical : (late?.end ?? 0)
    return cursor < to ? { from: cursor + 1, to } : null
  }

  stats(): PublisherStats {
    return {
      target: this.#o.target,
      cursor: this.#courses.cursor,
      lag: this.#courses.lag(this.#o.source.head().sequence),
      inFlight: this.#courses.inFlight,
      window: this.#window,
      sent: this.#sent,
      acknowledged: this.#acknowledged,
      parked: this.#parked.all(),
      late: this.late,
      why: this.#why,
    }
  }

  #linkUp(): void {
    this.#why = null
    this.#historical = this.#announced ?? this.#o.source.head().sequence
    this.#announced = null
    // It was for the broker as it was on the connection before.
    this.#pause?.cancel()
    this.#pause = undefined
    this.#again()
    if (!this.#retriedParked) {
      this.#retriedParked = true
      this.#retryParked().catch((error) =>
        this.#o.log.warn({ target: this.#o.target, err: messageOf(error) }, 'parked events were not retried'),
      )
    }
  }

  #linkDown(why: string): void {
    this.#why = why
    const flights = this.#courses.all().flatMap((course) => course.flights)
    const first =
      flights.find((f) => f.event.sequence === this.#suspect.sequence && !f.acknowledged) ?? flights.find((f) => !f.acknowledged)
    const alone = this.#window === 1
    this.#startOver()
    if (!first) return
    this.#window = 1
    if (!this.#running) return
    // Only an event sent alone can be blamed for the loss of the link. So it goes alone next time.
    if (alone) this.#strike(first.event, why)
    else if (this.#suspect.sequence !== first.event.sequence) this.#suspect = { sequence: first.event.sequence, strikes: 0 }
  }

  /** Sends from the cursors on; what was recorded before this connection in a course of its own, if it is much. */
  #again(): void {
    this.#startOver()
    this.#courses.split(this.#historical)
    this.#courses.store()
    this.#pump()
  }

  /** Counts what is in flight as unsent: the next to go is the one behind the cursor. */
  #startOver(): void {
    this.#epoch++
    this.#courses.startOver()
  }

  #pump(): void {
    if (!this.#running || !this.#o.link.up || this.#pause) return
    while (this.#courses.inFlight < this.#window) {
      const flight = this.#next()
      if (!flight) break
      this.#send(flight)
    }
    // Read ahead, so that each acknowledgement is answered by the next event at once: its segment also carries the TCP
    // acknowledgement for which brokers without TCP_NODELAY hold back theirs (40 ms otherwise).
    for (const course of this.#courses.all()) if (course.ahead * 2 <= this.#window) this.#fetch(course)
  }

  /** What happens now goes first; but an event that may have cost us the link goes alone, before all others. */
  #next(): Flight | undefined {
    const { late, live } = this.#courses
    const suspect = this.#window === 1 ? this.#courses.holding(this.#suspect.sequence) : undefined
    if (suspect) return suspect.next()
    const flight = live.next()
    if (flight || !late || late.ahead === 0 || late.flights.length >= Math.max(1, this.#window * LATE_SHARE)) return flight
    const wait = this.#pace.take()
    if (wait === 0) return late.next()
    this.#breath ??= this.#o.clock.after(wait, () => {
      this.#breath = undefined
      this.#pump()
    })
  }

  #fetch(course: Course): void {
    const wanted = course.wanted(this.#o.source.head().sequence, this.#window)
    if (!wanted) return
    const epoch = this.#epoch
    course.fetching = true
    this.#o.source.events(wanted.after, wanted.limit).then(
      (events) => {
        course.fetching = false
        if (epoch === this.#epoch) course.take(events)
        if (epoch !== this.#epoch || events.length > 0) this.#pump()
      },
      (error) => {
        course.fetching = false
        this.#o.log.error({ target: this.#o.target, err: messageOf(error) }, 'events cannot be read from the journal; trying again')
        this.#wait(messageOf(error))
      },
    )
  }

  #send(flight: Flight): void {
    const epoch = this.#epoch
    const { event } = flight
    this.#sent++
    this.#publish(event).then(
      () => {
        if (epoch === this.#epoch) this.#acknowledge(flight)
      },
      (error) => {
        if (epoch !== this.#epoch || !this.#running) return
        // A lost link is told by onState, which starts over; anything else concerns this event.
        if (!(error instanceof LuongError && error.code === 'LINK_DOWN')) this.#refused(event, error)
      },
    )
  }

  #publish(event: StoredEvent): Promise<void> {
    const { link, root, site } = this.#o
    const where = topic(TOPICS.event, { root, site, lane: event.lane ?? NO_LANE })
    const marks = event.sequence <= this.#historical ? { marks: { historical: 'true' } } : {}
    return link.publish(where, event.json, { qos: 1, retain: false, ...marks })
  }

  #acknowledge(flight: Flight): void {
    const { sequence } = flight.event
    this.#acknowledged++
    this.#why = null
    const blamed = this.#parkedInRow >= MAX_PARKED_IN_ROW
    this.#parkedInRow = 0
    this.#suspect = { sequence: 0, strikes: 0 }
    this.#backoff.reset()
    this.#window = Math.min(this.#full, this.#window * 2)
    this.#parked.remove(sequence)
    if (flight.course.acknowledge(flight)) this.#moved()
    if (this.#courses.inFlight === 0) this.#wakeStop?.()
    // The broker had refused everything: what was parked then deserves another try.
    if (blamed) this.#retryParked()
    this.#pump()
  }

  /** A cursor went on. */
  #moved(): void {
    // The live run ended with an event that none behind it may overtake. Now they go: late, where they are many.
    if (this.#courses.live.done && this.#courses.split(this.#historical)) this.#startOver()
    this.#courses.store()
  }

  #refused(event: StoredEvent, error: unknown): void {
    const reason = messageOf(error)
    this.#startOver()
    this.#window = 1
    this.#wait(reason)
    // A full queue or a stopping link says nothing about the event.
    if (error instanceof BrokerRefused || (error instanceof LuongError && error.code === 'PAYLOAD_INVALID')) this.#strike(event, reason)
  }

  #wait(why: string): void {
    this.#why = why
    this.#pause?.cancel()
    this.#pause = this.#o.clock.after(this.#backoff.next(), () => {
      this.#pause = undefined
      this.#pump()
    })
  }

  #strike(event: StoredEvent, reason: string): void {
    const { sequence } = event
    this.#suspect = { sequence, strikes: this.#suspect.sequence === sequence ? this.#suspect.strikes + 1 : 1 }
    if (this.#suspect.strikes < STRIKES) return
    if (this.#parkedInRow >= MAX_PARKED_IN_ROW || this.#parked.size >= MAX_PARKED) {
      this.#why = `the broker takes no event any more (${reason}); trying on with ${sequence}`
      return
    }
    void this.#park({ sequence, reason, at: this.#o.clock.now() })
  }

  async #park(parked: Parked): Promise<void> {
    const { target, log } = this.#o
    const { sequence } = parked
    // It was sent alone: it is the next one behind this cursor, although sequences in between may be left out.
    const from = this.#courses.holding(sequence)?.cursor
    this.#startOver()
    // The stream goes on only when it is durable that this one was put aside. Until then it is tried on.
    if (!(await this.#parked.put(parked))) return
    const course = this.#courses.holding(sequence)
    // The broker has taken it after all.
    if (!course) return this.#parked.remove(sequence)
    // Or all is sent again from before it: it is tried once more when it is its turn, and nothing before it may be passed over.
    if (this.#suspect.sequence !== sequence || course.cursor !== from) return
    log.error({ target, ...parked }, 'an event is refused by the broker and was put aside; it stays in the journal')
    this.#parkedInRow++
    this.#suspect = { sequence: 0, strikes: 0 }
    course.cursor = sequence
    this.#startOver()
    this.#moved()
    this.#pump()
  }

  /** After a start, or when the broker takes events again: one after the other; the first failure ends it. */
  async #retryParked(): Promise<void> {
    try {
      for (const { sequence } of this.#parked.all()) {
        const [event] = await this.#o.source.events(sequence - 1, 1)
        if (!this.#running) return
        // It may have been decided since that this one is never sent.
        if (event?.sequence === sequence) await this.#publish(event)
        this.#parked.remove(sequence)
      }
    } catch (error) {
      this.#o.log.warn({ target: this.#o.target, err: messageOf(error) }, 'parked events are still refused; they stay parked')
    }
  }
}
