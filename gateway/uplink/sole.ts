/**
 * Is this box the only one that speaks for its site, and does its journal go on where the centre's knowledge ends? Two copies of a data
 * folder would give the same sequences to different events, and consumers would take one for a repetition of the other: a loss that nobody
 * sees. So a box looks before it connects: by a connection under another client id, which throws nobody out. Two things hold it back:
 * another box that answers, and a signed head at the broker that is not in this journal. Held back, it sends nothing; nothing is lost, since
 * the journal keeps it.
 */
import type { z } from 'zod'
import { accessOf, type BrokerAccess } from '../../firmware-bridge/transport/access.ts'
import type { Message } from '../../firmware-bridge/transport/transport.ts'
import type { JournalHead } from '../journal/journal.ts'
import { type Clock, sleep, withDeadline } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import { BrokerConnection, type ConnectionOptions } from './connection.ts'
import { type Claim, claim } from './schema/claim.ts'
import { type SealedHeadMessage, sealedHead } from './schema/head.ts'
import { type Status, status } from './schema/up.ts'
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
  /** Whether a head was signed by the key in it. */
  readonly genuine: (head: SealedHeadMessage) => boolean
  /** RFC 3339, by the site's clock. */
  readonly stamp: () => string
  readonly connection: Pick<ConnectionOptions, 'url' | 'others' | 'protocol'>
  readonly clientId: string
  readonly clock: Clock
  readonly log: Log
}

/** What is retained comes right behind the acknowledgement of the subscription. */
const RETAINED_MS = 1_000
const ANSWER_MS = 5_000
/** For each address of the broker. */
const REACH_MS = 12_000
/** A connection that ended sooner may have been thrown out by another box. */
const SHORT_MS = 60_000

export class Sole {
  readonly #o: SoleOptions
  #held: Held | null = null
  /** It has spoken for the site in this run. */
  #admitted = false

  constructor(options: SoleOptions) {
    this.#o = options
  }

  get held(): Held | null {
    return this.#held
  }

  /** Whether the lanes must wait: another box was there before this one, and may move the same arms. */
  get stranger(): boolean {
    return !this.#admitted && this.#held?.kind === 'second-box'
  }

  /**
   * Before each connection. Null: go on.
   * @param lived ms that the connection before was up; null: there was none a moment ago
   */
  readonly admit = async (lived: number | null, access: BrokerAccess): Promise<string | null> => {
    if (lived !== null && lived >= SHORT_MS && this.#held === null) return null
    const { connection, clientId, boot, clock, log } = this.#o
    const { url, others = [], protocol = 'auto' } = connection
    const about = { name: 'uplink, looking', clientId: `${clientId}-${boot.slice(0, 6)}`, clock, log: quiet(log) }
    const link = new BrokerConnection({ url, others, protocol, ...accessOf(access), ...about })
    const up = new Promise<void>((done) => link.onState((is) => is && done()))
    const view = this.#listen(link)
    try {
      link.start()
      await withDeadline(clock, up, REACH_MS * (others.length + 1), () => new Error(link.stats().why ?? 'no answer'))
      await sleep(clock, RETAINED_MS)
      await this.#judge(link, view)
    } catch (error) {
      return messageOf(error)
    } finally {
      await link.stop()
    }
    if (this.#held === null) this.#admitted = true
    return this.#held?.why ?? null
  }

  #listen(link: BrokerConnection): View {
    const view: View = { status: null, head: null, answered: () => {} }
    link.subscribe(this.#topic('status'), (message) => {
      const s = parsed(status, message)
      if (!s) return
      view.status = s
      if (!message.retained && s.online && s.boot !== this.#o.boot) view.answered()
    })
    link.subscribe(this.#topic('head'), (message) => {
      view.head = parsed(sealedHead, message) ?? view.head
    })
    return view
  }

  async #judge(link: BrokerConnection, view: View): Promise<void> {
    const before = this.#held
    // Another box that is there weighs more: two boxes must not move the same arms.
    this.#held = (await this.#other(link, view)) ?? (await this.#unknownHead(view.head))
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
    const { site, genuine, hashOf } = this.#o
    if (!head || head.entry === 0 || head.site !== site || !genuine(head)) return null
    const hash = await hashOf(head.entry)
    if (hash === head.hash) return null
    const how = hash === null ? `ends at entry ${this.#o.head().entry}` : 'has another entry there'
    const why =
      `the centre has a head signed at ${head.at} by boot ${head.boot} (sequence ${head.sequence}, entry ${head.entry}), this journal ${how}: ` +
      'it is an older copy, or another box went on from it'
    return { kind: 'journal-behind', why }
  }

  #asked = false
  async #other(link: BrokerConnection, view: View): Promise<Held | null> {
    const { boot, clock } = this.#o
    const seen = view.status
    const sign = seen?.online === true && seen.boot !== boot
    // Once held back, it asks whatever the broker still knows: brokers forget.
    if (!sign && this.#held?.kind !== 'second-box') return null
    // It may be our own last run, whose end the broker has not noticed: only who answers is there.
    const answer = new Promise<true>((done) => {
      view.answered = () => done(true)
    })
    this.#asked = true
    await this.#say(link, 'asks')
    const there = await withDeadline(clock, answer, ANSWER_MS, () => new Error('late')).catch(() => false)
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
      this.#o.log.warn({ err: messageOf(error), state }, 'the claim of this box could not be told')
    }
  }

  #topic(name: 'status' | 'head' | 'claim'): string {
    return topic(TOPICS[name], this.#o)
  }
}

interface View {
  status: Status | null
  head: SealedHeadMessage | null
  answered: () => void
}

function parsed<T extends z.ZodType>(schema: T, message: Message): z.output<T> | null {
  try {
    return schema.safeParse(JSON.parse(Buffer.from(message.payload).toString('utf8'))).data ?? null
  } catch {
    return null
  }
}

/** A claim of another box, just said and not kept from before; null: of this one, or nothing that can be read. */
export function claimOf(message: Message, boot: string): z.output<typeof claim> | null {
  const said = message.retained ? null : parsed(claim, message)
  return said === null || said.boot === boot ? null : said
}

/** The connection that only looks says nothing of its own: what it finds is told once. */
function quiet(log: Log): Log {
  const none = () => {}
  return { ...log, debug: none, info: none, warn: none, error: none, child: () => quiet(log) }
}
