/** Row 3: who is called next where lanes lead into one place. Lanes with queues, vehicles of both kinds, any policy. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nextTurn, type TurnPolicy, type Waiter, without } from '../../../gateway/site/turn-order.ts'

/** One vehicle: its lane, when it comes to the head of it (after the one before has gone), and its kind. */
const vehicle = fc.record({ lane: fc.integer({ min: 0, max: 4 }), gap: fc.integer({ min: 0, max: 60 }), first: fc.boolean() })
const policy = fc.record({
  overtaken: fc.integer({ min: 0, max: 4 }),
  waitMs: fc.oneof(fc.integer({ min: 0, max: 200 }), fc.constant(1e9)),
})

interface Called extends Waiter {
  readonly at: number
  /** Who else waited then. */
  readonly others: readonly Waiter[]
}

/** Everybody waits at the head of a lane until called; one is called every `pace` ms while somebody waits. */
function run(vehicles: readonly { lane: number; gap: number; first: boolean }[], pace: number, rules: TurnPolicy): Called[] {
  const queues = new Map<number, { gap: number; first: boolean; no: number }[]>()
  for (const [no, v] of vehicles.entries()) queues.set(v.lane, [...(queues.get(v.lane) ?? []), { ...v, no }])
  const free = new Map([...queues.keys()].map((lane) => [lane, 0]))
  let waiting: Waiter[] = []
  const called: Called[] = []
  for (let now = 0; called.length < vehicles.length; now++) {
    for (const [lane, queue] of queues) {
      const [head] = queue
      if (!head || waiting.some((w) => w.lane === `l${lane}`) || now < free.get(lane)! + head.gap) continue
      queue.shift()
      waiting.push({ lane: `l${lane}`, passage: `p${head.no}`, first: head.first, since: now, overtaken: 0 })
    }
    if (now % pace > 0) continue
    const next = nextTurn(waiting, rules, now)
    if (!next) continue
    called.push({ ...next, at: now, others: waiting.filter((w) => w !== next) })
    waiting = without(waiting, next)
    free.set(Number(next.lane.slice(1)), now)
  }
  return called
}

const runs = fc.record({
  vehicles: fc.array(vehicle, { minLength: 1, maxLength: 40 }),
  pace: fc.integer({ min: 1, max: 40 }),
  rules: policy,
})
const holds = (check: (called: readonly Called[], rules: TurnPolicy) => void) =>
  fc.assert(
    fc.property(runs, ({ vehicles, pace, rules }) => void check(run(vehicles, pace, rules), rules)),
    { numRuns: 300 },
  )
const overtakes = (c: Called, w: Waiter) => w.since < c.since

describe('the next one', () => {
  it('is called once, and everybody is', () => {
    holds((called) => expect(new Set(called.map((c) => c.passage)).size).toBe(called.length))
  })

  it('is in the order of arrival among those of one kind', () => {
    holds((called) => {
      for (const c of called) for (const w of c.others) if (w.first === c.first) expect(overtakes(c, w)).toBe(false)
    })
  })

  it('overtakes nobody more often than the policy allows, and nobody who has waited too long', () => {
    holds((called, rules) => {
      const times = new Map<string, number>()
      for (const c of called)
        for (const w of c.others.filter((o) => overtakes(c, o))) {
          expect(c.first).toBe(true)
          expect(c.at - w.since).toBeLessThan(rules.waitMs)
          times.set(w.passage, (times.get(w.passage) ?? 0) + 1)
        }
      expect(Math.max(0, ...times.values())).toBeLessThanOrEqual(rules.overtaken)
      // What is told of each is what happened.
      for (const c of called) expect(c.overtaken).toBe(times.get(c.passage) ?? 0)
    })
  })

  it('is one that goes first, unless somebody who came earlier has waited enough', () => {
    holds((called, rules) => {
      for (const c of called) {
        const patient = c.overtaken >= rules.overtaken || c.at - c.since >= rules.waitMs
        if (!c.first && !patient) expect(c.others.filter((w) => w.first)).toEqual([])
      }
    })
  })

  it('is the earliest of all where nobody may be overtaken, and where nobody goes first', () => {
    fc.assert(
      fc.property(runs, fc.boolean(), ({ vehicles, pace, rules }, alike) => {
        const all = alike ? vehicles.map((v) => ({ ...v, first: false })) : vehicles
        const called = run(all, pace, alike ? rules : { ...rules, overtaken: 0 })
        for (const c of called) for (const w of c.others) expect(w.since).toBeGreaterThanOrEqual(c.since)
      }),
      { numRuns: 300 },
    )
  })

  it('is nobody where nobody waits', () => expect(nextTurn([], { overtaken: 3, waitMs: 1 }, 0)).toBe(null))
})
