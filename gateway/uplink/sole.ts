/**
 * Is this box the only one that speaks for its site, and does its journal go on where the centre's knowledge ends? Two copies of a data
 * folder would give the same sequences to different events, and consumers would take one for a repetition of the other: a loss that nobody
 * sees. So a box looks before it connects: by a connection under another client id, which throws nobody out. Two things hold it back:
 * another box that answers, and a signed head at the broker that is not in this journal. Held back, it sends nothing; nothing is lost, since
 * the journal keeps it.
 *
 * Only a look that has an answer changes that. While the centre is not reached nobody knows whether the other box has gone, so a box that is
 * held back stays so, also over a restart.
 */
import type { z } from 'zod'
import type { BrokerAccess } from '../../firmware-bridge/transport/access.ts'
import type { Message } from '../../firmware-bridge/transport/transport.ts'
import type { JournalHead } from '../journal/journal.ts'
import { type Clock, sleep } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import type { BrokerConnection, ConnectionOptions } from './connection.ts'
import { look, parsed, type Seen, type Within } from './look.ts'
import { type Claim, claim } from './schema/claim.ts'
import type { SealedHeadMessage } from './schema/head.ts'
import { TOPICS, type TopicBase, topic } from './topics.ts'

/** Why a box is held back: another one is there, or the journal does not hold what the centre has. */
export interface Held {
  readonly kind: 'second-box' | 'journal-behind'
  readonly why: string
}

export interface SoleOptions extends TopicBase {
  readonly boot: string
  /** Fingerprint of the box's key. */
  readonly key: string
  readonly head: () => JournalHead
  /** Hash of an entry of the journal, hex; null: there is none. */
  readonly hashOf: (entry: number) => Promise<string | null>
  /** Sequence with which the journal last went on above numbers that are lost (`luong continue`); null: never. */
  readonly continued: number | null
  /** Whether a head was signed by the key in it. */
  readonly genuine: (head: SealedHeadMessage) => boolean
  /** RFC 3339, by the site's clock. */
  readonly stamp: () => string
  readonly connection: Pick<ConnectionOptions, 'url' | 'others' | 'protocol'>
  readonly clientId: string
  /** What {@link remember} was last told, by an earlier run. */
  readonly remembered: Held | null
  /** Another box was there first, or (null) is not any more: to be known over a restart. Told only when that changes. */
  readonly remember: (stranger: Held | null) => void
  readonly clock: Clock
  readonly log: Log
}

const ANSWER_MS = 5_000
/** A connection that ended sooner may have been thrown out by another box. */
const SHORT_MS = 60_000
/** The first look is waited for so long where the broker is not reached, and in all. */
const FIRST_REACH_MS = 3_000
const FIRST_MS = 10_000
/** What a look found is worth so long. */
const FRESH_MS = 5_000

interface FirstLook {
  readonly found: Promise<string | null>
  /** When it had found something, mono ms. */
  at: number | null
}

export class Sole {
  readonly #o: SoleOptions
  #held: Held | null
  /** Since when it has spoken for the site in this run, mono ms; null: it has not. */
  #spoke: number | null = null
  /** The broker was reached in this run. */
  #reached = false
  /** Why the last look found nothing out. */
  #blind: string | null = null
  #first: FirstLook | null = null
  readonly #ending = new AbortController()
  #ended: Promise<unknown> = Promise.resolve()

  constructor(options: SoleOptions) {
    this.#o = options
    this.#held = options.remembered
  }

  get held(): Held | null {
    if (!this.#held || this.#blind === null) return this.#held
    return { ...this.#held, why: `${this.#held.why}; whether that still holds is not known: ${this.#blind}` }
  }

  /** Whether the lanes must wait: another box was there before this one, and may move the same arms. */
  get stranger(): boolean {
    return this.#spoke === null && this.#held?.kind === 'second-box'
  }

  /**
   * The first look, before any lane may open. Resolves when it is known whether another box is there (true), or when that is not waited for
   * any longer: the broker is not reached within 3 s, or has not said enough within 10. Never rejects.
   */
  async first(access: BrokerAccess): Promise<boolean> {
    const { clock } = this.#o
    const first: FirstLook = { found: this.#look(access), at: null }
    this.#first = first
    const known = first.found.then(() => {
      first.at = clock.mono()
      return this.#blind === null
    })
    const over = new AbortController()
    const late = async () => {
      await sleep(clock, FIRST_REACH_MS, over.signal)
      if (this.#reached) await sleep(clock, FIRST_MS - FIRST_REACH_MS, over.signal)
      return false
    }
    const answer = await Promise.race([known, late()])
    over.abort()
    return answer
  }

  /** Before each connection. Null: go on. */
  readonly admit = (lived: number | null, access: BrokerAccess): Promise<string | null> => {
    if (lived !== null && lived >= SHORT_MS && this.#held === null) return Promise.resolve(null)
    const first = this.#first
    this.#first = null
    if (first && (first.at === null || this.#o.clock.mono() - first.at < FRESH_MS)) return first.found
    return this.#look(access)
  }

  /** Ends a look that is under way, within a few seconds, and begins no other. */
  async stop(): Promise<void> {
    this.#ending.abort()
    await this.#ended
  }

  #look(access: BrokerAccess): Promise<string | null> {
    const look = this.#ending.signal.aborted ? Promise.resolve('stopped') : this.#ask(access)
    this.#ended = Promise.allSettled([this.#ended, look])
    return look
  }

  async #ask(access: BrokerAccess): Promise<string | null> {
    const { connection, clientId, boot } = this.#o
    const { url, others = [], protocol = 'auto' } = connection
    const about = { ...this.#o, connection: { url, others, protocol, ...access }, clientId: `${clientId}-${boot.slice(0, 6)}` }
    const reached = () => {
      this.#reached = true
    }
    try {
      await look({ ...about, signal: this.#ending.signal, reached }, (link, seen, within) => this.#judge(link, seen, within))
      this.#blind = null
    } catch (error) {
      this.#blind = messageOf(error)
      return this.#blind
    }
    if (this.#held === null) this.#spoke ??= this.#o.clock.mono()
    return this.#held?.why ?? null
  }

  async #judge(link: BrokerConnection, view: Seen, within: Within): Promise<void> {
    const before = this.#held
    // Another box that is there weighs more: two boxes must not move the same arms.
    this.#held = (await this.#other(link, view, within)) ?? (await this.#unknownHead(view.head))
    // Two that looked at the same moment saw nobody: neither was there first, and the one that is thrown out stands back.
    const young = this.#spoke !== null && this.#o.clock.mono() - this.#spoke < SHORT_MS
    if (this.#held?.kind === 'second-box' && young) this.#spoke = null
    if (this.#spoke === null && (this.#held?.kind === 'second-box') !== (before?.kind === 'second-box'))
      this.#o.remember(this.#held?.kind === 'second-box' ? this.#held : null)
    if (this.#held) {
      if (before?.why !== this.#held.why) this.#o.log.error({ why: this.#held.why }, 'this box does not speak for its site')
      // Said again at each look: whoever hears it knows that the box is still there.
      await this.#say(link, 'held', this.#held.why)
    } else if (before || this.#asked) {
      if (before) this.#o.log.warn({}, 'this box speaks for its site again')
      await this.#say(link, 'settled')
      this.#asked = false
    }
  }

  /** The box that signed it went on where this journal does not. */
  async #unknownHead(head: SealedHeadMessage | null): Promise<Held | null> {
    const { site, genuine, hashOf, continued } = this.#o
    if (!head || head.entry === 0 || head.site !== site || !genuine(head)) return null
    const hash = await hashOf(head.entry)
    if (hash === head.hash) return null
    // Somebody has decided that what led to this head is lost, and no number up to there is given again.
    if (continued !== null && head.sequence < continued) return null
    const how = hash === null ? `ends at entry ${this.#o.head().entry}` : 'has another entry there'
    const why =
      `the centre has a head signed at ${head.at} by boot ${head.boot} (sequence ${head.sequence}, entry ${head.entry}), this journal ${how}: ` +
      'it is an older copy, or another box went on from it'
    return { kind: 'journal-behind', why }
  }

  #asked = false
  async #other(link: BrokerConnection, view: Seen, within: Within): Promise<Held | null> {
    const { boot } = this.#o
    const seen = view.status
    const sign = seen?.online === true && seen.boot !== boot
    // Once held back, it asks whatever the broker still knows: brokers forget.
    if (!sign && this.#held?.kind !== 'second-box') return null
    // It may be our own last run, whose end the broker has not noticed: only who answers is there.
    const answer = new Promise<true>((done) => {
      view.present = (said) => said.boot !== boot && done(true)
    })
    this.#asked = true
    await this.#say(link, 'asks')
    const there = await within(answer, ANSWER_MS, () => new Error('late')).catch(() => false)
    // A look that was ended has found out nothing.
    this.#ending.signal.throwIfAborted()
    if (!there) return null
    const { boot: other, sequence, at } = view.status!
    return { kind: 'second-box', why: `another box speaks for this site: boot ${other}, sequence ${sequence}, at ${at}` }
  }

  /** Whether it may be said does not decide who speaks: a broker of older rights refuses it. */
  async #say(link: BrokerConnection, state: Claim['state'], why?: string): Promise<void> {
    const { site, boot, key, head, stamp } = this.#o
    const said: Claim = { site, boot, state, key, sequence: head().sequence, ...(why ? { why: why.slice(0, 500) } : {}), at: stamp() }
    try {
      await link.publishRetained({ topic: this.#topic('claim'), payload: JSON.stringify(said) })
    } catch (error) {
      if (!this.#ending.signal.aborted) this.#o.log.warn({ err: messageOf(error), state }, 'the claim of this box could not be told')
    }
  }

  #topic(name: 'status' | 'head' | 'claim'): string {
    return topic(TOPICS[name], this.#o)
  }
}

/** A claim of another box, just said and not kept from before; null: of this one, or nothing that can be read. */
export function claimOf(message: Message, boot: string): z.output<typeof claim> | null {
  const said = message.retained ? null : parsed(claim, message)
  return said === null || said.boot === boot ? null : said
}
