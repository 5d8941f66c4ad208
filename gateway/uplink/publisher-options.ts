/** What a publisher is given, and what it says of itself. */
import type { Backoff } from '../../firmware-bridge/transport/backoff.ts'
import type { MessageTransport } from '../../firmware-bridge/transport/transport.ts'
import type { Journal } from '../journal/journal.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Log } from '../kernel/log.ts'
import type { Parked, ParkedStore } from './parked.ts'
import type { LeftOut } from './skipped.ts'
import type { TopicBase } from './topics.ts'

/** What events are sent over. `marks` are MQTT 5 user properties: left out where the broker does not speak it. */
export interface EventLink extends Pick<MessageTransport, 'up' | 'onState'> {
  publish(topic: string, payload: string, options: { qos: 1; retain: false; marks?: Readonly<Record<string, string>> }): Promise<void>
}

export interface EventSource extends Pick<Journal, 'head' | 'events' | 'onCommit' | 'cursor' | 'setCursor'> {
  /** Sequences of which it has no event; without it: none. */
  readonly leftOut?: LeftOut
}

export interface PublisherOptions extends TopicBase {
  /** Name of the cursor in the journal: one for each broker. */
  readonly target: string
  readonly link: EventLink
  readonly source: EventSource
  readonly parked: ParkedStore
  readonly clock: Clock
  readonly log: Log
  /** Events sent and not yet acknowledged. */
  readonly window?: number
  /** Events a second that are sent late, at most. */
  readonly latePerSecond?: number
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
  /** Sequences that are sent late. */
  readonly late: Range | null
  /** What keeps it from going on, or null. */
  readonly why: string | null
}

/** Sequences, both ends included. */
export interface Range {
  readonly from: number
  readonly to: number
}
