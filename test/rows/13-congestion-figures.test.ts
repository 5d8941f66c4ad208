/** Row 13: queue, waiting time and throughput of each lane are counted and published. */
import { describe, expect, it } from 'vitest'
import { dayFigures } from '../../gateway/figures/day.ts'
import { Ledger } from '../../gateway/figures/ledger.ts'
import { zoneOf } from '../../gateway/journal/zone.ts'
import type { LaneInput, LaneSettings } from '../../gateway/lane/model.ts'
import { initial, step } from '../../gateway/lane/step.ts'
import { queueOf } from '../../gateway/site/lanes.ts'
import { HOUR, journalOf, MINUTE, MORNING, type PassageSpec } from '../gateway/figures/entries.ts'
import { gate } from './rig.ts'

const zone = zoneOf('Asia/Ho_Chi_Minh')

describe('figures of the day', () => {
  const at = (min: number, more: Partial<PassageSpec>): PassageSpec => ({
    id: `P${min}`,
    arrived: MORNING + min * MINUTE,
    plate: `24C${10_000 + min}`,
    ...more,
  })
  const day = (specs: PassageSpec[], now: number) => {
    const ledger = new Ledger(zone, 'vn')
    ledger.apply(journalOf(specs))
    return dayFigures(ledger.crossings(), ['import-1', 'import-2'], zone, now)
  }

  it('throughput is what was cleared in the last 60 minutes; busy is the share of them with a vehicle in the lane', () => {
    const specs = [
      at(-90, {}),
      at(-50, { ended: 6 * MINUTE }),
      at(-20, { ended: 12 * MINUTE }),
      at(-5, { outcome: 'aborted' }),
      at(-3, { ended: null }),
    ]
    const { lanes } = day(specs, MORNING)
    expect(lanes['import-1']).toMatchObject({ arrived: 5, cleared: 3, aborted: 1, last_hour: 2 })
    expect(lanes['import-1']!.busy).toBeCloseTo((6 + 12 + 1 / 3 + 3) / 60)
    expect(lanes['import-2']).toMatchObject({ arrived: 0, last_hour: 0, busy: 0, waiting_ms: { count: 0, mean: null, p95: null } })
  })

  it('waiting time to the decision and to clearance, for each lane and for perishable goods (row 3)', () => {
    const specs = [
      at(0, { decided: 2_000, declared: { perishable: true } }),
      at(5, { decided: 4_000, ended: 30_000 }),
      at(9, { decided: 6_000, lane: 'import-2', referred: true, ended: 90_000 }),
    ]
    const d = day(specs, MORNING + 20 * MINUTE)
    expect(d.lanes['import-1']).toMatchObject({ waiting_ms: { count: 2, mean: 3_000, p95: 4_000 }, passage_ms: { count: 2, mean: 25_000 } })
    expect(d.lanes['import-2']).toMatchObject({ referred: 1, cleared: 1, waiting_ms: { mean: 6_000 }, passage_ms: { mean: 90_000 } })
    expect(d.perishable).toEqual({ waiting_ms: { count: 1, mean: 2_000, p95: 2_000 }, passage_ms: { count: 1, mean: 20_000, p95: 20_000 } })
    expect(d.other).toMatchObject({ waiting_ms: { count: 2, mean: 5_000, p95: 6_000 } })
    expect(d.waiting_ms).toMatchObject({ count: 3, mean: 4_000 })
    expect(d.read_rate).toBe(1)
  })

  it('begins at midnight of the gate: a passage over midnight ends in the new day', () => {
    const midnight = Date.parse('2026-11-22T00:00:00+07:00')
    const specs = [at(0, {}), { id: 'N', arrived: midnight - MINUTE, decided: 3_000, ended: 2 * MINUTE, plate: '24C99999' }]
    const d = day(specs, midnight + HOUR / 2)
    expect(d.since).toBe(midnight)
    expect(d.lanes['import-1']).toMatchObject({ arrived: 0, cleared: 1, last_hour: 1, waiting_ms: { count: 0 }, passage_ms: { count: 1 } })
  })
})

it('is published for each lane, as the topic table has it', async () => {
  const g = await gate()
  g.declare({ id: 'D1', perishable: true })
  await g.leave(await g.arrive('import-1'))
  const stats = g.stats()
  expect(stats.since).toBe('2026-11-21T00:00:00.000+07:00')
  expect(stats.lanes['import-1']).toMatchObject({ arrived: 1, cleared: 1, last_hour: 1 })
  expect(stats.perishable.waiting_ms.count).toBe(1)
  expect(Object.keys(stats.lanes)).toHaveLength(5)
})

describe('the queue, as far as loops see', () => {
  const settings: LaneSettings = { approach: true, curtain: true, exit: true, limits: true, idleAspect: 'red' }
  const run = (inputs: LaneInput[]) => inputs.reduce((state, input) => step(state, input, settings)[0], initial(settings))
  const sensor = (role: 'approach' | 'presence' | 'curtain' | 'exit', value: boolean, at = 1): LaneInput => ({
    kind: 'sensor',
    at,
    role,
    value,
  })
  const ready: LaneInput[] = [
    { kind: 'start', at: 0, unfinished: false, closed: false, direction: 'import' },
    ...(['approach', 'presence', 'curtain', 'exit'] as const).map((role) => sensor(role, false)),
    { kind: 'barrier', at: 2, position: 'closed' },
  ]

  it('nobody; one at the line; none once it is let in; one behind it', () => {
    expect(queueOf(run(ready), true)).toBe(0)
    const there = [...ready, sensor('approach', true, 3)]
    expect(queueOf(run(there), true)).toBe(1)
    const { vehicle } = run(there)
    const let_in: LaneInput[] = [...there, { kind: 'decision', at: 4, passage: vehicle!.no, outcome: 'pass' }]
    expect(queueOf(run(let_in), true)).toBe(0)
  })

  it('is not known without an approach loop, or while the loop is not', () => {
    expect(queueOf(run(ready), false)).toBe(null)
    expect(queueOf(initial(settings), true)).toBe(null)
  })
})
