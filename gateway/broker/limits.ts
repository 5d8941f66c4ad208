/** What one client, one user and one address may take of the embedded broker, and how often that was too much. */

export interface BrokerLimits {
  /** Connections of all together. */
  readonly clients: number
  /** Connections from one address that is not this machine. */
  readonly perAddress: number
  /** Connections of one user. */
  readonly perUser: number
  /** New connections a second from one address, five times as many at once; from this machine ten times that. */
  readonly connectsPerS: number
  /** A connection that has not said CONNECT by then is closed, ms; the same for a TLS handshake. */
  readonly connectMs: number
  /** A packet that has begun and is not whole by then ends the connection, ms. */
  readonly packetMs: number
  /** Keep-alive of clients that ask for none, s: silent for one and a half times as long, they are dropped. */
  readonly keepaliveS: number
  /** Packets and bytes a second from one user (without users: one connection), five times as many at once. Above it is read more slowly. */
  readonly messagesPerS: number
  readonly bytesPerS: number
  /** Bytes that wait for one client; with more it is dropped. Four times as much for all together. */
  readonly queuedBytes: number
  /** Messages of QoS 2 that one client has begun and not finished. */
  readonly inFlight: number
  readonly retainedTopics: number
  readonly retainedBytes: number
  readonly subscriptions: number
}

export const LIMITS: BrokerLimits = {
  clients: 256,
  perAddress: 32,
  perUser: 64,
  connectsPerS: 20,
  connectMs: 5_000,
  packetMs: 30_000,
  keepaliveS: 300,
  messagesPerS: 1_000,
  bytesPerS: 32 * 1024 * 1024,
  queuedBytes: 16 * 1024 * 1024,
  inFlight: 100,
  retainedTopics: 50_000,
  retainedBytes: 64 * 1024 * 1024,
  subscriptions: 256,
}

/** At once what may come in this many seconds. */
export const BURST_S = 5

/** What was too much. */
export const LIMIT_KINDS = [
  'connections',
  'per_address',
  'per_user',
  'connect_rate',
  'password_checks',
  'packet_size',
  'packet_time',
  'not_connect',
  'unfinished',
  'publish_rate',
  'queued',
  'subscriptions',
] as const
export type LimitKind = (typeof LIMIT_KINDS)[number]

export type LimitCounts = Record<LimitKind, number>

export function noLimitHit(): LimitCounts {
  return Object.fromEntries(LIMIT_KINDS.map((kind) => [kind, 0])) as LimitCounts
}
