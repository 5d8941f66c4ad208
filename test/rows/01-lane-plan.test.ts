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
      else expectDecided(d, 'redirect', 'wrong-lane', lane, traffic)
    }
})

it('a truck declared for the other direction is sent to another lane', async () => {
  const g = await gate()
  g.declare({ direction: 'export' })
  const d = await g.arrive('import-1')
  expectDecided(d, 'redirect', 'wrong-direction', '24C12345', 'export', 'import')
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
