/**
 * The site's own connection to a broker: last will, birth message before anything else, and an `up` that means
 * "birth acknowledged and subscribed". Each attempt is a fresh mqtt.js client, so that nothing of an earlier
 * connection is ever sent again by the library; sending again is the publisher's work, from the journal.
 */
import type { Duplex } from 'node:stream'
import type { IClientOptions, IPublishPacket } from 'mqtt'
import { connect, MqttClient } from 'mqtt'
import { accessOptions, type BrokerAccess, RENEWED, sameAccess } from '../../firmware-bridge/transport/access.ts'
import { Backoff } from '../../firmware-bridge/transport/backoff.ts'
import { LinkState } from '../../firmware-bridge/transport/link-state.ts'
import { topicMatches, validFilter } from '../../firmware-bridge/transport/topic.ts'
import type { Message, MessageTransport } from '../../firmware-bridge/transport/transport.ts'
import { brokerProblem } from '../kernel/broker-problem.ts'
import { type Clock, type Timer, withDeadline } from '../kernel/clock.ts'
import { LuongError, messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import { BrokerRefused, type PublishOptions, Session } from './session.ts'

export interface Outgoing {
  readonly topic: string
  readonly payload: string
}

export interface ConnectionOptions extends BrokerAccess {
  /** For logs and health: `central`, `site broker`. */
  readonly name: string
  readonly url: string
  /** Further nodes of the same broker, tried in turn after `url` when one is not reached or lost. */
  readonly others?: readonly string[]
  /** A way to a broker in this process, instead of the network. */
  readonly stream?: () => Duplex
  /** Must be unique at the broker; two gateways with one id throw each other out. */
  readonly clientId: string
  /** Retained, QoS 1. Made anew for each connection: what the broker sends when the link breaks. */
  readonly will?: () => Outgoing
  /** Retained, QoS 1: sent and acknowledged before `up`. */
  readonly birth?: () => Outgoing
  /** Retained, QoS 1: sent on a clean stop. */
  readonly farewell?: () => Outgoing
  /**
   * Asked before each connection, with how long the one before was up (ms; null: there was none a moment ago) and what gives access. Null: go on;
   * otherwise why not now.
   */
  readonly admit?: (lived: number | null, access: BrokerAccess) => Promise<string | null>
  /** `auto` tries MQTT 5, whose acknowledgements say when a message was refused, then 3.1.1. */
  readonly protocol?: 4 | 'auto'
  /** The broker keeps commands for this site while it is away (their `expires` still counts). Not for the embedded broker. */
  readonly keepSession?: boolean
  /** Timers of a real network: pass the system clock even where the site runs on a virtual one. */
  readonly clock: Clock
  readonly log: Log
  readonly keepaliveS?: number
  readonly connectMs?: number
  /** A publish not acknowledged in this time means a dead link: it is closed and made again. */
  readonly ackMs?: number
  readonly backoff?: Backoff
}

export interface ConnectionStats {
  readonly up: boolean
  /** Why it is down, or what the broker refused. */
  readonly why: string | null
  readonly connects: number
  readonly inFlight: number
  /** MQTT version in use or to be tried next. */
  readonly protocol: 4 | 5
}

/** A handler that returns a promise is waited for before its message is acknowledged: back-pressure instead of a queue. */
export type Handler = (message: Message) => void | Promise<void>

const HANDLER_MS = 10_000
const STOP_MS = 1_500
const ACK_MS = 15_000
/** Whoever was away longer does not know who spoke meanwhile. */
const LATELY_MS = 5_000
/** A connection that lived this long was a good one: the next loss starts with the shortest wait again. */
const GOOD_MS = 5_000
/** MQTT 5: how long the broker keeps our session, seconds. */
const SESSION_S = 24 * 3600

export class BrokerConnection implements MessageTransport {
  readonly name: string
  readonly #o: ConnectionOptions
  readonly #backoff: Backoff
  readonly #state = new LinkState()
  readonly #handlers = new Map<string, Set<Handler>>()
  /** Filters that were asked for while the connection is being made. */
  readonly #asked = new Set<string>()
  #session: Session | undefined
  #retry: Timer | undefined
  #running = false
  #protocol: 4 | 5
  #protocolSure = false
  #connects = 0
  #why: string | null = 'not started'
  /** How long the last connection was up, ms. */
  #lived: number | null = null
  #lost = 0
  /** Which of the addresses is in use. */
  #address = 0
  #access: BrokerAccess

  constructor(options: ConnectionOptions) {
    this.#o = options
    this.#access = options
    this.name = options.name
    this.#backoff = options.backoff ?? new Backoff(250, 30_000)
    this.#protocol = options.protocol === 'auto' ? 5 : 4
  }

  get up(): boolean {
    return this.#state.up
  }

  start(): void {
    if (this.#running) return
    this.#running = true
    this.#open()
  }

  /** Says farewell when the link is up, and closes. Settles within a few seconds whatever the broker does. */
  async stop(): Promise<void> {
    this.#running = false
    this.#retry?.cancel()
    this.#retry = undefined
    const session = this.#session
    if (session && this.up && this.#o.farewell) await greet(session, this.#o.farewell(), STOP_MS).catch(() => {})
    this.#session = undefined
    this.#why = 'stopped'
    this.#state.set(false, `${this.name}: stopped`)
    if (!session) return
    session.abandon(new LuongError('STOPPED', `${this.name}: stopped`))
    await this.#end(session, !session.connected)
  }

  /** Closes it: at once, or politely, which takes {@link STOP_MS} at most. Never rejects. */
  async #end({ client }: Session, force: boolean): Promise<void> {
    const ended = new Promise<void>((resolve) => client.end(force, {}, () => resolve()))
    // While it reads nothing, since a handler holds it up, it does not hear that the broker closes; and a second `end` does nothing.
    await withDeadline(this.#o.clock, ended, STOP_MS, () => new Error('late')).catch(() => client.stream.destroy())
  }

  /**
   * Resolves on the broker's acknowledgement (QoS 1) or hand-over (QoS 0). Rejects with LINK_DOWN when not up or when the
   * link is lost before (then it may have arrived or not), BrokerRefused when the broker says no, QUEUE_FULL, STOPPED.
   */
  publish(topic: string, payload: Uint8Array | string, options: PublishOptions): Promise<void> {
    const session = this.#session
    if (!session || !this.up) return Promise.reject(new LuongError('LINK_DOWN', `${this.name} is not connected to its broker`))
    const { marks, ...plain } = options
    const shown = marks && this.#protocol === 5 ? options : plain
    return session.send(topic, payload, shown, this.#o.ackMs ?? ACK_MS).then(() => {
      session.proven = true
    })
  }

  /** Retained QoS 1 message as of now, e.g. a new status. */
  publishRetained(message: Outgoing): Promise<void> {
    return this.publish(message.topic, message.payload, { qos: 1, retain: true })
  }

  subscribe(filter: string, fn: Handler): () => void {
    if (!validFilter(filter)) throw new LuongError('CONFIG_INVALID', `${this.name}: ${filter} is not a valid MQTT topic filter`)
    const handlers = this.#handlers.get(filter) ?? new Set<Handler>()
    const mine: Handler = (message) => fn(message)
    handlers.add(mine)
    this.#handlers.set(filter, handlers)
    const session = this.#session
    if (session && this.up) this.#subscribe(session, [filter]).catch((error) => this.#lose(session, messageOf(error)))
    else this.#asked.add(filter)
    return () => {
      handlers.delete(mine)
      if (handlers.size > 0 || this.#handlers.get(filter) !== handlers) return
      this.#handlers.delete(filter)
      if (this.#session && this.up) this.#session.client.unsubscribe(filter)
    }
  }

  onState(fn: (up: boolean, why?: string) => void): () => void {
    return this.#state.on(fn)
  }

  /** Closes and connects again, e.g. when the other side is known to hang. */
  reset(why: string): void {
    if (this.#session) this.#lose(this.#session, why)
  }

  /** Other credentials or certificates: closes, and connects again with them. Does nothing when they are the same. */
  renew(access: BrokerAccess): void {
    if (sameAccess(this.#access, access)) return
    this.#access = access
    const { up } = this
    const session = this.#session
    // Politely where nothing is under way, so that the broker sends no last will.
    if (session) this.#lose(session, `${this.name}: ${RENEWED}`, up && session.inFlight === 0)
    if (up || !this.#retry) return
    // The wait was for a broker that refused what was known before.
    this.#backoff.reset()
    this.#retry.cancel()
    this.#retry = undefined
    this.#open()
  }

  stats(): ConnectionStats {
    const inFlight = this.#session?.inFlight ?? 0
    return { up: this.up, why: this.up ? null : this.#why, connects: this.#connects, inFlight, protocol: this.#protocol }
  }

  #open(): void {
    const { admit } = this.#o
    if (!admit) {
      this.#connect()
      return
    }
    const lately = this.#o.clock.mono() - this.#lost < LATELY_MS
    admit(lately ? this.#lived : null, this.#access)
      .catch(messageOf)
      .then((why) => {
        if (!this.#running || this.#session) return
        if (why === null) {
          this.#connect()
          return
        }
        if (why !== this.#why) this.#o.log.warn({ link: this.name, why }, 'not connected; looking again')
        this.#why = why
        this.#state.fail(why)
        this.#again()
      })
  }

  #again(): void {
    this.#retry = this.#o.clock.after(this.#backoff.next(), () => {
      this.#retry = undefined
      if (this.#running) this.#open()
    })
  }

  #connect(): void {
    const addresses = [this.#o.url, ...(this.#o.others ?? [])]
    const url = addresses[this.#address % addresses.length]!
    if (!usable(url)) {
      // mqtt.js would take anything for a host name. No use in trying again; the state says why.
      const shown = url.replace(/\/\/.*@/, '//…@')
      this.#why = `${this.name}: ${shown} is no broker address; write mqtt://HOST:PORT or mqtts://HOST:PORT`
      this.#o.log.error({ link: this.name, why: this.#why }, 'the broker address cannot be used')
      this.#state.fail(this.#why)
      return
    }
    const { stream } = this.#o
    const client = stream ? new MqttClient(stream, this.#clientOptions(url)) : connect(url, this.#clientOptions(url))
    const session = new Session(client, this.name, this.#o.clock, (dead, why) => this.#lose(dead, why))
    this.#session = session
    client.on('error', (error) => {
      session.why = brokerProblem(this.name, error)
      const code = 'code' in error ? error.code : undefined
      session.older = code === 1 || code === 132
      session.unreached = typeof code === 'string'
      // mqtt.js does not close on every error; a protocol error leaves nothing to trust.
      this.#lose(session, session.why)
    })
    client.on('close', () => this.#lose(session, session.why))
    client.on('disconnect', (packet) => {
      session.why = `${this.name}: the broker disconnected us (reason code ${packet.reasonCode ?? 0})`
    })
    client.handleMessage = (packet, callback) => this.#receive(session, packet, callback)
    client.once('connect', (connack) => {
      session.connected = true
      session.quota = connack.properties?.receiveMaximum ?? session.quota
      this.#greet(session).catch((error) => this.#lose(session, messageOf(error)))
    })
  }

  async #greet(session: Session): Promise<void> {
    this.#protocolSure = true
    if (this.#o.birth) {
      await greet(session, this.#o.birth(), this.#o.ackMs ?? ACK_MS).catch((error) => {
        if (!(error instanceof BrokerRefused)) throw error
        this.#o.log.error({ link: this.name, err: error.message }, 'the broker refuses our status; events are sent all the same')
      })
    }
    for (let filters = [...this.#handlers.keys()]; filters.length > 0; filters = [...this.#asked]) {
      this.#asked.clear()
      await this.#subscribe(session, filters)
    }
    if (this.#session !== session) return
    this.#connects++
    this.#why = null
    this.#o.log.info({ link: this.name, mqtt: this.#protocol === 5 ? '5' : '3.1.1' }, 'broker connected')
    this.#state.set(true)
  }

  #subscribe(session: Session, filters: string[]): Promise<void> {
    return session.subscribe(filters, this.#o.ackMs ?? ACK_MS, (topics) =>
      this.#o.log.error({ link: this.name, topics }, 'the broker refuses these subscriptions; check its access list'),
    )
  }

  #receive(session: Session, packet: IPublishPacket, callback: (error?: Error) => void): void {
    // Nobody here takes it any more: not acknowledged, so that a broker that keeps the session gives it to the next connection. The error only
    // says so to mqtt.js, which reads on; else it would never come to the end of what it reads.
    if (this.#session !== session) {
      callback(new Error('closed'))
      return
    }
    const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload
    const message: Message & { repeated: boolean } = {
      topic: packet.topic,
      payload,
      retained: packet.retain === true,
      repeated: packet.dup === true,
    }
    const waits: Promise<void>[] = []
    for (const [filter, handlers] of this.#handlers) {
      if (!topicMatches(filter, packet.topic)) continue
      for (const fn of [...handlers]) waits.push((async () => fn(message))().catch((error) => this.#failed(message, error)))
    }
    const all = Promise.all(waits)
    withDeadline(this.#o.clock, all, HANDLER_MS, () => new Error('slow'))
      .catch(() => this.#o.log.warn({ link: this.name, topic: message.topic }, 'a message is handled slowly; going on without waiting'))
      .then(() => callback())
  }

  #failed(message: Message, error: unknown): void {
    this.#o.log.error({ link: this.name, topic: message.topic, err: messageOf(error) }, 'a message could not be handled')
  }

  #lose(session: Session, why: string, planned = false): void {
    if (this.#session !== session) return
    this.#session = undefined
    const older = session.older && this.#o.protocol === 'auto' && this.#protocol === 5
    if (older) this.#o.log.info({ link: this.name }, 'the broker does not speak MQTT 5; going on with 3.1.1')
    else if (why !== this.#why) this.#o.log.warn({ link: this.name, why }, this.up ? 'broker lost' : 'broker not reached; trying again')
    this.#why = why
    if (session.proven || this.#o.clock.mono() - session.since >= GOOD_MS) this.#backoff.reset()
    session.abandon(new LuongError('LINK_DOWN', why))
    if (this.up) {
      this.#lost = this.#o.clock.mono()
      this.#lived = this.#lost - session.since
      this.#state.set(false, why)
    } else this.#state.fail(why)
    void this.#end(session, !planned)
    session.client.on('error', () => {})
    if (!this.#running) return
    // An older protocol is tried where the newer was refused; after anything else another node may be well.
    if (!older && !planned) this.#address++
    if (this.#o.protocol === 'auto' && !this.#protocolSure && !session.unreached) this.#protocol = this.#protocol === 5 ? 4 : 5
    this.#again()
  }

  #clientOptions(url: string): IClientOptions {
    const { clientId, will, keepSession = false } = this.#o
    const last = will?.()
    return {
      protocolVersion: this.#protocol,
      clientId,
      clean: !keepSession,
      reconnectPeriod: 0,
      queueQoSZero: false,
      resubscribe: false,
      connectTimeout: this.#o.connectMs ?? 10_000,
      keepalive: this.#o.keepaliveS ?? 15,
      ...accessOptions(url, this.#access),
      ...(keepSession && this.#protocol === 5 ? { properties: { sessionExpiryInterval: SESSION_S } } : {}),
      ...(last === undefined ? {} : { will: { topic: last.topic, payload: Buffer.from(last.payload), qos: 1 as const, retain: true } }),
    }
  }
}

function greet(session: Session, message: Outgoing, ms: number): Promise<void> {
  return session.send(message.topic, message.payload, { qos: 1, retain: true }, ms)
}

function usable(url: string): boolean {
  return URL.canParse(url) && /^(mqtts?|tcp|ssl|wss?):\/\/./.test(url)
}
