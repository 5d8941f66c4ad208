/** Row 10: plate, declaration, trailer, tag and weight must agree, and the goods with themselves; else referred with what differs. */
import { expect, it } from 'vitest'
import { expectDecided, gate } from './rig.ts'

it.each([
  ['a swapped trailer', { trailer: '24RM04466' }, { rear: '24RM00817' }, 'swapped-trailer', ['24RM04466', '24RM00817']],
  ['a trailer nobody declared', {}, { rear: '24RM00817' }, 'swapped-trailer', ['24RM00817']],
  ['another tag', { tag: 'E2801190200050A1' }, { tags: ['E2801190200050FF'] }, 'other-tag', ['E2801190200050FF']],
  ['another weight', { weight_kg: 22_000 }, { weight_kg: 31_000 }, 'weight-differs', ['31000', '22000']],
  ['too heavy for the road, and declared so', { weight_kg: 50_000 }, { weight_kg: 50_100 }, 'overweight', ['50100']],
  ['goods from where they go', { currency: 'VND', cargo: [{ kind: 'rice', origin: 'VN' }] }, {}, 'false-origin', ['VN']],
  [
    'more goods than the truck can hold',
    { weight_kg: 30_000, tare_kg: 15_000, cargo: [{ kind: 'rice', net_kg: 20_000 }] },
    {},
    'net-over-gross',
    ['20000', '30000', '15000'],
  ],
])('%s: referred', async (_name, declared, vehicle, rule, words) => {
  const g = await gate()
  g.declare(declared)
  const d = await g.arrive('import-1', vehicle)
  expectDecided(d, 'refer', rule, '24C12345', ...words)
  expect(d.event).toMatchObject({ declaration: 'D1' })
})

it('everything as declared: passes', async () => {
  const g = await gate()
  g.declare({
    trailer: '24RM04466',
    tag: 'E2801190200050A1',
    weight_kg: 30_000,
    tare_kg: 15_000,
    cargo: [{ kind: 'rice', net_kg: 14_900, origin: 'CN' }],
  })
  const d = await g.arrive('import-1', { rear: '24RM04466', tags: ['E2801190200050A1'], weight_kg: 30_400 })
  expectDecided(d, 'pass', 'declared')
})

it('a container number with a wrong check digit is not even taken', async () => {
  const g = await gate()
  expect(() => g.declare({ container: 'CSQU3054384' })).toThrow(/check digit/)
  expect(g.declare({ container: 'CSQU3054383' }).container).toBe('CSQU3054383')
})
