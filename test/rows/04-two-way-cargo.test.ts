/** Row 4: two-way cargo pilot: one firm a truck, one kind of goods a truck, no mixed load, both ways by the same truck. */
import { expect, it } from 'vitest'
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

it('a two-way truck may stay 36 h, another 24 h: alarm when it is over, and an officer before it leaves', async () => {
  const g = await gate()
  const [two, other] = ['云A10001', '云A10002']
  g.declare({ ...TRIP, id: 'T1', plate: two, two_way: 'T2', valid_to: '2026-11-30T00:00:00Z' })
  g.declare({ ...BACK, id: 'T2', plate: two, valid_to: '2026-11-30T00:00:00Z' })
  g.declare({ id: 'O1', plate: other })
  g.declare({ id: 'O2', plate: other, direction: 'export', valid_to: '2026-11-30T00:00:00Z' })
  expect(await g.leave(await g.arrive('import-3', { plate: two }))).toEqual([])
  expect(await g.leave(await g.arrive('import-1', { plate: other }))).toEqual([])
  expect(g.stats().stays).toMatchObject({ inside: 2, two_way: 1, over: 0, vehicles: [] })
  expect(await g.later(23.9)).toEqual([])
  expect(await g.later(0.2)).toEqual([`raised stay-over ${other}`])
  expect(await g.later(11.8)).toEqual([])
  expect(await g.later(0.2)).toEqual([`raised stay-over ${two}`])
  expect(g.stats().stays.vehicles.map((v) => [v.plate, v.limit_h, v.two_way])).toEqual([
    [two, 36, true],
    [other, 24, false],
  ])
  const late = await g.arrive('export-1', { plate: two })
  expectDecided(late, 'refer', 'stay-over', two, '36.1', '36')
  expect(await g.leave(late)).toEqual([`cleared stay-over ${two}`])
  expect(g.stats().stays).toMatchObject({ inside: 1, over: 1 })
})

it('back in time is no matter', async () => {
  const g = await gate()
  g.declare({ ...TRIP, plate: '云A10001', two_way: 'BACK' })
  g.declare({ ...BACK, plate: '云A10001' })
  await g.leave(await g.arrive('import-3', { plate: '云A10001' }))
  await g.later(20)
  expectDecided(await g.arrive('export-1', { plate: '云A10001' }), 'pass', 'declared')
})
