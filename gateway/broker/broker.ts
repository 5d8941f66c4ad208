/**
 * The embedded broker: aedes (MQTT 3.1.1) on loopback, for the devices of one site, the local page and small sites without a
 * broker of their own. It keeps no sessions: a message for someone who is away is not kept (retained ones are), so that an
 * old relay command can never arrive late; consumers of events repair gaps with `sequence` and resend-from.
 * aedes acknowledges a publish before it hands it on; what must not be lost is therefore in the journal, not here.
 */
import { randomBytes } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Aedes, type AuthenticateError, type Client } from 'aedes'
import type { Clock } from '../kernel/clock.ts'
import { withDeadline } from '../kernel/clock.ts'
import { LuongError, messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import { QuietLog } from '../uplink/quiet.ts'
import type { TopicBase } from '../uplink/topics.ts'
import { authenticate, type BrokerAccount, Permissions } from './acl.ts'
import { boundRetained, limitPackets, type RetainedStats } from './gate.ts'
import { pipe } from './pipe.ts'

export interface BrokerConfig extends TopicBase {
  /** Loopback needs no users: then everyone on this machine may do everything. Any other address does. */
  readonly host: string
  /** 0: the system chooses. */
  readonly port: number
  /** With users, nobody connects without a name and password, also on loopback. */
  readonly users: readonly BrokerAccount[]
  readonly maxPayloadKb: number
  readonly limits?: Partial<BrokerLimits>
}

export interface BrokerLimits {
  /** Connections of all together, and from one address that is not this machine. */
  readonly clients: number
  readonly perAddress: number
  /** A connection that has not said CONNECT by then is closed, ms. */
  readonly connectMs: number
  /** Keep-alive of clients that ask for none, s: silent for one and a half times as long, they are dropped. */
  readonly keepaliveS: number
  readonly retainedTopics: number
  readonly retainedBytes: number
  readonly subscriptions: number
}

const LIMITS: BrokerLimits = {
  clients: 256,
  perAddress: 32,
  connectMs: 5_000,
  keepaliveS: 300,
  retainedTopics: 50_000,
  retainedBytes: 64 * 1024 * 1024,
  subscriptions: 256,
}
/** A subscriber that takes nothing for this long is dropped: it would hold up everyone else. */
const DRAIN_MS = 5_000
const STOP_MS = 2_000
/** Begins the name of the gateway's own account. */
const INTERNAL = '$gateway-'
/** Room in a packet for topic and headers besides the payload. */
const OVERHEAD = 4_096

export interface BrokerStats {
  readonly clients: number
  readonly connections: number
  readonly published: number
  /** Connections refused: too many, wrong password, no CONNECT, packet too large. */
  readonly refused: number
  /** Publishes and subscriptions outside the rights of the user. */
  readonly denied: number
  readonly retained: RetainedStats
}

export interface RunningBroker {
  readonly host: string
  readonly port: number
  /** How the gateway itself connects: inside the process, so that pictures need no copies; a new secret at each start. */
  readonly internal: { readonly url: string; readonly username: string; readonly password: string; readonly stream: () => Duplex }
  stats(): BrokerStats
  /** Closes all connections and the port. Settles within a few seconds. */
  stop(): Promise<void>
}

/**
 * Starts the broker.
 * @throws CONFIG_INVALID an address other than loopback without users, or one that isn't this machine's
 * @throws PORT_IN_USE
 */
export async function startBroker(config: BrokerConfig, { log, clock }: { log: Log; clock: Clock }): Promise<RunningBroker> {
  if (!isLoopback(config.host) && config.users.length === 0) {
    throw new LuongError(
      'CONFIG_INVALID',
      `broker: ${config.host} is not loopback and there are no users: anyone on the network could open barriers`,
      {
        hint: 'Add users with passwords under broker.embedded.users, or set host to 127.0.0.1.',
      },
    )
  }
  const limits = { ...LIMITS, ...config.limits }
  const internal: BrokerAccount = {
    name: `${INTERNAL}${randomBytes(8).toString('hex')}`,
    password: randomBytes(32).toString('hex'),
    role: 'site',
    publish: [],
    subscribe: [],
  }
  const quiet = new QuietLog(log, clock)
  const counts = { published: 0, refused: 0, denied: 0 }
  const aedes = await Aedes.createBroker({
    connectTimeout: limits.connectMs,
    drainTimeout: DRAIN_MS,
    maxInflightInbound: 100,
    maxTopicLevels: 32,
    ...rights(config, internal, limits, counts, quiet),
  })
  aedes.on('error' as 'closed', ((error: unknown) => log.error({ err: messageOf(error) }, 'broker')) as () => void)
  aedes.on('clientError', (client, error) => quiet.warn({ client: client.id, err: messageOf(error) }, 'broker: a client was dropped'))
  aedes.on('connectionError', (client, error) => {
    counts.refused++
    quiet.warn({ from: addressOf(client), err: messageOf(error) }, 'broker: a connection was dropped')
  })
  aedes.on('publish', (_, client) => {
    if (client) counts.published++
  })
  const retained = boundRetained(aedes, limits.retainedTopics, limits.retainedBytes, (topic) =>
    quiet.warn({ topic }, 'broker: the store of retained messages is full; this one was delivered and not kept'),
  )
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 }, (socket) => {
    const from = socket.remoteAddress ?? '?'
    const same = isLoopback(from) ? 0 : [...sockets].filter((s) => s.remoteAddress === from).length
    if (sockets.size >= limits.clients || same >= limits.perAddress) {
      counts.refused++
      quiet.warn({ from, connections: sockets.size }, 'broker: too many connections; this one was refused')
      socket.on('error', () => {})
      socket.destroy()
      return
    }
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    limitPackets(socket, config.maxPayloadKb * 1024 + OVERHEAD, (bytes) => {
      counts.refused++
      quiet.warn(
        { from, bytes, max: config.maxPayloadKb * 1024 },
        'broker: a packet is larger than max_payload_kb; the connection was closed',
      )
    })
    aedes.handle(socket)
  })
  const pipes = new Set<Duplex>()
  const stream = (): Duplex => {
    const [ours, theirs] = pipe()
    pipes.add(theirs)
    theirs.once('close', () => pipes.delete(theirs))
    theirs.on('error', () => {})
    aedes.handle(theirs)
    return ours
  }
  const port = await listen(server, config).catch((error) => {
    aedes.close()
    throw error
  })
  server.on('error', (error) => log.error({ err: error.message }, 'broker'))
  log.info({ host: config.host, port, users: config.users.length }, 'broker listening')
  return {
    host: config.host,
    port,
    internal: { url: `mqtt://${urlHost(config.host)}:${port}`, username: internal.name, password: internal.password, stream },
    stats: () => ({ clients: aedes.connectedClients, connections: sockets.size, ...counts, retained: retained() }),
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      const gone = new Promise<void>((resolve) => aedes.close(() => resolve()))
      for (const socket of sockets) socket.destroySoon()
      const late = () => new Error('late')
      await withDeadline(clock, Promise.all([closed, gone]), STOP_MS, late).catch(() => {
        for (const socket of sockets) socket.destroy()
      })
      for (const end of pipes) end.destroy()
    },
  }
}

/** The part of aedes' options that says who may do what. */
function rights(
  config: BrokerConfig,
  internal: BrokerAccount,
  limits: BrokerLimits,
  counts: { refused: number; denied: number },
  quiet: QuietLog,
): NonNullable<ConstructorParameters<typeof Aedes>[0]> {
  const accounts = [internal, ...config.users]
  const everyone = new Permissions({ role: 'admin', publish: [], subscribe: [] }, config)
  const known = new WeakMap<Client, { user: string; may: Permissions }>()
  const deny = (client: Client, what: string, topic: string) => {
    counts.denied++
    quiet.warn(
      { user: known.get(client)?.user, client: client.id, topic: topic.slice(0, 200) },
      `broker: ${what} outside the rights of this user`,
    )
  }
  return {
    preConnect(_client, packet, callback) {
      // No sessions (see above), and nobody who is silent for ever.
      packet.clean = true
      packet.keepalive ||= limits.keepaliveS
      callback(null, true)
    },
    authenticate(client, username, password, done) {
      if (config.users.length === 0 && !username?.startsWith(INTERNAL)) {
        known.set(client, { user: 'anonymous', may: everyone })
        return done(null, true)
      }
      const account = username === undefined ? null : authenticate(accounts, username, password ?? new Uint8Array())
      if (!account) {
        counts.refused++
        quiet.warn(
          { from: addressOf(client), user: username?.slice(0, 64), client: client.id },
          'broker: wrong or missing user name or password',
        )
        return done(Object.assign(new Error('bad user name or password'), { returnCode: 4 }) as unknown as AuthenticateError, false)
      }
      known.set(client, { user: account.name, may: new Permissions(account, config) })
      done(null, true)
    },
    authorizePublish(client, packet, callback) {
      if (client === null || known.get(client)?.may.mayPublish(packet.topic)) return callback(null)
      deny(client, 'publishing', packet.topic)
      // MQTT 3.1.1 has no way to say no to a publish: the client is closed, so that it cannot believe it was heard.
      callback(new Error(`publishing to ${packet.topic.slice(0, 200)} is not allowed`))
    },
    authorizeSubscribe(client, subscription, callback) {
      const many = Object.keys((client as unknown as { subscriptions: object }).subscriptions).length >= limits.subscriptions
      if (!many && known.get(client)?.may.maySubscribe(subscription.topic)) return callback(null, subscription)
      deny(client, many ? 'too many subscriptions, one more is' : 'subscribing', subscription.topic)
      callback(null, null)
    },
    authorizeForward: (client, packet) => (known.get(client)?.may.mayRead(packet.topic) ? packet : null),
  }
}

function listen(server: Server, { host, port }: BrokerConfig): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') {
        const hint = `Stop the program that uses port ${port} (see: ss -ltnp), or set another broker.embedded.port (0: any free one).`
        return reject(new LuongError('PORT_IN_USE', `broker: port ${port} on ${host} is taken by another program`, { hint, cause: error }))
      }
      const hint =
        error.code === 'EACCES'
          ? 'Ports below 1024 need rights; choose another.'
          : 'Set broker.embedded.host to an address of this machine.'
      reject(new LuongError('CONFIG_INVALID', `broker: cannot listen on ${host} port ${port}: ${error.message}`, { hint, cause: error }))
    })
    server.listen(port, host, () => {
      server.removeAllListeners('error')
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
}

/** 127.0.0.0/8, ::1 and localhost, also as IPv4 mapped into IPv6. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(host)
}

function urlHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}

function addressOf(client: Client): string {
  return (client.conn as Socket).remoteAddress ?? '?'
}
