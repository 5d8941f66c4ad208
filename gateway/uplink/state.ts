/** Retained pictures of the present: status, lane states, statistics. Keep latest: what is overtaken before it was sent is not sent. */
import type { MessageTransport } from '../../firmware-bridge/transport/transport.ts'
import type { Clock, Timer } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import type { Outgoing } from './connection.ts'
import type { SealedHeadMessage } from './schema/head.ts'
import type { LaneState, Stats, Status } from './schema/up.ts'
import { TOPICS, type TopicBase, topic } from './topics.ts'

export interface StateOptions extends TopicBase {
  readonly link: MessageTransport
  readonly clock: Clock
  readonly log: Log
  /** Least time between two messages on one topic, ms. */
  readonly everyMs?: number
}

interface Slot {
  readonly qos: 0 | 1
  /** What should be there, and what the broker last took; compared without the stamp. */
  payload: string
  content: string
  sent: string | null
  busy: boolean
  timer: Timer | undefined
}

/** The status message as birth, last will or farewell of a connection. */
export function statusMessage(base: TopicBase, status: Status): Outgoing {
  return { topic: topic(TOPICS.status, base), payload: JSON.stringify(status) }
}

export class StatePublisher {
  readonly #o: StateOptions
  readonly #every: number
  readonly #slots = new Map<string, Slot>()
  #off: (() => void) | undefined
  #running = false

  constructor(options: StateOptions) {
    this.#o = options
    this.#every = options.everyMs ?? 250
  }

  start(): void {
    this.#running = true
    this.#off = this.#o.link.onState((up) => {
      if (!up) return
      // The broker may have lost its retained messages with its power.
      const status = topic(TOPICS.status, this.#o)
      for (const [where, slot] of this.#slots) {
        // The birth message that has just been sent is newer than what is kept here.
        slot.sent = where === status ? slot.content : null
        this.#send(where, slot)
      }
    })
  }

  stop(): void {
    this.#running = false
    this.#off?.()
    for (const slot of this.#slots.values()) slot.timer?.cancel()
    this.#slots.clear()
  }

  lane(lane: string, state: LaneState): void {
    this.#put(topic(TOPICS.state, { root: this.#o.root, site: this.#o.site, lane }), state, 1)
  }

  stats(stats: Stats): void {
    this.#put(topic(TOPICS.stats, this.#o), stats, 0)
  }

  /** Where the journal stands; given only when it has grown. */
  head(head: SealedHeadMessage): void {
    this.#put(topic(TOPICS.head, this.#o), head, 1)
  }

  /** A new status while online, e.g. when the journal has grown. */
  status(status: Status): void {
    this.#put(topic(TOPICS.status, this.#o), status, 1)
  }

  #put(where: string, value: { at: string }, qos: 0 | 1): void {
    const content = JSON.stringify({ ...value, at: '' })
    const slot = this.#slots.get(where) ?? { qos, payload: '', content: '', sent: null, busy: false, timer: undefined }
    this.#slots.set(where, slot)
    if (slot.content === content) return
    slot.content = content
    slot.payload = JSON.stringify(value)
    this.#send(where, slot)
  }

  #send(where: string, slot: Slot): void {
    if (!this.#running || slot.busy || slot.timer || slot.sent === slot.content || !this.#o.link.up) return
    const { content } = slot
    slot.busy = true
    slot.timer = this.#o.clock.after(this.#every, () => {
      slot.timer = undefined
      this.#send(where, slot)
    })
    this.#o.link
      .publish(where, slot.payload, { qos: slot.qos, retain: true })
      .then(() => {
        slot.sent = content
      })
      .catch((error) => this.#o.log.debug({ topic: where, err: messageOf(error) }, 'state not sent; the next one will be'))
      .finally(() => {
        slot.busy = false
        this.#send(where, slot)
      })
  }
}
