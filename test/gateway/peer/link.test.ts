/** The numbered stream over a network that loses, repeats, reorders and holds back, with restarts of both sides at any moment. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PairInput } from '../../../gateway/peer/pair.ts'
import type { PeerMessage } from '../../../gateway/uplink/schema/peer.ts'
import { expectSettled, type Half, passage, TwoHalves } from './world.ts'

type Side = 'a' | 'b'
type Act =
  | { readonly do: 'say'; readonly side: Side }
  | { readonly do: 'deliver' | 'lose' | 'repeat'; readonly to: Side; readonly which: number }
  | { readonly do: 'replay'; readonly to: Side; readonly which: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'restart' | 'link'; readonly side: Side; readonly up: boolean }

const side = fc.constantFrom<Side>('a', 'b')
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('say' as const), side }) },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constantFrom('deliver' as const, 'deliver' as const, 'lose' as const, 'repeat' as const),
      to: side,
      which: fc.nat(40),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('replay' as const), to: side, which: fc.nat(400) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 100, max: 40_000 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('restart' as const, 'link' as const), side, up: fc.boolean() }) },
)

/** What a half has taken from the other, in the order it took it: the texts of the hotline. */
const texts = (half: Half) =>
  half
    .told('message')
    .filter((m) => m.way === 'in')
    .map((m) => m.text)

function run(acts: readonly Act[]) {
  const two = new TwoHalves({ settings: { hotlineMs: 1e12, silentMs: 1e12 } })
  const net: Record<Side, PeerMessage[]> = { a: [], b: [] }
  const all: Record<Side, PeerMessage[]> = { a: [], b: [] }
  const said: Record<Side, string[]> = { a: [], b: [] }
  const give = (to: Side, input: PairInput) => {
    const { messages } = two[to].do(input, two.at)
    const other = to === 'a' ? 'b' : 'a'
    net[other].push(...messages)
    all[other].push(...messages)
  }
  for (const s of ['a', 'b'] as const) give(s, { kind: 'up' })
  for (const x of acts)
    switch (x.do) {
      case 'say': {
        const text = `${x.side}${said[x.side].length}`
        said[x.side].push(text)
        give(x.side, { kind: 'message', id: text, by: 'Lan', text })
        break
      }
      case 'deliver':
      case 'repeat':
      case 'lose': {
        const queue = net[x.to]
        if (queue.length === 0) break
        const at = x.which % queue.length
        const message = x.do === 'repeat' ? queue[at]! : queue.splice(at, 1)[0]!
        if (x.do !== 'lose') give(x.to, { kind: 'heard', message })
        break
      }
      case 'replay': {
        const old = all[x.to]
        if (old.length > 0) give(x.to, { kind: 'heard', message: old[x.which % old.length]! })
        break
      }
      case 'wait':
        two.at += x.ms
        for (const s of ['a', 'b'] as const) give(s, { kind: 'tick' })
        break
      case 'restart':
        two[x.side].boot(two.at)
        give(x.side, { kind: 'up' })
        break
      case 'link':
        give(x.side, { kind: x.up ? 'up' : 'down' })
    }
  // Then the network is well again.
  net.a.length = 0
  net.b.length = 0
  two.connect()
  two.pass(130_000)
  return { two, said }
}

describe('the stream between two halves', () => {
  it('takes everything once and in order, whatever the network does and however often a side starts again', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 120 }), (acts) => {
        const { two, said } = run(acts)
        expect(texts(two.b)).toEqual(said.a)
        expect(texts(two.a)).toEqual(said.b)
        expectSettled(two)
        expect(two.a.told('restarted')).toEqual([])
        expect(two.b.told('restarted')).toEqual([])
      }),
      { numRuns: 150 },
    )
  })

  it('numbers without a gap, and names each message by stream and number', () => {
    const two = new TwoHalves()
    two.connect()
    for (let i = 0; i < 40; i++) two.give(two.a, { kind: 'message', id: `m${i}`, by: 'Lan', text: `${i}` })
    const numbered = two.a.said.flatMap((m) => ('number' in m ? [m] : []))
    expect(numbered.map((m) => m.number)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1))
    expect(new Set(numbered.map((m) => m.id)).size).toBe(40)
    expectSettled(two)
  })

  it.each([
    ['both heard', 1],
    ['the first word lost, since nobody was there', 0],
  ])('at the first contact nothing waits for anybody to lose patience: %s', (_, kept) => {
    const two = new TwoHalves()
    // Said before the two have met; the words of each side come in order, those of the two sides as they like.
    two.a.do({ kind: 'message', id: 'm1', by: 'Lan', text: 'm1' }, 0)
    const words = { a: two.b.do({ kind: 'up' }, 0).messages, b: two.a.do({ kind: 'up' }, 0).messages.slice(0, kept) }
    for (let i = 0; words.a.length + words.b.length > 0; i++) {
      const to = i % 3 === 0 ? 'b' : 'a'
      const message = words[to].shift()
      if (message) words[to === 'a' ? 'b' : 'a'].push(...two[to].do({ kind: 'heard', message }, 0).messages)
    }
    expect(texts(two.b)).toEqual(['m1'])
    expectSettled(two)
  })

  it('holds what is said during hours of cut, and goes on where it was', () => {
    const two = new TwoHalves()
    two.connect()
    two.give(two.a, passage('cleared', 'export', '24C00001', { half: two.a, at: two.at }))
    two.disconnect()
    for (let i = 2; i <= 60; i++) {
      two.pass(300_000)
      two.give(two.a, passage('cleared', 'export', `24C${String(i).padStart(5, '0')}`, { half: two.a, at: two.at }))
    }
    two.a.boot(two.at)
    expect(two.a.state.link.waiting.size).toBe(59)
    two.connect()
    two.pass(2_000)
    expectSettled(two)
    expect(two.b.told('expected').map((e) => e.plate)).toEqual(Array.from({ length: 60 }, (_, i) => `24C${String(i + 1).padStart(5, '0')}`))
    // What comes hours after it happened says so.
    expect(two.b.told('expected').map((e) => e.late)).toEqual([false, ...Array(58).fill(true), false])
  })

  it('refuses what is replayed, what comes out of order and what carries another id, and changes nothing', () => {
    const two = new TwoHalves()
    two.connect()
    for (const plate of ['24C00001', '24C00002']) two.give(two.a, passage('cleared', 'export', plate, { half: two.a, at: two.at }))
    const handed = two.a.said.flatMap((m) => (m.kind === 'hand-over' ? [m] : []))
    const before = two.b.state
    const heard = (message: PeerMessage) => two.give(two.b, { kind: 'heard', message }).refused
    expect(handed.map(heard)).toEqual(['repeated', 'repeated'])
    const last = handed.at(-1)!
    expect(heard({ ...last, number: 9, id: `${last.stream}-9` })).toBe('gap')
    expect(heard({ ...last, number: 3 })).toBe('wrong-id')
    expect(heard({ ...last, stream: 'f'.repeat(16), number: 1, id: `${'f'.repeat(16)}-1` })).toBe('unknown-stream')
    expect(two.b.state.expected).toBe(before.expected)
    expect(two.b.state.link.record).toEqual(before.link.record)
    expectSettled(two)
  })

  it.each([
    ['the sender has older data', 'a'],
    ['the receiver has older data', 'b'],
    ['the receiver has lost its data', 'none'],
  ])('%s: a new numbering begins, and goes on', (_, older) => {
    const two = new TwoHalves()
    two.connect()
    const say = (id: string) => two.give(two.a, { kind: 'message', id, by: 'Lan', text: id })
    say('m1')
    const backup = { a: new Map(two.a.documents), b: new Map(two.b.documents) }
    for (const id of ['m2', 'm3', 'm4']) say(id)
    two.disconnect()
    const restored = older === 'a' ? two.a : two.b
    if (older === 'none') two.b = new TwoHalves().b
    else {
      restored.documents.clear()
      for (const [key, value] of backup[older as Side]) restored.documents.set(key, value)
      restored.boot(two.at)
    }
    say('m5')
    two.connect()
    two.pass(10_000)
    say('m6')
    expect(two.a.told('restarted')).toHaveLength(1)
    expect(two.a.told('restarted')[0]!.why).toMatch(older === 'a' ? /this data is older/ : /its data is older or new/)
    expect(texts(two.b).slice(-2)).toEqual(['m5', 'm6'])
    expectSettled(two)
  })

  it('names the difference of two clocks that are 10 minutes apart, and goes on all the same', () => {
    const two = new TwoHalves({ skewB: 600_000 })
    two.connect()
    expect(two.a.alarms()).toEqual(['raised peer-clock'])
    expect(two.b.alarms()).toEqual(['raised peer-clock'])
    const why = (half: Half) => half.events.map((e) => (e.type === 'alarm' ? e.why : ''))[0]
    expect(why(two.a)).toBe('the clock of b is 10 min ahead of ours')
    expect(why(two.b)).toBe('the clock of a is 10 min behind ours')
    // A vehicle is expected for as long as ever, by either clock.
    two.give(two.a, passage('cleared', 'export', '24C00001', { half: two.a, at: two.at }))
    two.pass(29 * 60_000)
    expect(two.b.told('missing')).toEqual([])
    two.pass(2 * 60_000)
    expect(two.b.told('missing')).toHaveLength(1)
    two.b.skew = 0
    two.pass(60_000)
    expect(two.a.alarms()).toEqual(['raised peer-clock', 'cleared peer-clock'])
  })

  it('raises an alarm when the other side is silent, and clears it when it is heard again', () => {
    const two = new TwoHalves()
    two.connect()
    two.disconnect()
    two.pass(299_000)
    expect(two.a.alarms()).toEqual([])
    two.pass(3_000)
    expect(two.a.alarms()).toEqual(['raised peer-silent'])
    two.a.boot(two.at)
    two.pass(600_000)
    expect(two.a.alarms()).toEqual(['raised peer-silent'])
    two.connect()
    two.pass(1_000)
    expect(two.a.alarms()).toEqual(['raised peer-silent', 'cleared peer-silent'])
  })
})
