/** Row 10: plate, declaration, trailer, tag and weight must agree, and the goods with themselves; else referred with what differs. */
import { describe, expect, it } from 'vitest'
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

describe('a declaration is good for one passage', () => {
  it('is referred when it comes again, by whatever vehicle', async () => {
    const g = await gate()
    g.declare({ id: 'D1' })
    await g.leave(await g.arrive('import-1'))
    await g.later(3)
    expectDecided(await g.arrive('import-1'), 'refer', 'declaration-used', 'D1', '3', '24C12345')
    // Withdrawn and declared again it is the same one.
    g.declare({ id: 'D1', plate: '24C99999' })
    expectDecided(await g.arrive('import-1', { plate: '24C99999' }), 'refer', 'declaration-used')
  })

  it('not when the vehicle was turned back, and not in the other direction', async () => {
    const g = await gate()
    g.declare({ id: 'D1' })
    await g.leave(await g.arrive('import-1'), 'aborted')
    expectDecided(await g.arrive('import-1'), 'pass', 'declared')
    g.declare({ id: 'D2', plate: '24C00002' })
    await g.leave(await g.arrive('import-1', { plate: '24C00002' }))
    g.declare({ id: 'D2', plate: '24C00002', direction: 'export' })
    expectDecided(await g.arrive('export-1', { plate: '24C00002' }), 'pass', 'declared')
  })

  it('or for as many as it says', async () => {
    const g = await gate()
    g.declare({ id: 'D1', trips: 2 })
    await g.leave(await g.arrive('import-1'))
    const second = await g.arrive('import-1')
    expectDecided(second, 'pass', 'declared')
    await g.leave(second)
    expectDecided(await g.arrive('import-1'), 'refer', 'declaration-used', '2')
  })

  it('a used one does not stand in the way of the next', async () => {
    const g = await gate()
    g.declare({ id: 'D1' })
    await g.leave(await g.arrive('import-1'))
    g.declare({ id: 'D2' })
    const again = await g.arrive('import-1')
    expectDecided(again, 'pass', 'declared', 'D2')
    await g.leave(again)
    // Both used: nobody can say which one is meant.
    expectDecided(await g.arrive('import-1'), 'refer', 'plate-ambiguous')
  })

  it('two vehicles with one plate in two lanes: the second is referred', async () => {
    const g = await gate('kim-thanh', { stay: true })
    g.declare({ id: 'D1' })
    const first = await g.arrive('import-1')
    expectDecided(first, 'pass', 'declared')
    expectDecided(await g.arrive('import-3'), 'refer', 'declaration-elsewhere', 'D1')
  })
})
