/** Row 15: border-resident loads name their resident and stay under the daily limit, at a road gate and at a small crossing. */
import { describe, expect, it } from 'vitest'
import { expectDecided, gate } from './rig.ts'

const LOAD = { traffic: 'border-resident', resident: '010203004005' }

it.each([
  ['kim-thanh', 'import-3'],
  ['loi-mo', 'lane'],
])('%s: under the limit passes, over it and without a name is referred', async (site, lane) => {
  const g = await gate(site)
  const value = (currency: string, v: number) => ({ ...LOAD, id: 'D1', currency, cargo: [{ kind: 'vegetables', value: v }] })
  g.declare(value('VND', 2_000_000))
  expectDecided(await g.arrive(lane), 'pass', 'declared')
  g.declare(value('VND', 2_000_001))
  expectDecided(await g.arrive(lane), 'refer', 'resident-over-limit', '2000001 VND', '010203004005')
  g.declare(value('CNY', 8_000))
  expectDecided(await g.arrive(lane), 'pass', 'declared')
  g.declare(value('CNY', 8_001))
  expectDecided(await g.arrive(lane), 'refer', 'resident-over-limit', '8001 CNY')
  g.declare({ id: 'D1', traffic: 'border-resident' })
  expectDecided(await g.arrive(lane), 'refer', 'resident-not-named', 'D1')
})

it('several goods count together', async () => {
  const g = await gate('loi-mo')
  g.declare({
    ...LOAD,
    currency: 'VND',
    cargo: [
      { kind: 'rice', value: 1_500_000 },
      { kind: 'tea', value: 600_000 },
    ],
  })
  expectDecided(await g.arrive('lane'), 'refer', 'resident-over-limit', '2100000 VND')
})

it('the limit is for residents: a loaded truck is worth what it is worth', async () => {
  const g = await gate('loi-mo')
  g.declare({ currency: 'VND', cargo: [{ kind: 'rice', value: 900_000_000 }] })
  expectDecided(await g.arrive('lane'), 'pass', 'declared')
})

describe('the limit of a day', () => {
  let n = 0
  const load = (value: number, more: Record<string, unknown> = {}) => ({
    ...LOAD,
    id: `R${++n}`,
    plate: `24C${10_000 + n}`,
    currency: 'VND',
    cargo: [{ kind: 'tea', value, net_kg: 100 }],
    valid_to: '2026-11-30T00:00:00Z',
    ...more,
  })

  it('several loads of a resident count together; another resident has a limit of his own', async () => {
    const g = await gate('loi-mo', { stay: true })
    const come = (d: Record<string, unknown>) => g.arrive('lane', { plate: g.declare(d).plate })
    await g.leave(await come(load(900_000)))
    await g.leave(await come(load(1_000_000)))
    expectDecided(await come(load(200_000)), 'refer', 'resident-over-daily-limit', '010203004005', '1900000 VND', '200000 VND')
    expectDecided(await come(load(200_000, { resident: '010203009999' })), 'pass', 'declared')
    const last = await come(load(100_000))
    expectDecided(last, 'pass', 'declared')
    // What is being let through counts already.
    expectDecided(await come(load(1)), 'refer', 'resident-over-daily-limit')
    await g.leave(last, 'aborted')
    expectDecided(await come(load(100_000)), 'pass', 'declared')
  })

  it('begins anew at midnight of the gate', async () => {
    const g = await gate('loi-mo')
    const come = (d: Record<string, unknown>) => g.arrive('lane', { plate: g.declare(d).plate })
    await g.leave(await come(load(2_000_000)))
    await g.later(15.9)
    expectDecided(await come(load(1)), 'refer', 'resident-over-daily-limit')
    await g.later(0.2)
    expectDecided(await come(load(2_000_000)), 'pass', 'declared')
  })

  it('two currencies in a day are for the officer', async () => {
    const g = await gate('loi-mo')
    const come = (d: Record<string, unknown>) => g.arrive('lane', { plate: g.declare(d).plate })
    await g.leave(await come(load(10, { currency: 'CNY' })))
    expectDecided(await come(load(10)), 'refer', 'resident-two-currencies', '010203004005')
    expectDecided(await come(load(10, { currency: 'CNY' })), 'pass', 'declared')
  })

  it('firms have sums as well, for rules of a gate', async () => {
    const g = await gate()
    const firm = { firm: 'Lao Cai Logistics', currency: 'CNY', cargo: [{ kind: 'tyre', value: 7, net_kg: 9_000 }] }
    for (const n of [1, 2]) {
      g.declare({ ...firm, id: `F${n}`, plate: `24C0000${n}`, ...(n === 2 ? { firm_id: '5300' } : {}) })
      await g.leave(await g.arrive('import-1', { plate: `24C0000${n}` }))
    }
    g.declare({ ...firm, id: 'F3', plate: '24C00003' })
    const facts = (await g.arrive('import-1', { plate: '24C00003' })).facts
    expect(facts.today).toMatchObject({ firm_trips: 2, firm_net_kg: 18_000, firm_value: 14, resident_trips: 0 })
  })
})
