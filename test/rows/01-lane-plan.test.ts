/** Row 1: five-lane plan, each lane with a direction and a set of traffic it takes. */
import { expect, it } from 'vitest'
import { expectDecided, gate } from './rig.ts'

const TAKES: Record<string, string[]> = {
  'import-1': ['loaded'],
  'import-2': ['agricultural'],
  'import-3': ['loaded', 'two-way', 'parcel', 'border-resident'],
  'export-1': ['loaded', 'agricultural', 'two-way', 'parcel', 'border-resident'],
  'export-2': ['empty'],
}
const CLASSES = ['loaded', 'empty', 'agricultural', 'two-way', 'parcel', 'border-resident']

it('every class of traffic passes in the lanes that take it and is sent away from the others', async () => {
  const g = await gate()
  for (const [lane, takes] of Object.entries(TAKES))
    for (const [i, traffic] of CLASSES.entries()) {
      const plate = `24C1000${i}`
      const direction = lane.startsWith('import') ? 'import' : 'export'
      // All that the other rows ask of that class.
      g.declare({
        id: `D-${i}`,
        plate,
        direction,
        traffic,
        firm: 'Lao Cai Logistics',
        resident: 'R1',
        priority: true,
        tare_kg: 14_000,
        weight_kg: 15_000,
      })
      const d = await g.arrive(lane, lane === 'export-2' ? { plate, weight_kg: 15_000 } : { plate })
      if (takes.includes(traffic)) expectDecided(d, 'pass', 'declared', plate)
      else {
        expectDecided(d, 'redirect', 'wrong-lane', lane, traffic)
        const there = Object.keys(TAKES).filter((id) => id.startsWith(direction) && TAKES[id]!.includes(traffic))
        // Named in decision and event: one that takes it, or none where no lane of that direction does.
        if (there.length === 0) expect(d.decision.lane).toBeUndefined()
        else expect(there).toContain(d.decision.lane)
        expect((d.event.decision as { lane?: string }).lane).toBe(d.decision.lane)
      }
    }
})

it('a redirected truck goes to the shortest queue of the open lanes that take it, and is told so', async () => {
  const g = await gate()
  const arrive = (plate: string) => {
    g.declare({ plate })
    return g.arrive('import-2', { plate })
  }
  g.queues.set('import-1', 1)
  const first = await arrive('24C10001')
  expect(first.decision).toMatchObject({ outcome: 'redirect', lane: 'import-3' })
  expect(first.decision.reasons[1]).toEqual({ vi: 'Mời sang làn import-3', zh: '请走 import-3 车道', en: 'Please use lane import-3' })
  // Who is on the way counts: then the order of the lanes.
  expect((await arrive('24C10002')).decision.lane).toBe('import-1')
  g.closed.add('import-1')
  expect((await arrive('24C10003')).decision.lane).toBe('import-3')
  g.closed.add('import-3')
  const d = await arrive('24C10004')
  expect(d.decision).toMatchObject({ outcome: 'refer', rule: 'wrong-lane' })
  expect(d.decision.reasons.at(-1)!.en).toBe('The lane that takes this vehicle is not open (import-1, import-3): to the officer')
})

it('what two lanes see differently sends nobody in circles: the second goes to the officer', async () => {
  const g = await gate()
  g.declare({ traffic: 'agricultural', tag: 'E2801190200050A1' })
  // The reader of the priority lane misses the tag, that of the ordinary lane sees it.
  expect((await g.arrive('import-2')).decision).toMatchObject({ outcome: 'redirect', lane: 'import-1' })
  const d = await g.arrive('import-1', { tags: ['E2801190200050A1'] })
  expect(d.decision).toMatchObject({ outcome: 'refer', rule: 'wrong-lane' })
  expect(d.decision.reasons.at(-1)!.en).toMatch(/already sent here from lane import-2: not sent in circles/)
})

it('a truck declared for the other direction is sent to another lane', async () => {
  const g = await gate()
  g.declare({ direction: 'export' })
  const d = await g.arrive('import-1')
  expect(d.decision).toMatchObject({ outcome: 'redirect', rule: 'wrong-direction', lane: 'export-1' })
  for (const word of ['24C12345', 'export', 'import']) expect(d.reason.vi).toContain(word)
  expect(d.event).toMatchObject({ declaration: 'D1', lane: 'import-1' })
})

it('nobody is sent in circles: what one lane sends away some other lane of that direction takes', async () => {
  const g = await gate()
  for (const [direction, lanes] of [
    ['import', ['import-1', 'import-2', 'import-3']],
    ['export', ['export-1', 'export-2']],
  ] as const)
    for (const traffic of CLASSES)
      for (const priority of [true, false]) {
        // Empties go out, not in.
        if (traffic === 'empty' && direction === 'import') continue
        g.declare({ id: 'D1', direction, traffic, priority, firm: 'F', resident: 'R1' })
        const outcomes = []
        for (const lane of lanes) outcomes.push((await g.arrive(lane, lane === 'export-2' ? { weight_kg: 15_000 } : {})).decision.outcome)
        expect(outcomes, `${traffic} ${direction} ${priority ? 'marked' : 'unmarked'}`).toContain('pass')
      }
})
