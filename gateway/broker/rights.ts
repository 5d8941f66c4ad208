/** Who the clients of the broker are and what they may do: aedes' questions, answered from the users of the moment. */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Aedes, AuthenticateError, Client } from 'aedes'
import type { PasswordHash } from '../kernel/password-hash.ts'
import type { QuietLog } from '../uplink/quiet.ts'
import type { TopicBase } from '../uplink/topics.ts'
import { authenticate, EVERYTHING, type KnownAccount, Permissions, samePassword } from './acl.ts'
import type { BrokerLimits, LimitKind } from './limits.ts'
import { clientName } from './listen.ts'
import type { Passwords } from './passwords.ts'

export interface RightsOptions {
  readonly base: TopicBase
  /** The gateway's own account. */
  readonly internal: KnownAccount
  readonly limits: () => BrokerLimits
  /** Certificates of clients must have the name of the user. */
  readonly named: boolean
  /** Checks those of whom only a hash is known. */
  readonly passwords: Passwords
  readonly quiet: QuietLog
  /** A client is in: its connection and user. null: nobody in particular. */
  readonly entered: (client: Client, user: string | null) => void
  readonly over: (kind: LimitKind, detail: object) => void
}

/** null: anybody on this machine, where there are no users. */
type Account = KnownAccount | null

interface Known {
  readonly account: Account
  readonly may: Permissions
}

/** Longest client id, and longest topic or filter, characters: what is longer is nobody's, and is kept by the broker. */
const MAX_ID = 256
const MAX_TOPIC = 1_024

/** CONNACK return codes of MQTT 3.1.1, 3.2.2.3. */
const IDENTIFIER_REJECTED = 2
const UNAVAILABLE = 3
const BAD_PASSWORD = 4

type Handlers = NonNullable<ConstructorParameters<typeof Aedes>[0]>

export class Rights {
  readonly #o: RightsOptions
  readonly #anybody: Permissions
  readonly #known = new WeakMap<Client, Known>()
  readonly #clients = new Map<string, Client>()
  #users: readonly KnownAccount[]
  refused = 0
  denied = 0

  constructor(users: readonly KnownAccount[], options: RightsOptions) {
    this.#users = users
    this.#o = options
    this.#anybody = new Permissions({ role: 'admin', access: EVERYTHING, publish: [], subscribe: [] }, options.base)
  }

  get users(): number {
    return this.#users.length
  }

  /** Other users from now on. Those who are connected and no longer there, or have another password, are cut off; the others get their new rights. */
  exchange(users: readonly KnownAccount[]): void {
    this.#users = users
    this.#o.passwords.keep(new Set(users.map((u) => u.name)))
    for (const client of this.#clients.values()) {
      const before = this.#known.get(client)?.account
      if (before === undefined || before === this.#o.internal) continue
      const now = users.find((u) => u.name === before?.name && samePassword(u, before))
      if (now) this.#known.set(client, { account: now, may: new Permissions(now, this.#o.base) })
      else if (before !== null || users.length > 0) this.#cut(client, before)
    }
  }

  #cut(client: Client, account: KnownAccount | null): void {
    this.#o.quiet.warn(
      { user: account?.name ?? 'anonymous', client: client.id },
      'broker: this user was revoked; its connection was closed',
    )
    // From here on it has no rights: not even its last will is published.
    this.#known.delete(client)
    ;(client.conn as Socket).destroy()
  }

  /** Keeps track of who is there; called for aedes' events. */
  joined(client: Client): void {
    this.#clients.set(client.id, client)
  }
  left(client: Client): void {
    if (this.#clients.get(client.id) === client) this.#clients.delete(client.id)
  }

  readonly handlers: Pick<Handlers, 'preConnect' | 'authenticate' | 'authorizePublish' | 'authorizeSubscribe' | 'authorizeForward'> = {
    preConnect: (_client, packet, callback) => {
      // No sessions, and nobody who is silent for ever.
      packet.clean = true
      packet.keepalive ||= this.#o.limits().keepaliveS
      callback(null, true)
    },
    authenticate: (client, username, password, done) => {
      const refuse = (message: string, returnCode: number) => {
        this.refused++
        this.#o.quiet.warn({ from: addressOf(client), user: username?.slice(0, 64), client: client.id?.slice(0, 64) }, `broker: ${message}`)
        done(Object.assign(new Error(message), { returnCode }) as unknown as AuthenticateError, false)
      }
      const { named } = this.#o
      const wrongName = (account: Account) => named && client.conn instanceof TLSSocket && clientName(client.conn) !== account?.name
      if ((client.id ?? '').length > MAX_ID) return refuse(`the client id is longer than ${MAX_ID} characters`, IDENTIFIER_REJECTED)
      const settle = (found: Account | 'busy' | undefined) => {
        if (found === 'busy') return refuse('too many passwords to check', UNAVAILABLE)
        const account = this.#still(found)
        if (account === undefined) return refuse('wrong or missing user name or password', BAD_PASSWORD)
        if (wrongName(account)) return refuse("the client's certificate is not that of its user", BAD_PASSWORD)
        // Whoever connects with the id of another client throws it out: only a user itself may do that.
        const same = this.#clients.get(client.id)
        if (same && this.#known.get(same)?.account?.name !== account?.name)
          return refuse('the client id belongs to another user', IDENTIFIER_REJECTED)
        if (account && account !== this.#o.internal && this.#many(account)) {
          this.#o.over('per_user', { user: account.name, from: addressOf(client) })
          return refuse('too many connections of one user', UNAVAILABLE)
        }
        this.#known.set(client, { account, may: account ? new Permissions(account, this.#o.base) : this.#anybody })
        this.#o.entered(client, account?.name ?? null)
        done(null, true)
      }
      const found = this.#accountOf(username, password)
      const like = found === undefined && username !== undefined ? this.#hashed(username) : null
      if (!like || username === undefined) return settle(found)
      const { account } = like
      // The certificate first: it costs nothing.
      if (account && wrongName(account)) return refuse("the client's certificate is not that of its user", BAD_PASSWORD)
      const attempt = {
        ...{ name: username, password: password ?? new Uint8Array(), hash: account ? like.hash : null },
        from: addressOf(client),
        gone: () => client.closed || (client.conn as Socket).destroyed,
      }
      this.#o.passwords.check(attempt, like.hash).then((verdict) => {
        if (verdict === 'busy') this.#o.over('password_checks', { from: addressOf(client), user: username.slice(0, 64) })
        settle(verdict === 'busy' ? 'busy' : verdict === 'right' && account ? account : undefined)
      })
    },
    authorizePublish: (client, packet, callback) => {
      const fits = packet.topic.length <= MAX_TOPIC
      if (client === null || (fits && this.#known.get(client)?.may.mayPublish(packet.topic))) return callback(null)
      this.#deny(client, 'publishing', packet.topic)
      // MQTT 3.1.1 has no way to say no to a publish: the client is closed, so that it cannot believe it was heard.
      callback(new Error(`publishing to ${packet.topic.slice(0, 200)} is not allowed`))
    },
    authorizeSubscribe: (client, subscription, callback) => {
      const { subscriptions } = client as unknown as { subscriptions: Readonly<Record<string, unknown>> }
      // The gateway's own connection carries the filters of all devices; what a client has already is no further one.
      const counts = this.#known.get(client)?.account !== this.#o.internal && !(subscription.topic in subscriptions)
      const many = counts && Object.keys(subscriptions).length >= this.#o.limits().subscriptions
      const fits = subscription.topic.length <= MAX_TOPIC
      if (!many && fits && this.#known.get(client)?.may.maySubscribe(subscription.topic)) return callback(null, subscription)
      if (many) this.#o.over('subscriptions', { user: this.#userOf(client), client: client.id })
      else this.#deny(client, 'subscribing', subscription.topic)
      callback(null, null)
    },
    authorizeForward: (client, packet) => (this.#known.get(client)?.may.mayRead(packet.topic) ? packet : null),
  }

  /** The user with a hash that has this name; without one, the hash of some other user, so that both look alike. Null: no user has a hash. */
  #hashed(name: string): { readonly account: KnownAccount | null; readonly hash: PasswordHash } | null {
    let some: PasswordHash | null = null
    for (const account of this.#users) {
      const { password: hash } = account
      if (typeof hash === 'string') {
        // Its password is known, and was not given.
        if (account.name === name) return null
        continue
      }
      if (account.name === name) return { account, hash }
      some ??= hash
    }
    return some && { account: null, hash: some }
  }

  /** While its password was checked, the users may have become others. */
  #still(account: Account | undefined): Account | undefined {
    if (!account || account === this.#o.internal) return account
    return this.#users.find((u) => u.name === account.name && samePassword(u, account))
  }

  /** null: anybody on this machine. undefined: nobody whose password is known. */
  #accountOf(username: string | undefined, password: Uint8Array | undefined): Account | undefined {
    const { internal } = this.#o
    if (this.#users.length === 0 && username !== internal.name) return null
    if (username === undefined) return undefined
    return authenticate([internal, ...this.#users], username, password ?? new Uint8Array()) ?? undefined
  }

  #many(account: KnownAccount): boolean {
    const held = [...this.#clients.values()].filter((c) => this.#known.get(c)?.account?.name === account.name)
    return held.length >= this.#o.limits().perUser
  }

  #userOf(client: Client): string | undefined {
    const known = this.#known.get(client)
    return known?.account === null ? 'anonymous' : known?.account.name
  }

  #deny(client: Client, what: string, topic: string): void {
    this.denied++
    const fields = { user: this.#userOf(client), client: client.id, topic: topic.slice(0, 200) }
    this.#o.quiet.warn(fields, `broker: ${what} outside the rights of this user`)
  }
}

export function addressOf(client: Client): string {
  return (client.conn as Socket).remoteAddress ?? '?'
}
