/**
 * The numbered stream between two sites, one each way, over a link that may lose, repeat and reorder. Pure: time comes in, messages go
 * out. Each side keeps what it has said until the other has acknowledged it, and takes the other's numbers once and in order.
 *
 * One question heals everything: a `hello` with a fresh nonce, asked when the link comes up, every few seconds, and as soon as
 * something is late. Only the answer to the latest one may move anything back: which stream the other side speaks in, and what it has of
 * ours. So nothing that is replayed, by whomever, has an effect.
 */
import type { NumberedMessage, PeerBody, PeerMessage, PeerSignal } from '../uplink/schema/peer.ts'

/** What survives a restart. */
export interface LinkRecord {
  /** Id of our own numbering. */
  readonly stream: string
  /** Last number given, and last one acknowledged by the other side. */
  readonly sent: number
  readonly acked: number
  /** The other side's numbering, once it has said so itself; null: not yet. */
  readonly theirs: string | null
  /** Last number taken from it. */
  readonly received: number
}

/** What only this run knows. Times are monotonic ms. */
export interface LinkSession {
  /** When this run began. */
  readonly since: number
  readonly up: boolean
  /** Last number handed to the link since the other side last told what it has. */
  readonly flight: number
  /** Whether it has told, since the link came up. */
  readonly met: boolean
  /** The hello that waits for its answer. `wall`: own wall clock when it was sent. */
  readonly asked: { readonly nonce: string; readonly at: number; readonly wall: number } | null
  /** When the next hello is due. */
  readonly helloAt: number
  /** How long to wait for an answer to what is on its way. */
  readonly patience: number
  /** When something valid was last heard; null: never. */
  readonly heardAt: number | null
  /** How far the other side's wall clock is ahead of ours, ms; null: not known. */
  readonly ahead: number | null
}

export interface Link {
  readonly record: LinkRecord
  readonly session: LinkSession
  /** What was said and not acknowledged, by number: exactly `acked + 1` to `sent`. */
  readonly waiting: ReadonlyMap<number, PeerBody>
}

export interface Now {
  /** Monotonic ms. */
  readonly mono: number
  /** Own wall clock, ms. */
  readonly wall: number
}

export type LinkInput =
  | { readonly kind: 'up' }
  | { readonly kind: 'down' }
  | { readonly kind: 'tick' }
  | { readonly kind: 'heard'; readonly message: PeerMessage }

/** Why a numbered message was not taken. */
export type Refusal = 'repeated' | 'gap' | 'unknown-stream' | 'wrong-id'

export interface LinkStep {
  readonly link: Link
  /** To be sent when the step is durable. */
  readonly out: readonly (PeerSignal | { readonly number: number })[]
  /** Taken: new, next in order, once. */
  readonly taken: NumberedMessage | null
  readonly refused: Refusal | null
  /** A numbering had to begin anew, and why. */
  readonly restarted: string | null
}

/** Messages on their way and not yet acknowledged. */
export const WINDOW = 16
export const HELLO_MS = 15_000
const PATIENCE_MS = 4_000
const ASK_AGAIN_MS = 1_000
const MOST_PATIENCE_MS = 60_000

/** Sources of chance: handed in, so that the core stays pure. */
export interface Chance {
  /** 16 hex digits, never the same twice. */
  id(): string
}

export function newRecord(chance: Chance): LinkRecord {
  return { stream: chance.id(), sent: 0, acked: 0, theirs: null, received: 0 }
}

export const NO_SESSION: LinkSession = {
  since: 0,
  up: false,
  flight: 0,
  met: false,
  asked: null,
  helloAt: 0,
  patience: PATIENCE_MS,
  heardAt: null,
  ahead: null,
}

export const idOf = (stream: string, number: number): string => `${stream}-${number}`

/** The link with one more thing to say. It goes out with the next {@link flush}. */
export function say(link: Link, body: PeerBody): Link {
  const sent = link.record.sent + 1
  return { ...link, record: { ...link.record, sent }, waiting: new Map(link.waiting).set(sent, body) }
}

/** Hands over what may go out now. */
export function flush(link: Link): { link: Link; out: readonly { readonly number: number }[] } {
  const { session, record } = link
  if (!session.up || !session.met) return { link, out: [] }
  const last = Math.min(record.sent, record.acked + WINDOW)
  const first = Math.max(session.flight, record.acked) + 1
  if (last < first) return { link, out: [] }
  const out = Array.from({ length: last - first + 1 }, (_, i) => ({ number: first + i }))
  return { link: { ...link, session: { ...session, flight: last } }, out }
}

const only = (link: Link, part: Partial<LinkStep> = {}): LinkStep => ({
  link,
  out: [],
  taken: null,
  refused: null,
  restarted: null,
  ...part,
})

export function step(link: Link, input: LinkInput, now: Now, chance: Chance): LinkStep {
  switch (input.kind) {
    case 'up':
      return greet({ ...link, session: { ...link.session, up: true, met: false, flight: 0, patience: PATIENCE_MS } }, now, chance)
    case 'down':
      return only({ ...link, session: { ...link.session, up: false, met: false, asked: null } })
    case 'tick':
      return tick(link, now, chance)
    case 'heard': {
      const heard = { ...link, session: { ...link.session, heardAt: now.mono } }
      const { message } = input
      if (message.kind === 'hello') return answerHello(heard, message, now, chance)
      if (message.kind === 'ack') return acknowledged(heard, message, now, chance)
      return 'number' in message ? numbered(heard, message, now, chance) : only(heard)
    }
  }
}

function ackOf({ record }: Link, nonce?: string, gap = false): PeerSignal {
  return {
    kind: 'ack',
    own: record.stream,
    stream: record.theirs,
    received: record.received,
    ...(nonce === undefined ? {} : { nonce }),
    ...(gap ? { gap } : {}),
  }
}

/**
 * The other side is there. Where it has left a question of ours unanswered it may have been away, and where it speaks in a numbering
 * that is not known it must be asked: both at once, and not when patience ends.
 */
function answerHello(link: Link, { nonce, stream }: { nonce: string; stream: string }, now: Now, chance: Chance): LinkStep {
  const { asked, up } = link.session
  if (!up) return only(link, { out: [ackOf(link, nonce)] })
  const unknown = stream !== link.record.theirs
  const old = asked !== null && now.mono - asked.at >= ASK_AGAIN_MS
  const asks =
    old || (unknown && asked === null)
      ? greet(link, now, chance)
      : // The same question once more: whichever copy is answered, it is the latest one. A new one could chase that of the other side for ever.
        only(link, unknown ? { out: [{ kind: 'hello', nonce: asked!.nonce, stream: link.record.stream }] } : {})
  return { ...asks, out: [ackOf(link, nonce), ...asks.out] }
}

/** Asks anew; what was asked before counts no more. */
function greet(link: Link, now: Now, chance: Chance): LinkStep {
  const asked = { nonce: chance.id(), at: now.mono, wall: now.wall }
  const session = { ...link.session, asked, helloAt: now.mono + HELLO_MS }
  return only({ ...link, session }, { out: [{ kind: 'hello', nonce: asked.nonce, stream: link.record.stream }] })
}

function tick(link: Link, now: Now, chance: Chance): LinkStep {
  const { session, record } = link
  if (!session.up) return only(link)
  const waits = session.asked !== null || session.flight > record.acked
  const late = waits && now.mono >= session.helloAt - HELLO_MS + session.patience
  if (!late && now.mono < session.helloAt) return only(link)
  const patience = late ? Math.min(session.patience * 2, MOST_PATIENCE_MS) : session.patience
  return greet({ ...link, session: { ...session, patience } }, now, chance)
}

function acknowledged(link: Link, ack: Extract<PeerMessage, { kind: 'ack' }>, now: Now, chance: Chance): LinkStep {
  const { record, session } = link
  const fresh = session.asked !== null && ack.nonce === session.asked.nonce
  if (!fresh) {
    const known = ack.stream === record.stream && ack.received > record.acked && ack.received <= record.sent
    const on = known ? upTo(link, ack.received) : link
    const next = known ? { ...on, session: { ...on.session, patience: PATIENCE_MS, helloAt: now.mono + HELLO_MS } } : on
    // Something on its way was lost: what the other side has is asked at once, unless that is under way.
    return ack.gap && session.asked === null ? greet(next, now, chance) : only(next)
  }
  const ahead = Date.parse(ack.at) - (session.asked!.wall + now.wall) / 2
  const met: Link = {
    // The other side has said itself in which numbering it speaks.
    record: ack.own === record.theirs ? record : { ...record, theirs: ack.own, received: 0 },
    session: { ...session, met: true, asked: null, patience: PATIENCE_MS, ahead, helloAt: now.mono + HELLO_MS },
    waiting: link.waiting,
  }
  const has = ack.stream === record.stream ? ack.received : 0
  const restarted =
    has > record.sent
      ? `it has ${has} of our messages, and ${record.sent} were sent: this data is older`
      : has < record.acked
        ? `it has ${has} of our messages, and had acknowledged ${record.acked}: its data is older or new`
        : null
  // What it said in a numbering that was not known yet was refused: it is asked to say it again, now and not when it loses patience.
  const out = met.record === record ? [] : [ackOf(met, undefined, true)]
  if (restarted !== null) return only(again(met, chance), { restarted, out })
  const on = upTo(met, has)
  return only({ ...on, session: { ...on.session, flight: has } }, { out })
}

function upTo(link: Link, acked: number): Link {
  if (acked === link.record.acked) return link
  const waiting = new Map([...link.waiting].filter(([number]) => number > acked))
  return { ...link, record: { ...link.record, acked }, waiting }
}

/** A new numbering, in which all that waits is said again from 1. */
function again(link: Link, chance: Chance): Link {
  const waiting = new Map([...link.waiting].map(([, body], i) => [i + 1, body]))
  const record = { ...link.record, stream: chance.id(), sent: waiting.size, acked: 0 }
  return { record, session: { ...link.session, flight: 0 }, waiting }
}

function numbered(link: Link, message: NumberedMessage, now: Now, chance: Chance): LinkStep {
  const { record, session } = link
  if (message.id !== idOf(message.stream, message.number)) return only(link, { refused: 'wrong-id' })
  if (message.stream !== record.theirs) {
    // Only its own answer to a fresh question says that it really speaks in another numbering now.
    const ask = session.up && (session.asked === null || now.mono - session.asked.at >= ASK_AGAIN_MS)
    const asks = ask ? greet(link, now, chance) : only(link)
    return { ...asks, refused: 'unknown-stream' }
  }
  if (message.number <= record.received) return only(link, { out: [ackOf(link)], refused: 'repeated' })
  if (message.number > record.received + 1) return only(link, { out: [ackOf(link, undefined, true)], refused: 'gap' })
  const next = { ...link, record: { ...record, received: message.number } }
  return only(next, { out: [ackOf(next)], taken: message })
}
