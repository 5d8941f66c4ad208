/** Row 4: two-way cargo pilot: one firm a truck, one kind of goods a truck, no mixed load, both ways by the same truck. */
import { it } from 'vitest'
import { expectDecided, gate } from './rig.ts'

const TRIP = { traffic: 'two-way', firm: 'Lao Cai Logistics', firm_id: '5300123456', cargo: [{ kind: 'mango' }] }
const BACK = { ...TRIP, id: 'BACK', direction: 'export', cargo: [{ kind: 'apple' }] }

it('one firm, one kind of goods, back by the same truck: passes', async () => {
  const g = await gate()
  g.declare({ ...TRIP, two_way: 'BACK' })
  g.declare(BACK)
  expectDecided(await g.arrive('import-3'), 'pass', 'declared')
  expectDecided(await g.arrive('export-1'), 'pass', 'declared')
})

it('the way back may still be undeclared', async () => {
  const g = await gate()
  g.declare({ ...TRIP, two_way: 'BACK' })
  expectDecided(await g.arrive('import-3'), 'pass', 'declared')
})

it('no firm, or a mixed load, is referred', async () => {
  const g = await gate()
  g.declare({ ...TRIP, plate: '24C00001', firm: undefined, firm_id: undefined })
  g.declare({ ...TRIP, plate: '24C00002', cargo: [{ kind: 'mango' }, { kind: 'pomelo' }] })
  expectDecided(await g.arrive('import-3', { plate: '24C00001' }), 'refer', 'two-way-no-firm', '24C00001')
  expectDecided(await g.arrive('import-3', { plate: '24C00002' }), 'refer', 'two-way-mixed-load', 'mango', 'pomelo')
})

it.each([
  ['another truck', { plate: '24C99999' }],
  ['another firm', { firm_id: '5300999999' }],
  ['the same direction', { direction: 'import', valid_to: '2026-11-20T01:00:00Z' }],
])('the other way declared for %s is referred', async (_name, other) => {
  const g = await gate()
  g.declare({ ...TRIP, two_way: 'BACK' })
  g.declare({ ...BACK, ...other })
  expectDecided(await g.arrive('import-3'), 'refer', 'two-way-other-trip', '24C12345')
})
