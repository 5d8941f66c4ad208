/** A broker connection on mqtt.js. */
import type { Socket } from 'node:net'
import { connect, type IClientOptions, type MqttClient } from 'mqtt'
import { brokerProblem } from '../../gateway/kernel/broker-problem.ts'
import { type Clock, type Timer, withDeadline } from '../../gateway/kernel/clock.ts'
import { LuongError, messageOf } from '../../gateway/kernel/errors.ts'
import type { Log } from '../../gateway/kernel/log.ts'
import { accessOptions, type BrokerAccess, RENEWED, sameAccess } from './access.ts'
import { Backoff } from './backoff.ts'
import { LinkState } from './link-state.ts'
import { topicMatches, validFilter } from './topic.ts'
import type { Message, MessageTransport } from './transport.ts'

export interface MqttOptions extends BrokerAccess {
  readonly name: string
  /** mqtt://, mqtts://, ws:// or wss:// */
  readonly url: string
  readonly clientId?: string
  readonly will?: { readonly topic: string; readonly payload: string | Uint8Array; readonly qos: 0 | 1; readonly retain: boolean }
  readonly clock: Clock
  readonly log: Log
  /** Not acknowledged in this time: the publish rejects, ms. */
  readonly publishMs?: number
  readonly connectMs?: number
  /** Publishes under way at most; one more rejects with QUEUE_FULL. */
  readonly maxInFlight?: number
  readonly backoff?: Backoff
}

type Handler = (message: Message) => void

export interface MqttTransport extends MessageTransport {
  /** Other credentials or certificates: closes, and connects again with them. Does nothing when they are the same. */
  renew(access: BrokerAccess): void
}

/**
 * Makes the transport. Each connection is a fresh client with a clean session, so nothing of an earlier connection is ever
 * sent again by the library; subscriptions are made again on each connection.
 */
export function mqttTransport(options: MqttOptions): MqttTransport {
  const { name, clock, log, publishMs = 5_000, connectMs = 5_000, maxInFlight = 64 } = options
  const backoff = options.backoff ?? new Backoff()
  const state = new LinkState()
  const subscriptions = new Map<string, Set<Handler>>()
  let client: MqttClient | undefined
  let retry: Timer | undefined
  let running = false
  let inFlight = 0
  let lastWhy = ''
  let access: BrokerAccess = options
  const rejects = new Set<(why: string) => void>()

  const lose = (lost: MqttClient, why: string, planned = false) => {
    if (client !== lost) return
    client = undefined
    if (why !== lastWhy) log.warn({ link: name, why }, 'broker lost')
    lastWhy = why
    if (state.up) state.set(false, why)
    else state.fail(why)
    for (const reject of [...rejects]) reject(why)
    lost.end(!planned)
    lost.on('error', () => {})
    if (running) {
      retry = clock.after(backoff.next(), () => {
        retry = undefined
        if (running) open()
      })
    }
  }
  const subscribeNow = (c: MqttClient, filters: string[]) => {
    if (filters.length === 0) return
    c.subscribe(filters, { qos: 1 }, (error, granted) => {
      if (client !== c) return
      const refused = granted?.filter((g) => g.qos > 2).map((g) => g.topic) ?? []
      if (refused.length > 0) log.error({ link: name, topics: refused }, 'the broker refuses these subscriptions; check its access list')
      else if (error) lose(c, `${name}: subscribing failed: ${error.message}`)
    })
  }
  const open = () => {
    let c: MqttClient
    try {
      c = connect(options.url, clientOptions(options, access, connectMs))
    } catch (error) {
      state.fail(`${name}: ${messageOf(error)}`)
      return
    }
    client = c
    let why = `${name}: the broker closed the connection`
    c.on('error', (error) => {
      why = brokerProblem(name, error)
    })
    c.on('close', () => lose(c, why))
    c.on('message', (topic, payload, packet) => {
      if (client !== c) return
      const message: Message = { topic, payload, retained: packet.retain }
      for (const [filter, handlers] of subscriptions) {
        if (!topicMatches(filter, topic)) continue
        for (const fn of [...handlers]) give(fn, message)
      }
    })
    c.once('connect', () => {
      if (client !== c) return
      // mqtt.js writes a packet's header and its body apart: without this the body may wait 40 ms for the other end's delayed ACK.
      if ('setNoDelay' in c.stream) (c.stream as Socket).setNoDelay(true)
      backoff.reset()
      lastWhy = ''
      log.info({ link: name }, 'broker connected')
      subscribeNow(c, [...subscriptions.keys()])
      state.set(true)
    })
  }
  const give = (fn: Handler, message: Message) => {
    try {
      fn(message)
    } catch (error) {
      log.error({ link: name, topic: message.topic, err: messageOf(error) }, 'a message could not be handled')
    }
  }

  return {
    name,
    get up() {
      return state.up
    },
    start() {
      if (running) return
      running = true
      open()
    },
    async stop() {
      running = false
      retry?.cancel()
      retry = undefined
      const c = client
      client = undefined
      state.set(false, `${name}: stopped`)
      for (const reject of [...rejects]) reject(`${name}: stopped`)
      if (!c) return
      const ended = new Promise<void>((resolve) => c.end(!c.connected, {}, () => resolve()))
      await withDeadline(clock, ended, 2_000, () => new Error('late')).catch(() => c.end(true))
    },
    async publish(topic, payload, { qos, retain }) {
      const c = client
      if (!c || !state.up) throw new LuongError('LINK_DOWN', `${name} is not connected to its broker`)
      if (inFlight >= maxInFlight) throw new LuongError('QUEUE_FULL', `${name}: ${inFlight} publishes are not yet acknowledged`)
      inFlight++
      let onLost: ((why: string) => void) | undefined
      const work = new Promise<void>((resolve, reject) => {
        onLost = (why) => reject(new LuongError('LINK_DOWN', why))
        rejects.add(onLost)
        const body = typeof payload === 'string' ? payload : Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
        c.publish(topic, body, { qos, retain }, (error) => {
          if (error) reject(new LuongError('LINK_DOWN', `${name}: ${topic} was not taken: ${error.message}`, { cause: error }))
          else resolve()
        })
      })
      try {
        await withDeadline(
          clock,
          work,
          publishMs,
          () => new LuongError('LINK_DOWN', `${name}: ${topic} not acknowledged within ${publishMs} ms`),
        )
      } finally {
        inFlight--
        if (onLost) rejects.delete(onLost)
      }
    },
    subscribe(filter, fn) {
      if (!validFilter(filter)) throw new LuongError('CONFIG_INVALID', `${name}: ${filter} is not a valid MQTT topic filter`)
      const handlers = subscriptions.get(filter) ?? new Set<Handler>()
      // The same function twice counts twice.
      const mine: Handler = (message) => fn(message)
      handlers.add(mine)
      subscriptions.set(filter, handlers)
      // Also for a second subscriber: subscribing again makes the broker send its retained messages, which it needs too.
      if (client && state.up) subscribeNow(client, [filter])
      return () => {
        handlers.delete(mine)
        if (handlers.size > 0 || subscriptions.get(filter) !== handlers) return
        subscriptions.delete(filter)
        if (client && state.up) client.unsubscribe(filter)
      }
    },
    onState: (fn) => state.on(fn),
    renew(next) {
      if (sameAccess(access, next)) return
      access = next
      // Politely, so that the broker sends no last will.
      const was = state.up
      if (client) lose(client, `${name}: ${RENEWED}`, client.connected && inFlight === 0)
      if (was || !running) return
      // The wait was for a broker that refused what was known before.
      backoff.reset()
      retry?.cancel()
      retry = undefined
      open()
    },
  }
}

function clientOptions(options: MqttOptions, access: BrokerAccess, connectMs: number): IClientOptions {
  const { clientId, will } = options
  return {
    protocolVersion: 4,
    clean: true,
    // Reconnecting is done here, with a fresh client: nothing half-sent survives a loss.
    reconnectPeriod: 0,
    queueQoSZero: false,
    resubscribe: false,
    connectTimeout: connectMs,
    keepalive: 15,
    ...(clientId === undefined ? {} : { clientId }),
    ...accessOptions(options.url, access),
    ...(will === undefined
      ? {}
      : { will: { topic: will.topic, payload: Buffer.from(will.payload as Uint8Array), qos: will.qos, retain: will.retain } }),
  }
}
