/** Who may connect, publish and subscribe. Roles come from the topic table, own filters from the configuration. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { topicMatches } from '../../firmware-bridge/transport/topic.ts'
import { type PasswordHash, sameHash } from '../kernel/password-hash.ts'
import type { Access, Role, TopicBase } from '../uplink/topics.ts'

export interface BrokerAccount {
  readonly name: string
  /** The password itself, or all that is known of it. */
  readonly password: string | PasswordHash
  readonly role: Role
  /** Filters on top of what the role may do. */
  readonly publish: readonly string[]
  readonly subscribe: readonly string[]
}

/** With what its role may do. The topic table says that (uplink/topics.ts); it is not loaded here: the broker's thread needs nothing else of it. */
export interface KnownAccount extends BrokerAccount {
  readonly access: Access
}

/** What the gateway itself may do, and anybody where there are no users. */
export const EVERYTHING: Access = { publish: ['#'], subscribe: ['#'] }

/** Whether both have the same password, as far as can be seen: a hash with another salt counts as another one. */
export function samePassword(a: BrokerAccount, b: BrokerAccount): boolean {
  if (typeof a.password === 'string' || typeof b.password === 'string') return a.password === b.password
  return sameHash(a.password, b.password)
}

/** Finds the account of a name and password, among those whose password is known. Takes the same time whether the name, the password or nothing is wrong. */
export function authenticate<A extends BrokerAccount>(accounts: readonly A[], name: string, password: Uint8Array): A | null {
  const given = digest(password)
  let found: A | null = null
  for (const account of accounts) {
    if (typeof account.password !== 'string') continue
    const sameName = timingSafeEqual(digest(account.name), digest(name))
    const right = timingSafeEqual(digest(account.password), given)
    if (sameName && right) found = account
  }
  return found
}

const digest = (text: string | Uint8Array) => createHash('sha256').update(text).digest()

/** How many topics a client's answers are remembered for. */
const REMEMBERED = 512

/** What one connection may do. */
export class Permissions {
  readonly #own: Access
  readonly #role: Access
  readonly #device: boolean
  readonly #site: string
  readonly #read = new Map<string, boolean>()
  constructor(account: Pick<KnownAccount, 'role' | 'access' | 'publish' | 'subscribe'>, base: TopicBase) {
    this.#role = account.access
    this.#own = { publish: account.publish, subscribe: account.subscribe }
    this.#device = account.role === 'device'
    this.#site = `${base.root}/${base.site}`
  }
  mayPublish(topic: string): boolean {
    if (topic.startsWith('$')) return false
    if (this.#role.publish.some((f) => topicMatches(f, topic))) return true
    // However wide its own filters are, a device never speaks for the site or the centre.
    if (this.#device && (topic === this.#site || topic.startsWith(`${this.#site}/`))) return false
    return this.#own.publish.some((f) => topicMatches(f, topic))
  }
  /** Whether a message on `topic` may be handed to this client. */
  mayRead(topic: string): boolean {
    const known = this.#read.get(topic)
    if (known !== undefined) return known
    const may = [...this.#role.subscribe, ...this.#own.subscribe].some((f) => topicMatches(f, topic))
    if (this.#read.size >= REMEMBERED) this.#read.clear()
    this.#read.set(topic, may)
    return may
  }
  /** Whether a subscription can bring anything that may be read; the rest is held back message by message. */
  maySubscribe(filter: string): boolean {
    return [...this.#role.subscribe, ...this.#own.subscribe].some((f) => overlap(f, filter))
  }
}

/** Whether some topic fits both filters. */
export function overlap(a: string, b: string): boolean {
  const x = a.split('/')
  const y = b.split('/')
  // Wildcards in the first level never match topics that begin with $ (MQTT 3.1.1, 4.7.2).
  const hidden = (first: string | undefined, other: string | undefined) => first?.startsWith('$') && (other === '+' || other === '#')
  if (hidden(x[0], y[0]) || hidden(y[0], x[0])) return false
  for (let i = 0; ; i++) {
    const p = x[i]
    const q = y[i]
    // `#` also stands for no level at all: sport/# matches sport.
    if (p === '#' || q === '#') return true
    if (p === undefined || q === undefined) return p === q || (p === undefined ? y : x)[i] === '#'
    if (p !== '+' && q !== '+' && p !== q) return false
  }
}
