/** Row 8: green, yellow and red; fruit without a protocol at 100 %, with one at 2 %, after clean years at 1 %; the draw can be repeated. */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { redraw } from '../../gateway/cli/rules-draws.ts'
import type { Crossing } from '../../gateway/figures/crossing.ts'
import { loadOf } from '../../gateway/figures/load.ts'
import { samplingFigures } from '../../gateway/figures/sampling.ts'
import { declaration } from '../../gateway/identity/declaration.ts'
import { decide } from '../../gateway/rules/decide.ts'
import { facts } from '../../gateway/rules/facts.ts'
import { type Draw, draw, sampled, withDraws } from '../../gateway/rules/sampling.ts'
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

describe('100,000 declared loads', () => {
  const n = 100_000
  const crossing = (i: number, draws: readonly Draw[]): Crossing => {
    const d = declaration.parse({
      id: `L${i}`,
      plate: '24C12345',
      direction: 'import',
      cargo: [{ kind: 'mango' }],
      valid_from: '2026-11-20T00:00:00Z',
      valid_to: '2026-11-24T00:00:00Z',
    })
    const load = loadOf({ plate: '24C12345', sure: true, declaration: d, decision: { rule: 'x', outcome: 'pass', draws } })
    const times = { arrivedAt: i, decidedAt: i, referredAt: null, endedAt: i }
    return { id: `P${i}`, lane: 'import-1', direction: 'import', plate: '24C12345', outcome: 'cleared', ...times, load }
  }

  it.each([0.01, 0.02, 0.5])(
    'at %d: the published seed gives every draw again, and the number drawn is within the binomial bound',
    (rate) => {
      const all = Array.from({ length: n }, (_, i) => crossing(i, withDraws(() => sampled(`L${i}`, '2026', rate)).draws))
      const again = redraw(all, '2026')
      expect(again.length).toBe(n)
      expect(again.filter((d) => !d.same)).toEqual([])
      // Not by the program's own function.
      for (const d of again.slice(0, 1_000)) {
        const hex = createHash('sha256').update(`2026\0${d.id}`).digest('hex').slice(0, 12)
        expect(d.drawn).toBe(Number.parseInt(hex, 16) / 2 ** 48 < rate)
      }
      const [figures] = samplingFigures(all)
      expect(figures).toMatchObject({ goods: 'mango', seed: '2026', rate, asked: n, within: true })
      const sd = Math.sqrt(n * rate * (1 - rate))
      expect(figures!.most - figures!.least).toBeLessThan(7 * sd)
      expect(figures!.least).toBeLessThanOrEqual(figures!.drawn)
      expect(figures!.drawn).toBeLessThanOrEqual(figures!.most)
    },
  )

  it('another seed, or one draw that was changed, is found', () => {
    const made = withDraws(() => sampled('L1', '2026', 0.02)).draws
    const all = [
      crossing(1, made),
      crossing(
        2,
        made.map((d) => ({ ...d, drawn: !d.drawn })),
      ),
    ]
    expect(redraw(all).map((d) => d.same)).toEqual([true, false])
    expect(redraw(all, '2027').map((d) => d.same)).toEqual([false, false])
  })

  it('an inspector who takes twice as many, or half, is outside the bound', () => {
    for (const wrong of [0.01, 0.04]) {
      const all = Array.from({ length: n / 10 }, (_, i) =>
        crossing(i, [{ id: `L${i}`, seed: 's', rate: 0.02, drawn: draw(`L${i}`, 's') < wrong }]),
      )
      expect(samplingFigures(all)[0]).toMatchObject({ asked: n / 10, within: false })
    }
  })
})
