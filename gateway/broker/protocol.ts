/** What the broker's thread and the gateway tell each other. */
import type { WireError } from '../kernel/wire-error.ts'
import type { KnownAccount } from './acl.ts'
import type { BrokerChange, BrokerConfig, BrokerStats, InternalUser } from './config.ts'
import type { StreamEnd } from './port-stream.ts'

export interface BrokerThreadSettings {
  readonly config: BrokerConfig<KnownAccount>
  readonly internal: InternalUser
}

export type ToBroker =
  /** A connection of the gateway's own. */
  | { readonly kind: 'stream'; readonly end: StreamEnd }
  | { readonly kind: 'exchange'; readonly change: BrokerChange<KnownAccount> }
  | { readonly kind: 'stop' }

export type FromBroker =
  | { readonly kind: 'listening'; readonly port: number; readonly tlsPort: number | null }
  | { readonly kind: 'failed'; readonly error: WireError }
  /** Also says that the thread is not stuck. */
  | { readonly kind: 'stats'; readonly stats: BrokerStats }
  | { readonly kind: 'log'; readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly fields: object; readonly message: string }

/** How often the thread tells its figures, ms. */
export const TELL_MS = 250
