/**
 * The embedded broker: aedes (MQTT 3.1.1) on loopback, and with TLS on the network, for the devices of one site, the local page and
 * small sites without a broker of their own. It keeps no sessions: a message for someone who is away is not kept (retained ones are),
 * so that an old relay command can never arrive late; consumers of events repair gaps with `sequence` and resend-from.
 * aedes acknowledges a publish before it hands it on; what must not be lost is therefore in the journal, not here.
 */
import { createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket, Server as TlsServer } from 'node:tls'
import { Aedes } from 'aedes'
import type { Clock, Timer } from '../kernel/clock.ts'
import { withDeadline } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import { QuietLog } from '../uplink/quiet.ts'
import { EVERYTHING, type KnownAccount } from './acl.ts'
import { type BrokerChange, type BrokerConfig, checkBroker, type InternalUser, type RunningBroker } from './config.ts'
import { Door } from './door.ts'
import { boundRetained } from './gate.ts'
import { LIMITS, type LimitKind, noLimitHit } from './limits.ts'
import { type BrokerTls, exchangeTls, listen, tlsServer } from './listen.ts'
import { Metering } from './metering.ts'
import { Passwords } from './passwords.ts'
import { addressOf, Rights } from './rights.ts'

const SWEEP_MS = 500
const STOP_MS = 2_000

/** In this thread. */
export interface LocalBroker extends Omit<RunningBroker, 'exchange' | 'internal'> {
  /** As that of {@link RunningBroker}. */
  exchange(change: BrokerChange<KnownAccount>): void
  /** Speaks MQTT over a stream that came some other way than through a listener. */
  serve(stream: Duplex): void
}

/**
 * Starts the broker in this thread.
 * @param own the gateway's account
 * @throws CONFIG_INVALID an address other than loopback without users, one that isn't this machine's, or a certificate that cannot be used
 * @throws PORT_IN_USE
 */
export async function startBroker(
  config: BrokerConfig<KnownAccount>,
  { log, clock, own }: { readonly log: Log; readonly clock: Clock; readonly own: InternalUser },
): Promise<LocalBroker> {
  checkBroker(config)
  let limits = { ...LIMITS, ...config.limits }
  const quiet = new QuietLog(log, clock)
  const limited = noLimitHit()
  let [published, refused] = [0, 0]
  const over = (kind: LimitKind, detail: object) => {
    limited[kind]++
    quiet.warn(detail, WORDS[kind])
  }
  const metering = new Metering({ clock, limits: () => limits, maxPayloadKb: config.maxPayloadKb, over })
  const internal: KnownAccount = { ...own, role: 'site', access: EVERYTHING, publish: [], subscribe: [] }
  const door = new Door(() => limits)
  const passwords = new Passwords(clock)
  const rights = new Rights(config.users, {
    base: config,
    internal,
    limits: () => limits,
    named: config.tls?.clientCertificates === 'named',
    passwords,
    quiet,
    over,
    entered: (client, user) => {
      door.known(client.conn as Socket)
      metering.entered(client, user)
    },
  })
  const aedes = await Aedes.createBroker({
    connectTimeout: limits.connectMs,
    maxInflightInbound: limits.inFlight,
    maxTopicLevels: 32,
    ...rights.handlers,
  })
  aedes.on('client', (client) => rights.joined(client))
  aedes.on('clientDisconnect', (client) => rights.left(client))
  aedes.on('error' as 'closed', ((error: unknown) => log.error({ err: messageOf(error) }, 'broker')) as () => void)
  aedes.on('clientError', (client, error) => quiet.warn({ client: client.id, err: messageOf(error) }, 'broker: a client was dropped'))
  aedes.on('connectionError', (client, error) => {
    refused++
    quiet.warn({ from: addressOf(client), err: messageOf(error) }, 'broker: a connection was dropped')
  })
  aedes.on('publish', (_, client) => {
    if (client) published++
  })
  const retained = boundRetained(aedes, limits.retainedTopics, limits.retainedBytes, (topic) =>
    quiet.warn({ topic }, 'broker: the store of retained messages is full; this one was delivered and not kept'),
  )
  const enter = (socket: Socket): boolean => {
    const from = socket.remoteAddress
    const kind = door.enter(socket, clock.mono())
    if (kind) over(kind, { from, connections: door.open.size })
    return kind === null
  }
  const serve = (socket: Socket) => {
    metering.watch(socket)
    aedes.handle(socket)
  }
  const options = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 }
  const server = createServer(options, (socket) => {
    if (enter(socket)) serve(socket)
  })
  const tls = config.tls ? secureListener(config.tls, limits.connectMs) : null
  function secureListener(settings: BrokerTls, handshakeMs: number): { front: Server; secure: TlsServer } {
    const secure = tlsServer(settings, handshakeMs, (socket) => serve(socket))
    secure.on('tlsClientError', (error, socket: TLSSocket) => {
      refused++
      const why = socket.authorizationError ? String(socket.authorizationError) : messageOf(error)
      quiet.warn({ from: socket.remoteAddress ?? '?', err: why }, 'broker: a TLS handshake failed')
    })
    // At the door before the handshake, which is what costs.
    const front = createServer(options, (socket) => {
      if (enter(socket)) secure.emit('connection', socket)
    })
    return { front, secure }
  }
  const pipes = new Set<Duplex>()
  const serveInside = (end: Duplex) => {
    pipes.add(end)
    end.once('close', () => pipes.delete(end))
    end.on('error', () => {})
    aedes.handle(end)
  }
  let sweeping: Timer | null = null
  const sweep = () => {
    door.sweep(clock.mono())
    metering.sweep()
    sweeping = clock.after(Math.min(SWEEP_MS, limits.packetMs / 2), sweep)
  }
  const stop = async () => {
    sweeping?.cancel()
    sweeping = null
    const closed = [server, tls?.front].map((s) => new Promise<void>((resolve) => (s?.listening ? s.close(() => resolve()) : resolve())))
    const gone = new Promise<void>((resolve) => aedes.close(() => resolve()))
    for (const socket of door.open) socket.destroySoon()
    const late = () => new Error('late')
    await withDeadline(clock, Promise.all([...closed, gone]), STOP_MS, late).catch(() => {
      for (const socket of door.open) socket.destroy()
    })
    for (const end of pipes) end.destroy()
  }
  const address = { port: 0, tlsPort: null as number | null }
  try {
    address.port = await listen(server, config, 'broker.embedded')
    if (tls && config.tls) address.tlsPort = await listen(tls.front, config.tls, 'broker.embedded.tls')
  } catch (error) {
    await stop()
    throw error
  }
  for (const s of [server, tls?.front]) s?.on('error', (error) => log.error({ err: error.message }, 'broker'))
  sweep()
  const { port, tlsPort } = address
  log.info(
    { host: config.host, port, users: rights.users, ...(config.tls ? { tls: `${config.tls.host}:${tlsPort}` } : {}) },
    'broker listening',
  )
  return {
    host: config.host,
    port,
    tlsPort,
    serve: serveInside,
    stats: () => ({
      clients: aedes.connectedClients,
      connections: door.open.size,
      published,
      refused:
        refused +
        rights.refused +
        limited.connections +
        limited.per_address +
        limited.connect_rate +
        limited.packet_size +
        limited.not_connect,
      denied: rights.denied + limited.subscriptions,
      limited: { ...limited },
      retained: retained(),
      hashed: passwords.checked,
    }),
    exchange(change) {
      checkBroker({ ...config, users: change.users })
      if (tls && change.tls) exchangeTls(tls.secure, change.tls)
      limits = { ...LIMITS, ...change.limits }
      // aedes reads both for each connection and message.
      Object.assign(aedes, { connectTimeout: limits.connectMs, maxInflightInbound: limits.inFlight })
      door.exchange(clock.mono())
      metering.exchange()
      rights.exchange(change.users)
    },
    stop,
  }
}

const WORDS: Readonly<Record<LimitKind, string>> = {
  connections: 'broker: too many connections; this one was refused',
  per_address: 'broker: too many connections from one address; this one was refused',
  per_user: 'broker: too many connections of one user; this one was refused',
  connect_rate: 'broker: connections from one address come too fast; this one was refused',
  password_checks: 'broker: too many passwords to check, or too many wrong ones from one address; this one was not checked',
  packet_size: 'broker: a packet is larger than its kind may be (messages: max_payload_kb); the connection was closed',
  not_connect: 'broker: something else came before CONNECT; the connection was closed',
  unfinished: 'broker: too much of unfinished packets at once; the connection with most of it was closed',
  packet_time: 'broker: a packet was not finished in time; the connection was closed',
  publish_rate: 'broker: a client sends too fast; it is read more slowly',
  queued: 'broker: a client reads too slowly what it subscribed to; the connection was closed',
  subscriptions: 'broker: too many subscriptions; one more was refused',
}
