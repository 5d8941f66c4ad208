/** Row 2: a truck declared empty is weighed where a scale stands; too heavy for its tare is referred. */
import { expect, it } from 'vitest'
import { expectDecided, gate } from './rig.ts'

const EMPTY = { direction: 'export', traffic: 'empty' }

it('an empty truck of its declared tare passes, with driver and fuel', async () => {
  const g = await gate()
  g.declare({ ...EMPTY, tare_kg: 15_000 })
  const d = await g.arrive('export-2', { weight_kg: 15_300 })
  expectDecided(d, 'pass', 'declared', '24C12345')
  expect(d.event).toMatchObject({ weight_kg: 15_300 })
})

it('too heavy for its tare is referred, with both weights', async () => {
  const g = await gate()
  g.declare({ ...EMPTY, tare_kg: 15_000 })
  expectDecided(await g.arrive('export-2', { weight_kg: 19_000 }), 'refer', 'empty-too-heavy', '19000', '15000')
})

it('the limit is tare and 5 % and 500 kg', async () => {
  const g = await gate()
  g.declare({ ...EMPTY, tare_kg: 10_000 })
  expectDecided(await g.arrive('export-2', { weight_kg: 11_000 }), 'pass', 'declared')
  expectDecided(await g.arrive('export-2', { weight_kg: 11_010 }), 'refer', 'empty-too-heavy', '11010')
})

it('is referred when the scale is silent, without a tare when heavier than any empty truck, and with declared goods', async () => {
  const g = await gate()
  g.declare({ ...EMPTY, plate: '24C00001' })
  g.declare({ ...EMPTY, plate: '24C00002', cargo: [{ kind: 'banana' }] })
  expectDecided(await g.arrive('export-2', { plate: '24C00001' }), 'refer', 'empty-not-weighed', '24C00001')
  expectDecided(await g.arrive('export-2', { plate: '24C00001', weight_kg: 26_000 }), 'refer', 'empty-tare-unknown', '26000')
  expectDecided(await g.arrive('export-2', { plate: '24C00001', weight_kg: 15_000 }), 'pass', 'declared')
  const goods = await g.arrive('export-2', { plate: '24C00002', weight_kg: 15_000 })
  expectDecided(goods, 'refer', 'empty-with-goods', 'banana')
  expect(goods.alarms).toEqual([])
})
