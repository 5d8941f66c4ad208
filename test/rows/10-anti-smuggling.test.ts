/** Row 10: plate, declaration, trailer, tag and weight must agree, and the goods with themselves; else referred with what differs. */
import { expect, it } from 'vitest'
import { expectDecided, gate } from './rig.ts'

it.each([
  ['a swapped trailer', { trailer: '24RM04466' }, { rear: '24RM00817' }, 'swapped-trailer', ['24RM04466', '24RM00817']],
  ['a trailer nobody declared', {}, { rear: '24RM00817' }, 'swapped-trailer', ['24RM00817']],
  ['another tag', { tag: 'E2801190200050A1' }, { tags: ['E2801190200050FF'] }, 'other-tag', ['E2801190200050FF']],
  ['another container', { container: 'CSQU3054383' }, { codes: ['MSKU 000000-6'] }, 'other-container', ['MSKU0000006', 'CSQU3054383']],
  [
    'a container number with a wrong check digit',
    { container: 'CSQU3054383' },
    { codes: ['CSQU3054384'] },
    'other-container',
    ['CSQU3054384'],
  ],
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
    container: 'CSQU3054383',
    cargo: [{ kind: 'rice', net_kg: 14_900, origin: 'CN' }],
  })
  const seen = { rear: '24RM04466', tags: ['E2801190200050A1'], codes: ['CSQU 305438-3'], weight_kg: 30_000 }
  const d = await g.arrive('import-1', seen)
  expectDecided(d, 'pass', 'declared')
  expect(d.event).toMatchObject({ identity: { match: 'exact', score: 1, disagreements: [] } })
  // Every disagreement counts against it, and is named with what was declared and what was seen.
  const other = await g.arrive('import-1', { ...seen, rear: '24RM00817', weight_kg: 36_000 })
  expect(other.event).toMatchObject({
    identity: {
      score: 0.769,
      disagreements: [
        { code: 'trailer', expected: '24RM04466', seen: '24RM00817' },
        { code: 'weight', expected: '30000', seen: '36000' },
      ],
    },
  })
})

it('a plate one look-alike character away from the only declared vehicle: referred, unless the site allows it', async () => {
  const g = await gate()
  g.declare({ plate: '24C12345' })
  expectDecided(await g.arrive('import-1', { plate: '24C12346' }), 'refer', 'not-declared', '24C12346')
  const d = await g.arrive('import-1', { plate: '24C12346', lookalikes: true })
  expectDecided(d, 'pass', 'declared', '24C12345')
  expect(d.event).toMatchObject({
    identity: { match: 'lookalike', disagreements: [{ code: 'plate', expected: '24C12345', seen: '24C12346' }] },
  })
  g.list('detained', '24C12348')
  expectDecided(await g.arrive('import-1', { plate: '24C12346', lookalikes: true }), 'refer', 'not-declared', '24C12346')
})

it('a container number with a wrong check digit is not even taken', async () => {
  const g = await gate()
  expect(() => g.declare({ container: 'CSQU3054384' })).toThrow(/check digit/)
  expect(g.declare({ container: 'CSQU3054383' }).container).toBe('CSQU3054383')
})
