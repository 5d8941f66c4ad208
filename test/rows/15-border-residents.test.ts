/** Row 15: border-resident loads name their resident and stay under the daily limit, at a road gate and at a small crossing. */
import { it } from 'vitest'
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
