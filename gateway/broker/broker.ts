/**
 * The embedded broker: aedes (MQTT 3.1.1) on loopback, and with TLS on the network, for the devices of one site, the local page and
 * small sites without a broker of their own. It keeps no sessions: a message for someone who is away is not kept (retained ones are),
 * so that an old relay command can never arrive late; consumers of events repair gaps with `sequence` and resend-from.
 * aedes acknowledges a publish before it hands it on; what must not be lost is therefore in the journal, not here.
 */
import { randomBytes } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket, Server as TlsServer } from 'node:tls'
import { Aedes } from 'aedes'
import type { Clock, Timer } from '../kernel/clock.ts'
import { withDeadline } from '../kernel/clock.ts'
import { LuongError, messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import { QuietLog } from '../uplink/quiet.ts'
import type { TopicBase } from '../uplink/topics.ts'
import type { BrokerAccount } from './acl.ts'
import { Door } from './door.ts'
import { boundRetained, type RetainedStats } from './gate.ts'
import { type BrokerLimits, LIMITS, type LimitCounts, type LimitKind, noLimitHit } from './limits.ts'
import { type BrokerTls, exchangeTls, isLoopback, listen, tlsServer } from './listen.ts'
import { Metering } from './metering.ts'
import { Passwords } from './passwords.ts'
import { pipe } from './pipe.ts'
import { addressOf, Rights } from './rights.ts'

export interface BrokerConfig extends TopicBase {
  /** Loopback needs no users: then everyone on this machine may do everything. Any other address does. */
  readonly host: string
  /** 0: the system chooses. */
  readonly port: number
  /** With users, nobody connects without a name and password, also on loopback. */
  readonly users: readonly BrokerAccount[]
  readonly maxPayloadKb: number
  readonly limits?: Partial<BrokerLimits>
  /** A second listener. Absent: none. */
  readonly tls?: BrokerTls
}

/** What can change while the broker runs. Of `tls` the material only. */
export type BrokerChange = Pick<BrokerConfig, 'users' | 'limits' | 'tls'>

const SWEEP_MS = 500
const STOP_MS = 2_000
/** Begins the name of the gateway's own account. */
const INTERNAL = '$gateway-'

export interface BrokerStats {
  readonly clients: number
  readonly connections: number
  readonly published: number
  /** Connections refused: too many, wrong password, no CONNECT, packet too large. */
  readonly refused: number
  /** Publishes and subscriptions outside the rights of the user. */
  readonly denied: number
  /** How often each limit was reached. */
  readonly limited: LimitCounts
  readonly retained: RetainedStats
  /** Passwords that were worked out against a hash; the others were known already. */
  readonly hashed: number
}

export interface RunningBroker {
  readonly host: string
  readonly port: number
  /** null: there is no listener with TLS. */
  readonly tlsPort: number | null
  /** How the gateway itself connects: inside the process, so that pictures need no copies; a new secret at each start. */
  readonly internal: { readonly url: string; readonly username: string; readonly password: string; readonly stream: () => Duplex }
  stats(): BrokerStats
  /**
   * Other users, limits or certificates from now on. Who is no longer a user, or has another password, is cut off at once.
   * Throws CONFIG_INVALID, and then changes nothing.
   */
  exchange(change: BrokerChange): void
  /** Closes all connections and the port. Settles within a few seconds. */
  stop(): Promise<void>
}

/** Throws CONFIG_INVALID where anybody on the network could connect. */
function guardAnonymous(hosts: readonly (string | undefined)[], users: readonly BrokerAccount[]): void {
  const open = hosts.find((host) => host !== undefined && !isLoopback(host))
  if (open === undefined || users.length > 0) return
  throw new LuongError(
    'CONFIG_INVALID',
    `broker: ${open} is not loopback and there are no users: anyone on the network could open barriers`,
    {
      hint: 'Add users with passwords under broker.embedded.users, or set host to 127.0.0.1.',
    },
  )
}

/**
 * Starts the broker.
 * @throws CONFIG_INVALID an address other than loopback without users, one that isn't this machine's, or a certificate that cannot be used
 * @throws PORT_IN_USE
 */
export async function startBroker(config: BrokerConfig, { log, clock }: { log: Log; clock: Clock }): Promise<RunningBroker> {
  const hosts = [config.host, config.tls?.host]
  guardAnonymous(hosts, config.users)
  let limits = { ...LIMITS, ...config.limits }
  const quiet = new QuietLog(log, clock)
  const limited = noLimitHit()
  let [published, refused] = [0, 0]
  const over = (kind: LimitKind, detail: object) => {
    limited[kind]++
    quiet.warn(detail, WORDS[kind])
  }
  const metering = new Metering({ clock, limits: () => limits, maxPayloadKb: config.maxPayloadKb, over })
  const internal: BrokerAccount & { readonly password: string } = {
    name: `${INTERNAL}${randomBytes(8).toString('hex')}`,
    password: randomBytes(32).toString('hex'),
    role: 'site',
    publish: [],
    subscribe: [],
  }
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
  const stream = (): Duplex => {
    const [ours, theirs] = pipe()
    pipes.add(theirs)
    theirs.once('close', () => pipes.delete(theirs))
    theirs.on('error', () => {})
    aedes.handle(theirs)
    return ours
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
    internal: { url: `mqtt://${urlHost(config.host)}:${port}`, username: internal.name, password: internal.password, stream },
    stats: () => ({
      clients: aedes.connectedClients,
      connections: door.open.size,
      published,
      refused: refused + rights.refused + limited.connections + limited.per_address + limited.connect_rate + limited.packet_size,
      denied: rights.denied + limited.subscriptions,
      limited: { ...limited },
      retained: retained(),
      hashed: passwords.checked,
    }),
    exchange(change) {
      guardAnonymous(hosts, change.users)
      if (tls && change.tls) exchangeTls(tls.secure, change.tls)
      limits = { ...LIMITS, ...change.limits }
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
  packet_size: 'broker: a packet is larger than max_payload_kb; the connection was closed',
  packet_time: 'broker: a packet was not finished in time; the connection was closed',
  publish_rate: 'broker: a client sends too fast; it is read more slowly',
  queued: 'broker: a client reads too slowly what it subscribed to; the connection was closed',
  subscriptions: 'broker: too many subscriptions; one more was refused',
}

function urlHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}
