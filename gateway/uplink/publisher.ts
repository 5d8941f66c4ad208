/**
 * Sends the journal's events to one broker, from a durable cursor: QoS 1, in order, at most `window` not yet acknowledged
 * and at most as many read ahead. The cursor moves over acknowledged events without a gap only; after a loss everything
 * behind it is sent again, byte for byte as the journal froze it. So nothing is lost, and what comes twice is identical.
 */
import { Backoff } from '../../firmware-bridge/transport/backoff.ts'
import type { MessageTransport } from '../../firmware-bridge/transport/transport.ts'
import type { Journal, StoredEvent } from '../journal/journal.ts'
import type { Clock, Timer } from '../kernel/clock.ts'
import { withDeadline } from '../kernel/clock.ts'
import { LuongError, messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import type { Parked, ParkedStore } from './parked.ts'
import { BrokerRefused } from './session.ts'
import { NO_LANE, TOPICS, type TopicBase, topic } from './topics.ts'

export type EventSource = Pick<Journal, 'head' | 'events' | 'onCommit' | 'cursor' | 'setCursor'>

export interface PublisherOptions extends TopicBase {
  /** Name of the cursor in the journal: one for each broker. */
  readonly target: string
  readonly link: MessageTransport
  readonly source: EventSource
  readonly parked: ParkedStore
  readonly clock: Clock
  readonly log: Log
  /** Events sent and not yet acknowledged. */
  readonly window?: number
  /** Waits between attempts at an event the broker refuses. */
  readonly backoff?: Backoff
}

export interface PublisherStats {
  readonly target: string
  readonly cursor: number
  /** Events in the journal and not yet acknowledged. */
  readonly lag: number
  readonly inFlight: number
  /** Window at present: 1 after trouble, growing with each acknowledgement. */
  readonly window: number
  /** Publishes handed over, repeats included. */
  readonly sent: number
  readonly acknowledged: number
  readonly parked: readonly Parked[]
  /** What keeps it from going on, or null. */
  readonly why: string | null
}

interface Flight {
  readonly event: StoredEvent
  acknowledged: boolean
}

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
  readonly #parked = new Map<number, Parked>()
  readonly #off: (() => void)[] = []
  /** In order of sequence; the first is the one behind the cursor. */
  readonly #flights: Flight[] = []
  #waiting: StoredEvent[] = []
  /** Everything started under an older number counts as unsent. */
  #epoch = 0
  #cursor = 0
  #window: number
  #running = false
  #fetching = false
  #pause: Timer | undefined
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
  }

  async start(): Promise<void> {
    const { source, target, log } = this.#o
    const [cursor, parked] = await Promise.all([source.cursor(target), this.#o.parked.load()])
    const head = source.head().sequence
    if (cursor > head) log.error({ target, cursor, head }, 'the cursor is ahead of the journal (older data restored?); going on at its end')
    this.#cursor = Math.min(cursor, head)
    for (const p of parked) this.#parked.set(p.sequence, p)
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
    if (this.#flights.length > 0 && this.#o.link.up) {
      const empty = new Promise<void>((resolve) => {
        this.#wakeStop = resolve
      })
      await withDeadline(this.#o.clock, empty, STOP_MS, () => new Error('late')).catch(() => {})
    }
    this.#epoch++
    for (const off of this.#off.splice(0)) off()
    this.#flights.length = 0
    this.#waiting = []
  }

  /**
   * Sees to it that `sequence` and all after it are sent (again). Returns how many that are.
   * @throws PAYLOAD_INVALID when there is no such sequence.
   */
  resendFrom(sequence: number): number {
    const head = this.#o.source.head().sequence
    if (!Number.isSafeInteger(sequence) || sequence < 1 || sequence > head) {
      throw new LuongError('PAYLOAD_INVALID', `resend-from ${sequence}: the journal holds sequences 1 to ${head}`)
    }
    // What lies behind the cursor is on its way anyway.
    if (sequence <= this.#cursor) {
      this.#moveCursor(sequence - 1)
      this.#startOver()
      this.#pump()
    }
    return head - sequence + 1
  }

  stats(): PublisherStats {
    return {
      target: this.#o.target,
      cursor: this.#cursor,
      lag: this.#o.source.head().sequence - this.#cursor,
      inFlight: this.#flights.length,
      window: this.#window,
      sent: this.#sent,
      acknowledged: this.#acknowledged,
      parked: [...this.#parked.values()],
      why: this.#why,
    }
  }

  #linkUp(): void {
    this.#why = null
    this.#startOver()
    if (!this.#retriedParked) {
      this.#retriedParked = true
      this.#retryParked().catch((error) =>
        this.#o.log.warn({ target: this.#o.target, err: messageOf(error) }, 'parked events were not retried'),
      )
    }
    this.#pump()
  }

  #linkDown(why: string): void {
    this.#why = why
    const first = this.#flights.find((f) => !f.acknowledged)
    const alone = this.#window === 1
    this.#startOver()
    if (!first) return
    this.#window = 1
    // Only an event sent alone can be blamed for the loss of the link.
    if (alone && this.#running) this.#strike(first.event, why)
  }

  /** Counts what is in flight as unsent: the next to go is the one behind the cursor. */
  #startOver(): void {
    this.#epoch++
    this.#flights.length = 0
    this.#waiting = []
  }

  #pump(): void {
    if (!this.#running || !this.#o.link.up || this.#pause) return
    while (this.#flights.length < this.#window) {
      const event = this.#waiting.shift()
      if (!event) break
      this.#send(event)
    }
    // Read ahead, so that each acknowledgement is answered by the next event at once: its segment also carries the TCP
    // acknowledgement for which brokers without TCP_NODELAY hold back theirs (40 ms otherwise).
    if (this.#waiting.length * 2 <= this.#window) this.#fetch(this.#window - this.#waiting.length)
  }

  #fetch(limit: number): void {
    if (this.#fetching) return
    const epoch = this.#epoch
    const after = this.#waiting.at(-1)?.sequence ?? this.#flights.at(-1)?.event.sequence ?? this.#cursor
    if (after >= this.#o.source.head().sequence) return
    this.#fetching = true
    this.#o.source.events(after, limit).then(
      (events) => {
        this.#fetching = false
        if (epoch === this.#epoch) this.#waiting.push(...events)
        if (epoch !== this.#epoch || events.length > 0) this.#pump()
      },
      (error) => {
        this.#fetching = false
        this.#o.log.error({ target: this.#o.target, err: messageOf(error) }, 'events cannot be read from the journal; trying again')
        this.#wait(messageOf(error))
      },
    )
  }

  #send(event: StoredEvent): void {
    const epoch = this.#epoch
    const flight: Flight = { event, acknowledged: false }
    this.#flights.push(flight)
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
    return link.publish(topic(TOPICS.event, { root, site, lane: event.lane ?? NO_LANE }), event.json, { qos: 1, retain: false })
  }

  #acknowledge(flight: Flight): void {
    flight.acknowledged = true
    this.#acknowledged++
    this.#why = null
    const blamed = this.#parkedInRow >= MAX_PARKED_IN_ROW
    this.#parkedInRow = 0
    this.#suspect = { sequence: 0, strikes: 0 }
    this.#backoff.reset()
    this.#window = Math.min(this.#full, this.#window * 2)
    if (this.#parked.has(flight.event.sequence)) this.#unpark(flight.event.sequence)
    let done = 0
    while (this.#flights[done]?.acknowledged) done++
    const last = this.#flights[done - 1]
    if (last) {
      this.#flights.splice(0, done)
      this.#moveCursor(last.event.sequence)
    }
    if (this.#flights.length === 0) this.#wakeStop?.()
    // The broker had refused everything: what was parked then deserves another try.
    if (blamed) this.#retryParked()
    this.#pump()
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
    this.#parkedInRow++
    this.#park({ sequence, reason, at: this.#o.clock.now() })
  }

  #park(parked: Parked): void {
    const { target, log } = this.#o
    this.#startOver()
    // The stream goes on only when it is durable that this one was put aside.
    this.#o.parked.put(parked).then(
      () => {
        this.#parked.set(parked.sequence, parked)
        log.error({ target, ...parked }, 'an event is refused by the broker and was put aside; it stays in the journal')
        this.#suspect = { sequence: 0, strikes: 0 }
        if (this.#cursor >= parked.sequence) this.#unpark(parked.sequence)
        else this.#moveCursor(parked.sequence)
        this.#startOver()
        this.#pump()
      },
      (error) => log.error({ target, sequence: parked.sequence, err: messageOf(error) }, 'an event could not be put aside; trying on'),
    )
  }

  #unpark(sequence: number): void {
    this.#parked.delete(sequence)
    this.#o.parked.delete(sequence).catch((error) => this.#o.log.warn({ sequence, err: messageOf(error) }, 'a parked mark was not removed'))
  }

  /** After a start, or when the broker takes events again: one after the other; the first failure ends it. */
  async #retryParked(): Promise<void> {
    try {
      for (const { sequence } of [...this.#parked.values()]) {
        const [event] = await this.#o.source.events(sequence - 1, 1)
        if (!this.#running || !event || event.sequence !== sequence) return
        await this.#publish(event)
        this.#unpark(sequence)
      }
    } catch (error) {
      this.#o.log.warn({ target: this.#o.target, err: messageOf(error) }, 'parked events are still refused; they stay parked')
    }
  }

  #moveCursor(to: number): void {
    this.#cursor = to
    this.#o.source.setCursor(this.#o.target, to)
  }
}
