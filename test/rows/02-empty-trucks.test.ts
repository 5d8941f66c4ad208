/** Row 2: a truck declared empty is weighed where a scale stands; too heavy for its tare is referred. */
import { describe, expect, it } from 'vitest'
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

describe('backlog of empty trucks', () => {
  const empty = (n: number) => `云A${10_000 + n}`
  const takes = { 'import-3': ['empty' as const] }

  it('counts who came in empty and has not gone back, by age, and raises one alarm over the limit', async () => {
    const g = await gate('kim-thanh', { takes, stays: { empties: 2 } })
    const come = async (n: number) => {
      g.declare({ id: `IN${n}`, plate: empty(n), direction: 'import', traffic: 'empty' })
      return g.leave(await g.arrive('import-3', { plate: empty(n) }))
    }
    expect(await come(1)).toEqual([])
    await g.later(2)
    expect(await come(2)).toEqual([])
    expect(g.stats().empties).toEqual({ inside: 2, oldest_h: 2, allowed: 2, backlog: false })
    expect(await come(3)).toEqual(['raised empty-backlog'])
    expect(await come(4)).toEqual([])
    expect(g.stats()).toMatchObject({ empties_inside: 4, empties: { inside: 4, backlog: true } })
    // A loaded one and one of this side are no empties of the other side.
    g.declare({ id: 'LOADED', plate: empty(9), traffic: 'loaded' })
    await g.leave(await g.arrive('import-1', { plate: empty(9) }))
    g.declare({ id: 'HOME', plate: '24C12345', traffic: 'empty' })
    await g.leave(await g.arrive('import-3'))
    expect(g.stats()).toMatchObject({ empties_inside: 4, stays: { inside: 5 } })
    // They go back, loaded or not.
    for (const n of [1, 2]) {
      g.declare({ id: `OUT${n}`, plate: empty(n), direction: 'export', traffic: 'loaded' })
      const alarms = await g.leave(await g.arrive('export-1', { plate: empty(n) }))
      expect(alarms).toEqual(n === 2 ? ['cleared empty-backlog'] : [])
    }
    expect(g.stats().empties).toMatchObject({ inside: 2, oldest_h: 0, backlog: false })
  })

  it('one that stands too long has an alarm of its own, and does not go back without an officer', async () => {
    const g = await gate('kim-thanh', { takes, stays: { empty_h: 10 } })
    g.declare({ id: 'IN', plate: empty(1), traffic: 'empty' })
    await g.leave(await g.arrive('import-3', { plate: empty(1) }))
    expect(await g.later(9.9)).toEqual([])
    expect(await g.later(0.2)).toEqual([`raised stay-over ${empty(1)}`])
    expect(await g.later(5)).toEqual([])
    expect(g.stats().stays).toMatchObject({ over: 1, vehicles: [{ plate: empty(1), hours: 15.1, limit_h: 10, two_way: false }] })
    g.declare({ id: 'OUT', plate: empty(1), direction: 'export' })
    const back = await g.arrive('export-1', { plate: empty(1) })
    expectDecided(back, 'refer', 'stay-over', empty(1), '15.1', '10')
    expect(await g.leave(back)).toEqual([`cleared stay-over ${empty(1)}`])
  })

  it('a truck that is turned away at the gate is not inside', async () => {
    const g = await gate('kim-thanh', { takes })
    g.declare({ id: 'IN', plate: empty(1), traffic: 'empty' })
    await g.leave(await g.arrive('import-3', { plate: empty(1) }), 'aborted')
    expect(g.stats()).toMatchObject({ empties_inside: 0, stays: { inside: 0 } })
  })
})
