/** Row 8: green, yellow and red; fruit without a protocol at 100 %, with one at 2 %, after clean years at 1 %; the draw can be repeated. */
import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { decide } from '../../gateway/rules/decide.ts'
import { facts } from '../../gateway/rules/facts.ts'
import { draw, sampled } from '../../gateway/rules/sampling.ts'
import { expectDecided, gate } from './rig.ts'

const MANGO = { cargo: [{ kind: 'mango', hs: '0804.50.20' }] }

it('red is inspected, yellow shows its papers, green passes', async () => {
  const g = await gate()
  for (const [channel, outcome, rule] of [
    ['red', 'refer', 'channel-red'],
    ['yellow', 'refer', 'channel-yellow'],
    ['green', 'pass', 'declared'],
  ] as const) {
    g.declare({ id: 'D1', channel })
    expectDecided(await g.arrive('import-1'), outcome, rule, 'D1')
  }
})

it('fresh fruit without a protocol is always inspected, other goods are not', async () => {
  const g = await gate()
  g.declare({ plate: '24C00001', ...MANGO })
  g.declare({ plate: '24C00002', cargo: [{ kind: 'cement', hs: '2523' }] })
  expectDecided(await g.arrive('import-1', { plate: '24C00001' }), 'refer', 'fruit-no-protocol', 'mango')
  expectDecided(await g.arrive('import-1', { plate: '24C00002' }), 'pass', 'declared')
})

it('under a protocol it is drawn by its declaration: D120 at 2 %, not at 1 %', async () => {
  const g = await gate()
  const codes = { growing_area: 'VN-LCOR-0123', packing_house: 'VN-LCPH-012' }
  g.list('protocol-goods', 'mango')
  g.list('growing-area', codes.growing_area)
  g.list('packing-house', codes.packing_house)
  const cargo = [{ ...MANGO.cargo[0], ...codes }]
  g.declare({ id: 'D120', plate: '24C00001', cargo })
  g.declare({ id: 'D121', plate: '24C00002', cargo })
  const drawn = await g.arrive('import-1', { plate: '24C00001' })
  expectDecided(drawn, 'refer', 'fruit-drawn', 'mango', 'D120')
  expectDecided(await g.arrive('import-1', { plate: '24C00002' }), 'pass', 'declared')
  g.list('clean-goods', 'mango')
  expectDecided(await g.arrive('import-1', { plate: '24C00001' }), 'pass', 'declared')
})

it('the draw is what it is said to be, so that anybody can repeat it', () => {
  for (const id of ['D1', 'KT-2026-000017', 'x']) {
    const hex = createHash('sha256').update(`2026\0${id}`).digest('hex').slice(0, 12)
    expect(draw(id, '2026')).toBe(Number.parseInt(hex, 16) / 2 ** 48)
  }
  expect(sampled('D1', 's', 0)).toBe(false)
  expect(sampled('D1', 's', 1)).toBe(true)
})

it('over 100,000 declared loads the rate is within four standard deviations of the binomial, and the rule draws the same ones', async () => {
  const { rules } = await gate()
  const load = facts.parse({ goods: { items: 1, kinds: ['mango'], fresh: ['mango'], under_protocol: ['mango'] } })
  const n = 100_000
  const draws = Array.from({ length: n }, (_, i) => draw(`L${i}`, '2026'))
  for (const [clean, rate] of [
    [[], 0.02],
    [['mango'], 0.01],
  ] as const) {
    const drawn = draws.filter((d) => d < rate).length
    expect(Math.abs(drawn - n * rate)).toBeLessThan(4 * Math.sqrt(n * rate * (1 - rate)))
    for (let i = 0; i < 500; i++) {
      const d = decide(rules, { ...load, goods: { ...load.goods, clean: [...clean] }, declaration: { ...load.declaration, id: `L${i}` } })
      expect(d.rule).toBe(draws[i]! < rate ? 'fruit-drawn' : 'declared')
    }
  }
})
