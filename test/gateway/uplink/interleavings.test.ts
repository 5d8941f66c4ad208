/**
 * The publisher under any order of what can happen to it: acknowledgements out of order, refusals, cuts, a disk that takes its time with what is put
 * aside, and `resend-from` at any moment. Whatever happens, its cursor never passes an event that the broker has not taken.
 */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Backoff } from '../../../firmware-bridge/transport/backoff.ts'
import type { Journal, StoredEvent } from '../../../gateway/journal/journal.ts'
import { type Clock, systemClock } from '../../../gateway/kernel/clock.ts'
import { LuongError } from '../../../gateway/kernel/errors.ts'
import { Listeners } from '../../../gateway/kernel/listeners.ts'
import { silentLog } from '../../../gateway/kernel/log.ts'
import { Courses } from '../../../gateway/uplink/course.ts'
import type { Parked } from '../../../gateway/uplink/parked.ts'
import { type EventLink, Publisher, type Range } from '../../../gateway/uplink/publisher.ts'
import { BrokerRefused } from '../../../gateway/uplink/session.ts'
import { withoutSkipped } from '../../../gateway/uplink/skipped.ts'
import { BASE, MemoryParked, MemorySource } from './helpers.ts'

const WINDOW = 4
/** Asks for everything. */
const FIRST = 1_001
/** More than this held is sent late, in a course of its own. */
const MANY = 500

interface Open {
  readonly sequence: number
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** A broker whose every answer is the test's. */
class ToldLink implements EventLink {
  up = false
  readonly open: Open[] = []
  readonly sent: number[]
  readonly #state = new Listeners<[boolean, string?]>()
  /** @param sent gets the sequence of each event, in the order in which they are sent */
  constructor(sent: number[]) {
    this.sent = sent
  }
  publish(_topic: string, payload: string): Promise<void> {
    if (!this.up) return Promise.reject(new LuongError('LINK_DOWN', 'down'))
    const sequence = Number((JSON.parse(payload) as { sequence: string }).sequence)
    this.sent.push(sequence)
    return new Promise((resolve, reject) => this.open.push({ sequence, resolve, reject }))
  }
  onState(fn: (up: boolean, why?: string) => void): () => void {
    const off = this.#state.add(fn)
    if (this.up) fn(true)
    return off
  }
  set(up: boolean): void {
    if (up === this.up) return
    this.up = up
    if (!up) for (const one of this.open.splice(0)) one.reject(new LuongError('LINK_DOWN', 'cut'))
    this.#state.emit(up, up ? undefined : 'cut')
  }
}

/** A disk that takes its time, and may fail. */
class SlowParked extends MemoryParked {
  readonly putting: { readonly done: () => void; readonly fail: () => void }[] = []
  override put(parked: Parked): Promise<void> {
    return new Promise((resolve, reject) =>
      this.putting.push({
        done: () => {
          this.rows.set(parked.sequence, parked)
          resolve()
        },
        fail: () => reject(new Error('disk')),
      }),
    )
  }
}

class SlowSource extends MemorySource {
  readonly reads: (() => void)[] = []
  override async events(after: number, limit: number): Promise<StoredEvent[]> {
    const found = await super.events(after, limit)
    await new Promise<void>((resolve) => this.reads.push(resolve))
    return found
  }
}

/** Time that passes when the test says so. */
class StepClock implements Clock {
  #at = 0
  readonly #timers = new Set<{ at: number; fn: () => void }>()
  readonly now = () => this.#at
  readonly mono = () => this.#at
  readonly track = systemClock.track
  after(ms: number, fn: () => void) {
    const timer = { at: this.#at + ms, fn }
    this.#timers.add(timer)
    return { cancel: () => void this.#timers.delete(timer) }
  }
  pass(ms: number): void {
    this.#at += ms
    for (const timer of [...this.#timers].filter((t) => t.at <= this.#at)) if (this.#timers.delete(timer)) timer.fn()
  }
}

type Op =
  | { readonly do: 'add' | 'ack' | 'refuse' | 'resend'; readonly n: number }
  | { readonly do: 'ackAll' | 'cut' | 'up' | 'time' | 'put' | 'putFails' | 'read' | 'refuseOn' | 'flow' }

const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('add' as const), n: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('ack' as const), n: fc.nat(WINDOW) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('refuse' as const), n: fc.nat(WINDOW) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('resend' as const), n: fc.nat(1_000) }) },
  { weight: 12, arbitrary: fc.record({ do: fc.constantFrom('read' as const, 'time' as const) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('up' as const, 'put' as const, 'refuseOn' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('ackAll' as const, 'cut' as const, 'putFails' as const, 'flow' as const) }) },
)

/** @param left sequences that are never sent; those behind what is held have no events, and two follow them */
async function world(held: number, bad: ReadonlySet<number>, left: readonly Range[] = []) {
  const source = new SlowSource()
  const parked = new SlowParked()
  const clock = new StepClock()
  source.add(held)
  for (const { from, to } of left.filter((r) => r.from > held)) {
    source.skip(to - from + 1)
    source.add(2)
  }
  let link = new ToldLink([])
  const sent: number[] = []
  /** Taken by the broker since it was last asked for. */
  const taken = new Set<number>()
  const ever = new Set<number>()
  const make = async () => {
    link = new ToldLink(sent)
    const more = { window: WINDOW, backoff: new Backoff(1, 2), clock, log: silentLog }
    const given = withoutSkipped(source as unknown as Journal, left)
    const publisher = new Publisher({ ...BASE, target: 'x', link, source: given, parked, ...more })
    await publisher.start()
    return publisher
  }
  let publisher = await make()
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  const cursor = (name: string) => source.cursors.get(name) ?? 0
  const ack = (one: Open | undefined) => {
    if (!one) return
    link.open.splice(link.open.indexOf(one), 1)
    taken.add(one.sequence)
    ever.add(one.sequence)
    one.resolve()
  }
  const resend = (from: number) => {
    publisher.resendFrom(from)
    // Whatever the broker had of it comes again.
    for (const n of [...taken]) if (n >= from) taken.delete(n)
  }
  const steps: Record<Op['do'], (n: number) => void | Promise<void>> = {
    add: (n) => source.add(n),
    ack: (n) => ack(link.open.filter((o) => !bad.has(o.sequence))[n]),
    ackAll: () => {
      for (const one of link.open.filter((o) => !bad.has(o.sequence))) ack(one)
    },
    refuse(n) {
      const one = link.open.filter((o) => bad.has(o.sequence))[n % 2]
      if (!one) return
      link.open.splice(link.open.indexOf(one), 1)
      one.reject(new BrokerRefused('refused', 0x87))
    },
    // As often as it takes to put one aside, where one that is refused is next.
    async refuseOn() {
      for (let i = 0; i < 6; i++)
        for (const step of ['read', 'refuse', 'time'] as const) {
          await steps[step](0)
          await settle()
        }
    },
    async flow() {
      for (let i = 0; i < 30; i++)
        for (const step of ['read', 'ackAll', 'time'] as const) {
          await steps[step](0)
          await settle()
        }
    },
    // Mostly about where something is on its way.
    resend(n) {
      if (n === FIRST) return resend(1)
      const near = [cursor('x'), cursor('x:live'), cursor('x:late-end')][n % 4]
      const from = near === undefined ? n : near - 3 + (n % 8)
      resend(Math.min(Math.max(1, from), source.head().sequence))
    },
    cut: () => link.set(false),
    up: () => link.set(true),
    time: () => clock.pass(20),
    put: () => parked.putting.shift()?.done(),
    putFails: () => parked.putting.shift()?.fail(),
    read: () => {
      for (const done of source.reads.splice(0)) done()
    },
  }
  const is = (n: number) => taken.has(n) || parked.rows.has(n) || left.some((r) => r.from <= n && n <= r.to)
  return {
    steps,
    settle,
    ever,
    parked,
    stats: () => publisher.stats(),
    link: () => link,
    /** The first event below a cursor that the broker does not have, or has not been given again; null: none. */
    missed(): number | null {
      const [to, end, live] = [cursor('x'), cursor('x:late-end'), cursor('x:live')]
      for (let n = 1; n <= to; n++) if (!is(n)) return n
      for (let n = end + 1; n <= live && end > 0; n++) if (!is(n)) return n
      return null
    },
    /** Whether anything was sent before the event that says which lower numbers are left out. */
    overtaken(): boolean {
      const told = (n: number) => ever.has(n) || parked.rows.has(n)
      const sentUpTo = sent.reduce((a, b) => Math.max(a, b), 0)
      return left.some(({ to }) => !told(to + 1) && sentUpTo > to + 1)
    },
    async restart() {
      const stopped = publisher.stop()
      link.set(false)
      clock.pass(5_000)
      await stopped
      publisher = await make()
    },
    /** The broker takes everything now. */
    async heal() {
      link.set(true)
      for (let i = 0; i < 3_000; i++) {
        for (const all of ['read', 'put', 'ackAll', 'time'] as const) await steps[all](0)
        for (const one of link.open.filter((o) => bad.has(o.sequence))) ack(one)
        await settle()
        if (publisher.stats().lag === 0 && link.open.length === 0 && parked.putting.length === 0 && source.reads.length === 0) return
      }
      throw new Error(`does not come to an end: ${JSON.stringify(publisher.stats())}`)
    },
  }
}

const WHERE: [what: string, held: number, left: Range[], numRuns: number][] = [
  ['a few events', 6, [], 500],
  ['a long backlog', MANY + 30, [], 200],
  ['a journal that went on above lost numbers', 10, [{ from: 3, to: 5 }], 500],
  ['a long backlog, and then lost numbers', MANY + 30, [{ from: MANY + 31, to: 3 * MANY }], 100],
  ['a long backlog in which numbers are left out', MANY + 30, [{ from: 5, to: 7 }], 100],
]
it.each(WHERE)(
  '%s: nothing is passed over, and all of it comes in the end',
  async (_, held, left, numRuns) => {
    const bad = fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 3 })
    const run = fc.asyncProperty(bad, fc.array(op, { minLength: 20, maxLength: 120 }), async (refused, ops) => {
      const w = await world(held, new Set(refused), left)
      w.steps.up(0)
      for (const one of ops) {
        await w.steps[one.do]('n' in one ? one.n : 0)
        await w.settle()
        expect([w.missed(), w.overtaken()]).toEqual([null, false])
        expect(w.stats().inFlight).toBeLessThanOrEqual(WINDOW)
      }
      await w.heal()
      expect(w.missed()).toBeNull()
      await w.restart()
      await w.heal()
      expect([w.missed(), w.parked.rows.size]).toEqual([null, 0])
      const total = w.stats().cursor
      const all = Array.from({ length: total }, (_, i) => i + 1).filter((n) => !left.some((r) => r.from <= n && n <= r.to))
      expect([...w.ever].sort((a, b) => a - b)).toEqual(all)
    })
    await fc.assert(run, { numRuns })
  },
  120_000,
)

it.each([
  [300, 300],
  [700, 0],
])(
  'asked for all in the middle of a catch-up, when %i have happened since: what happens now waits for %i of them',
  async (since, waits) => {
    const held = 8_000
    const w = await world(held, new Set())
    w.steps.up(0)
    await w.steps.flow(0)
    w.steps.add(since)
    const last = held + since
    while (!w.ever.has(last)) await w.steps.flow(0)
    expect(w.stats()).toMatchObject({ late: { to: held } })
    w.steps.resend(FIRST)
    expect(w.stats().cursor).toBe(0)
    w.steps.add(1)
    const { sent } = w.link()
    const before = sent.length
    while (!w.ever.has(last + 1)) await w.steps.flow(0)
    const meanwhile = sent.slice(before, sent.indexOf(last + 1))
    expect(meanwhile.filter((n) => n > held).length).toBe(waits)
  },
)

it.each([
  ['few', 101, 2],
  ['many', 2_000, 2],
  ['few, and many since', 101, 2_000],
])(
  'numbers left out behind what was not sent yet (%s): nothing comes twice, and what says so before all that is newer',
  async (_, held, since) => {
    const told = held + 10_001
    const w = await world(held, new Set(), [{ from: held + 1, to: told - 1 }])
    w.steps.add(since)
    w.steps.up(0)
    expect(w.stats().lag).toBe(held + since + 2)
    // Something happens all the time.
    for (let i = 0; (i < 200 || w.stats().lag > 0) && i < 5_000; i++)
      for (const step of ['read', 'ackAll', 'time', i < 200 ? 'add' : 'read'] as const) {
        await w.steps[step](i % 2)
        await w.settle()
      }
    const { sent } = w.link()
    expect([w.stats().lag, w.stats().late]).toEqual([0, null])
    expect(sent.find((n) => n > held)).toBe(told)
    expect(sent.length).toBe(new Set(sent).size)
    expect(sent.length).toBe(held + 2 + since + 100)
  },
)

it('cursors of a run that was sent late, and whose end is left out since: it ends with what there is', async () => {
  for (const from of [400, 200, 900]) {
    const source = new MemorySource()
    source.add(1_000)
    for (const [name, at] of [
      ['x', 300],
      ['x:late-end', 800],
      ['x:live', 850],
    ] as const)
      source.setCursor(name, at)
    const courses = new Courses('x', withoutSkipped(source as unknown as Journal, [{ from, to: 980 }]))
    await courses.load(1_000)
    expect([courses.late?.end, courses.cursor, courses.lag(1_000)]).toEqual(
      { 400: [399, 300, 119], 200: [undefined, 850, 20], 900: [800, 300, 569] }[from],
    )
  }
})

it('what is refused right behind numbers that are left out is put aside as well', async () => {
  const w = await world(10, new Set([6]), [{ from: 3, to: 5 }])
  w.steps.up(0)
  for (let i = 0; i < 60; i++)
    for (const step of ['read', 'ackAll', 'refuse', 'put', 'time'] as const) {
      await w.steps[step](0)
      await w.settle()
    }
  expect([[...w.parked.rows.keys()], w.stats().cursor, w.missed()]).toEqual([[6], 10, null])
})

it('what was put aside and is left out since is forgotten; the others that were put aside follow', async () => {
  const w = await world(10, new Set(), [
    { from: 3, to: 5 },
    { from: 11, to: 20 },
  ])
  w.steps.up(0)
  await w.heal()
  // As an earlier run left them: 4 and 15 are never sent.
  for (const sequence of [4, 6, 15, 9]) w.parked.rows.set(sequence, { sequence, reason: 'refused', at: 0 })
  await w.restart()
  expect(w.stats().parked).toHaveLength(4)
  await w.heal()
  expect([w.stats().parked, w.parked.rows.size]).toEqual([[], 0])
  expect(w.link().sent.slice(-2)).toEqual([6, 9])
})

it('a pause after a refusal ends with the connection: on a new one nothing waits for it', async () => {
  const w = await world(3, new Set([1]))
  const step = async (...steps: readonly ('up' | 'read' | 'refuse' | 'cut')[]) => {
    for (const one of steps) {
      await w.steps[one](0)
      await w.settle()
    }
  }
  await step('up', 'read', 'refuse')
  const before = w.link().sent.length
  await step('read')
  expect(w.link().sent.length).toBe(before)
  await step('cut', 'up', 'read')
  expect(w.link().sent.slice(before)).toEqual([1])
})
