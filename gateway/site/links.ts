/** The site's ways to its brokers: the local one (embedded or external), and the central one where there is an uplink. */

import type { Order } from '../identity/orders.ts'
import type { Journal } from '../journal/journal.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Log } from '../kernel/log.ts'
import { BrokerConnection, type ConnectionOptions, type Outgoing } from '../uplink/connection.ts'
import type { Inbox } from '../uplink/inbox.ts'
import { parkedInJournal } from '../uplink/parked.ts'
import { type EventSource, Publisher } from '../uplink/publisher.ts'
import type { SealedHeadMessage } from '../uplink/schema/head.ts'
import type { LaneState, Stats, Status } from '../uplink/schema/up.ts'
import { StatePublisher, statusMessage } from '../uplink/state.ts'
import type { TopicBase } from '../uplink/topics.ts'

export interface TargetOptions extends TopicBase {
  /** Name of the publisher's cursor in the journal. */
  readonly target: 'local' | 'uplink'
  readonly connection: Pick<
    ConnectionOptions,
    'url' | 'others' | 'admit' | 'stream' | 'username' | 'password' | 'keepSession' | 'protocol' | 'ackMs' | 'keepaliveS' | 'backoff'
  >
  readonly clientId: string
  readonly window: number
  /** Events a second that are sent late, at most. */
  readonly latePerSecond?: number
  /** What may be ordered over it. Default: everything. */
  readonly orders?: readonly Order[]
  readonly journal: EventSource & Pick<Journal, 'documents' | 'putDocument'>
  readonly inbox: Inbox
  /** The status as of now. */
  readonly status: () => Status
  readonly clock: Clock
  readonly log: Log
}

/** Everything that goes up to one broker, and what comes down from it. */
export class Target {
  readonly name: TargetOptions['target']
  readonly connection: BrokerConnection
  readonly publisher: Publisher
  readonly #o: TargetOptions
  readonly #state: StatePublisher
  readonly #inbox: Inbox
  readonly #orders: readonly Order[] | undefined
  readonly #present: () => Outgoing
  #detach: (() => void) | null = null

  constructor(o: TargetOptions) {
    this.#o = o
    this.name = o.target
    const base = { root: o.root, site: o.site }
    const message = (online: boolean) => () => statusMessage(base, { ...o.status(), online })
    const birth = () => {
      const late = this.publisher.announce()
      return statusMessage(base, { ...o.status(), ...(late ? { historical: late } : {}) })
    }
    this.#present = message(true)
    this.connection = new BrokerConnection({
      ...o.connection,
      name: o.target === 'local' ? 'site broker' : 'uplink',
      clientId: o.clientId,
      will: message(false),
      birth,
      farewell: message(false),
      clock: o.clock,
      log: o.log,
    })
    this.publisher = new Publisher({
      ...base,
      target: o.target,
      link: this.connection,
      source: o.journal,
      parked: parkedInJournal(o.journal, o.target),
      clock: o.clock,
      log: o.log,
      window: o.window,
      ...(o.latePerSecond === undefined ? {} : { latePerSecond: o.latePerSecond }),
    })
    this.#state = new StatePublisher({ ...base, link: this.connection, clock: o.clock, log: o.log })
    this.#inbox = o.inbox
    this.#orders = o.orders
  }

  async start(): Promise<void> {
    this.#detach = this.#inbox.attach(this.connection, this.#orders)
    this.#state.start()
    await this.publisher.start()
    this.connection.start()
  }

  /**
   * One more connection to this broker, for what devices say and are told: on this one what comes behind a command waits until that is durable,
   * and a sensor must not. Whoever asks starts and stops it.
   */
  forDevices(): BrokerConnection {
    const { connection, clientId, clock, log } = this.#o
    return new BrokerConnection({ ...connection, name: 'site broker (devices)', clientId: `${clientId}-devices`, clock, log })
  }

  lane(id: string, state: LaneState): void {
    this.#state.lane(id, state)
  }
  stats(stats: Stats): void {
    this.#state.stats(stats)
  }
  head(head: SealedHeadMessage): void {
    this.#state.head(head)
  }
  status(status: Status): void {
    const { late } = this.publisher
    this.#state.status({ ...status, ...(late ? { historical: late } : {}) })
  }
  /** Says that the site is there, also when nothing is new. */
  present(): Promise<void> {
    return this.connection.publishRetained(this.#present())
  }

  async stop(): Promise<void> {
    await this.publisher.stop()
    this.#state.stop()
    // First the connection: taking back the subscriptions would make the broker forget what is said while we are away.
    await this.connection.stop()
    this.#detach?.()
  }
}

/**
 * Sends again to the broker that asked: the others have lost nothing, and their consumers are spared what they have.
 * @param via the connection that was asked over
 * @returns how many events are sent again
 * @throws PAYLOAD_INVALID when there is no such sequence
 */
export function resendOver(targets: readonly Target[], via: object, sequence: number): number {
  const target = targets.find(({ connection }) => connection === via)
  return target?.publisher.resendFrom(sequence) ?? 0
}
