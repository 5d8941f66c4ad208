/** What the embedded broker is told and tells, and what of it can be checked before it starts. Nothing here loads the broker itself. */
import { randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { LuongError } from '../kernel/errors.ts'
import type { TopicBase } from '../uplink/topics.ts'
import type { BrokerAccount } from './acl.ts'
import type { RetainedStats } from './gate.ts'
import type { BrokerLimits, LimitCounts } from './limits.ts'
import { type BrokerTls, checkTls, isLoopback } from './listen.ts'

export interface BrokerConfig<A extends BrokerAccount = BrokerAccount> extends TopicBase {
  /** Loopback needs no users: then everyone on this machine may do everything. Any other address does. */
  readonly host: string
  /** 0: the system chooses. */
  readonly port: number
  /** With users, nobody connects without a name and password, also on loopback. */
  readonly users: readonly A[]
  readonly maxPayloadKb: number
  readonly limits?: Partial<BrokerLimits>
  /** A second listener. Absent: none. */
  readonly tls?: BrokerTls
}

/** What can change while the broker runs. Of `tls` the material only. */
export type BrokerChange<A extends BrokerAccount = BrokerAccount> = Pick<BrokerConfig<A>, 'users' | 'limits' | 'tls'>

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

/** The gateway's own account. */
export interface InternalUser {
  readonly name: string
  readonly password: string
}

export interface RunningBroker {
  readonly host: string
  readonly port: number
  /** null: there is no listener with TLS. */
  readonly tlsPort: number | null
  /** How the gateway itself connects: inside the process; a new secret at each start. */
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

/** Begins the name of the gateway's own account. */
const INTERNAL = '$gateway-'

/** Nobody else can know it. */
export function internalUser(): InternalUser {
  return { name: `${INTERNAL}${randomBytes(8).toString('hex')}`, password: randomBytes(32).toString('hex') }
}

/** Where the gateway's own connections say that they go. */
export function internalUrl(host: string, port: number): string {
  return `mqtt://${urlHost(host)}:${port}`
}

/** @throws CONFIG_INVALID where anybody on the network could connect, or a certificate cannot be used */
export function checkBroker({ host, tls, users }: BrokerConfig): void {
  const open = [host, tls?.host].find((address) => address !== undefined && !isLoopback(address))
  if (open !== undefined && users.length === 0) {
    throw new LuongError(
      'CONFIG_INVALID',
      `broker: ${open} is not loopback and there are no users: anyone on the network could open barriers`,
      { hint: 'Add users with passwords under broker.embedded.users, or set host to 127.0.0.1.' },
    )
  }
  if (tls) checkTls(tls)
}

function urlHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}
