/** Two halves of a gate and a network that may lose, repeat and reorder what they say. Each half is the pure core with its documents. */
import { expect } from 'vitest'
import { type Chance, idOf } from '../../../gateway/peer/link.ts'
import { type Now, type PairEvent, type PairInput, type PairSettings, type PairStep, step } from '../../../gateway/peer/pair.ts'
import { documentsOf, newPair, type PairState, recallPair } from '../../../gateway/peer/state.ts'
import { type PeerMessage, peerMessage } from '../../../gateway/uplink/schema/peer.ts'

export const START = Date.parse('2026-11-21T03:00:00Z')
const MIN = 60_000

export class Half {
  readonly site: string
  readonly settings: PairSettings
  /** Own wall clock against true time, ms. */
  skew: number
  state: PairState
  readonly documents = new Map<string, unknown>()
  readonly events: PairEvent[] = []
  /** Everything it ever handed to the network. */
  readonly said: PeerMessage[] = []
  refused: string[] = []
  readonly #chance: Chance
  #base = 0
  #wall = 0

  constructor(
    site: string,
    peer: string,
    handsOver: 'import' | 'export',
    options: { skew?: number; settings?: Partial<PairSettings> } = {},
  ) {
    this.site = site
    this.settings = { peer, handsOver, withinMs: 30 * MIN, hotlineMs: 5 * MIN, silentMs: 5 * MIN, clockMs: 2 * MIN, ...options.settings }
    this.skew = options.skew ?? 0
    let n = site === 'a' ? 0 : 1_000_000_000
    this.#chance = { id: () => (++n).toString(16).padStart(16, '0') }
    this.state = newPair(0, this.#chance)
    this.#store(null)
    this.boot(0)
  }

  /** Starts (again) with what the documents hold. `at`: true ms since the start of the test. */
  boot(at: number): void {
    const kept = [...this.documents].map(([key, value]) => ({ key, value: JSON.parse(JSON.stringify(value)) }))
    const state = recallPair(kept.sort((a, b) => (a.key < b.key ? -1 : 1)))!
    this.#base = at
    this.#wall = START + at + this.skew
    this.state = { ...state, link: { ...state.link, session: { ...state.link.session, since: at } } }
  }

  now(at: number): Now {
    return { mono: at, wall: START + at + this.skew, time: this.#wall + (at - this.#base) }
  }

  #store(before: PairState | null): void {
    for (const { key, value } of documentsOf(before, this.state))
      if (value === null) this.documents.delete(key)
      else this.documents.set(key, value)
  }

  /** Returns what goes out, complete. */
  do(input: PairInput, at: number): PairStep & { readonly messages: PeerMessage[] } {
    const before = this.state
    const done = step(before, input, this.now(at), this.settings, this.#chance)
    this.state = done.state
    this.#store(before)
    this.events.push(...done.events)
    if (done.refused) this.refused.push(done.refused)
    const stamp = { from: this.site, at: new Date(this.now(at).wall).toISOString() }
    const messages = done.out.flatMap((o, i): PeerMessage[] => {
      if (!('number' in o)) return [peerMessage.parse({ ...o, ...stamp, id: `s-${at}-${i}` })]
      const { stream } = this.state.link.record
      const body = this.state.link.waiting.get(o.number)
      return body ? [peerMessage.parse({ ...body, ...stamp, stream, number: o.number, id: idOf(stream, o.number) })] : []
    })
    this.said.push(...messages)
    return { ...done, messages }
  }

  told(what: string): (PairEvent & { type: 'peer' })['data'][] {
    return this.events.flatMap((e) => (e.type === 'peer' && e.what === what ? [e.data] : []))
  }

  alarms(): string[] {
    return this.events.flatMap((e) => (e.type === 'alarm' ? [`${e.change} ${e.alarm}${e.plate ? ` ${e.plate}` : ''}`] : []))
  }
}

/** A pair with a network between them that takes everything along, in order, unless it is told to do otherwise. */
export class TwoHalves {
  at = 0
  a: Half
  b: Half
  cut = false

  constructor(options: { skewB?: number; settings?: Partial<PairSettings> } = {}) {
    const { settings = {} } = options
    this.a = new Half('a', 'b', 'export', { settings })
    this.b = new Half('b', 'a', 'import', { settings, ...(options.skewB === undefined ? {} : { skew: options.skewB }) })
  }

  connect(): void {
    this.cut = false
    for (const half of [this.a, this.b]) this.give(half, { kind: 'up' })
  }

  disconnect(): void {
    this.cut = true
    for (const half of [this.a, this.b]) this.give(half, { kind: 'down' })
  }

  other(half: Half): Half {
    return half === this.a ? this.b : this.a
  }

  /** An input, and all that is said because of it. */
  give(half: Half, input: PairInput): PairStep {
    const done = half.do(input, this.at)
    if (!this.cut) for (const message of done.messages) this.give(this.other(half), { kind: 'heard', message })
    return done
  }

  /** Time passes, a tick a second. */
  pass(ms: number): void {
    for (const end = this.at + ms; this.at < end; ) {
      this.at = Math.min(end, this.at + 1_000)
      for (const half of [this.a, this.b]) this.give(half, { kind: 'tick' })
    }
  }
}

let passages = 0
/** An event of a passage as the journal's reader gives it. */
export function passage(
  what: 'decided' | 'cleared',
  direction: 'import' | 'export',
  plate: string | null,
  half: { half: Half; at: number },
  more: { id?: string; trailer?: string; tags?: string[]; share?: object } = {},
): Extract<PairInput, { kind: 'passage' }> {
  const id = more.id ?? `01J${String(++passages).padStart(23, '0')}`
  const { trailer, tags = [], share = {} } = more
  return {
    kind: 'passage',
    sequence: ++passages,
    what,
    passage: id,
    lane: `${direction}-1`,
    direction,
    at: half.half.now(half.at).wall,
    plate,
    seen: { plates: plate === null ? [] : [plate], ...(trailer ? { trailer } : {}), tags },
    share: { ...(trailer ? { trailer } : {}), ...share },
  }
}

/** Both have heard all of each other. */
export function expectSettled({ a, b }: { a: Half; b: Half }): void {
  for (const half of [a, b]) {
    expect(half.state.link.waiting.size).toBe(0)
    expect(half.state.link.record.acked).toBe(half.state.link.record.sent)
  }
  expect(b.state.link.record).toMatchObject({ theirs: a.state.link.record.stream, received: a.state.link.record.sent })
  expect(a.state.link.record).toMatchObject({ theirs: b.state.link.record.stream, received: b.state.link.record.sent })
}
