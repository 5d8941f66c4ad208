/** The meters of all connections of the broker. */
import type { Socket } from 'node:net'
import type { Client } from 'aedes'
import { Bucket } from '../kernel/bucket.ts'
import type { Clock } from '../kernel/clock.ts'
import { PACKET } from './gate.ts'
import { type BrokerLimits, BURST_S, type LimitKind } from './limits.ts'
import { Meter, type Purse } from './meter.ts'

/** A subscriber that takes nothing for this long is dropped. */
const DRAIN_MS = 5_000
/** Room in a packet for topic and headers besides the payload. */
const OVERHEAD = 4_096
/** Of a CONNECT, which anybody may send: names, password and last will. */
const CONNECT_BYTES = 16 * 1024
/** Of a list of filters, for each subscription that a client may have. */
const FILTER_BYTES = 128
/** Of answers, pings and the like. */
const SMALL_BYTES = 1_024
/** Of packets that are not whole, all connections together; one message must always fit. */
const UNFINISHED_BYTES = 64 * 1024 * 1024
/** All clients together may have this many times what one may have waiting. */
const ALL = 4

export interface MeteringOptions {
  readonly clock: Clock
  readonly limits: () => BrokerLimits
  readonly maxPayloadKb: number
  readonly over: (kind: LimitKind, detail: object) => void
}

export class Metering {
  readonly #o: MeteringOptions
  readonly #meters = new Map<Socket, Meter>()
  readonly #names = new WeakMap<Socket, object>()
  readonly #purses = new Map<string, Purse>()

  constructor(options: MeteringOptions) {
    this.#o = options
  }

  /** Meters a connection from its first byte to its last. */
  watch(socket: Socket): void {
    const { clock, limits, over } = this.#o
    const from = socket.remoteAddress
    const maxPacket = this.#maxMessage()
    const meter = new Meter(socket, {
      clock,
      maxPacket: (type) => this.#largest(type),
      // One message must always fit, however small the limit is.
      queuedBytes: () => Math.max(limits().queuedBytes, 2 * maxPacket),
      purse: this.#purse(),
      over: (kind, detail) => over(kind, { from, ...this.#names.get(socket), ...detail }),
    })
    this.#meters.set(socket, meter)
    socket.once('close', () => this.#meters.delete(socket))
    meter.start()
  }

  /** A client has said who it is: all connections of a user share what it may send. */
  entered(client: Client, user: string | null): void {
    const socket = client.conn as Socket
    const meter = this.#meters.get(socket)
    if (!meter) return
    this.#names.set(socket, { ...(user === null ? {} : { user }), client: client.id })
    if (user !== null) {
      const purse = this.#purses.get(user) ?? this.#purse()
      this.#purses.set(user, purse)
      meter.enter(purse)
    } else meter.enter(null)
    paceRetained(client, socket)
  }

  #maxMessage(): number {
    return this.#o.maxPayloadKb * 1024 + OVERHEAD
  }

  #largest(type: number): number {
    if (type === PACKET.publish) return this.#maxMessage()
    if (type === PACKET.connect) return CONNECT_BYTES
    if (type === PACKET.subscribe || type === PACKET.unsubscribe)
      return Math.max(CONNECT_BYTES, FILTER_BYTES * this.#o.limits().subscriptions)
    return SMALL_BYTES
  }

  /** The limits are others now, also for those that are connected. */
  exchange(): void {
    const { messagesPerS, bytesPerS } = this.#o.limits()
    const now = this.#o.clock.mono()
    const meters = [...this.#meters.values()]
    for (const { packets, bytes } of new Set([...this.#purses.values(), ...meters.map((meter) => meter.purse)])) {
      packets.change(messagesPerS, messagesPerS * BURST_S, now)
      bytes.change(bytesPerS, bytesPerS * BURST_S, now)
    }
    for (const meter of meters) meter.again()
  }

  /** Ends what is late, stuck or too much. Called twice a second. */
  sweep(): void {
    const { packetMs, queuedBytes } = this.#o.limits()
    let all = 0
    let most: Meter | null = null
    let collected = 0
    let largest: Meter | null = null
    for (const meter of this.#meters.values()) {
      meter.late(packetMs)
      meter.stuck(DRAIN_MS)
      all += meter.queued
      if (meter.queued > (most?.queued ?? 0)) most = meter
      collected += meter.collected
      if (meter.collected > (largest?.collected ?? 0)) largest = meter
    }
    if (collected > Math.max(UNFINISHED_BYTES, 2 * this.#maxMessage())) largest?.crowded()
    if (all > ALL * queuedBytes) most?.overflow()
    const now = this.#o.clock.mono()
    for (const [user, purse] of this.#purses) if (purse.packets.full(now) && purse.bytes.full(now)) this.#forget(user)
  }

  /** A full purse is as good as a new one, unless somebody still pays from it. */
  #forget(user: string): void {
    const used = [...this.#meters.keys()].some((socket) => (this.#names.get(socket) as { user?: string } | undefined)?.user === user)
    if (!used) this.#purses.delete(user)
  }

  #purse(): Purse {
    const { messagesPerS, bytesPerS } = this.#o.limits()
    const now = this.#o.clock.mono()
    return { packets: new Bucket(messagesPerS, messagesPerS * BURST_S, now), bytes: new Bucket(bytesPerS, bytesPerS * BURST_S, now) }
  }
}

type Deliver = (packet: { retain: boolean; brokerId: string | null }, done: () => void) => void

/**
 * Retained messages, of which there may be thousands, go out as fast as the subscriber takes them. aedes gives them all to
 * `deliverQoS`, one after the other; only there they can be told from what is published now.
 */
function paceRetained(client: Client, socket: Socket): void {
  const given = client as unknown as { deliverQoS: Deliver }
  const deliver = given.deliverQoS
  given.deliverQoS = (packet, done) => {
    const stored = packet.retain && packet.brokerId === null
    deliver(packet, stored ? () => (socket.writableNeedDrain && !socket.destroyed ? socket.once('drain', done) : done()) : done)
  }
}
