/** Row 9: goods under a protocol carry growing-area and packing-house codes: present, well-formed and valid. */
import { it } from 'vitest'
import { expectDecided, gate } from './rig.ts'

const GOOD = { kind: 'durian', hs: '081060', growing_area: 'VN-LCOR-0123', packing_house: 'VN-LCPH-012' }

async function durians() {
  const g = await gate()
  g.list('protocol-goods', 'durian')
  g.list('growing-area', 'VN-LCOR-0123')
  g.list('packing-house', 'VN-LCPH-012', '12345')
  return g
}

it('with both codes on the lists: passes', async () => {
  const g = await durians()
  g.declare({ id: 'D121', cargo: [GOOD] })
  expectDecided(await g.arrive('import-1'), 'pass', 'declared')
})

it.each([
  ['no packing house', { packing_house: undefined }, 'codes-missing', ['durian']],
  ['no growing area', { growing_area: undefined }, 'codes-missing', ['durian']],
  ['a packing house that is a number', { packing_house: '12345' }, 'codes-malformed', ['12345']],
  ['a growing area that is a packing house', { growing_area: 'VN-LCPH-012' }, 'codes-malformed', ['VN-LCPH-012']],
  ['a growing area that nobody listed', { growing_area: 'VN-LCOR-9999' }, 'codes-not-valid', ['VN-LCOR-9999']],
])('%s: referred', async (_name, wrong, rule, words) => {
  const g = await durians()
  g.declare({ id: 'D121', cargo: [{ ...GOOD, ...wrong }] })
  expectDecided(await g.arrive('import-1'), 'refer', rule, '24C12345', ...words)
})

it('one load among several without its codes is enough; goods without a protocol need none', async () => {
  const g = await durians()
  g.declare({ plate: '24C00001', cargo: [GOOD, { kind: 'durian', hs: '081060' }] })
  g.declare({ plate: '24C00002', cargo: [{ kind: 'cement', hs: '2523' }] })
  expectDecided(await g.arrive('import-1', { plate: '24C00001' }), 'refer', 'codes-missing', 'durian')
  expectDecided(await g.arrive('import-1', { plate: '24C00002' }), 'pass', 'declared')
})

it('while the lists of codes have not come, no load is taken for traced', async () => {
  const g = await gate()
  g.list('protocol-goods', 'durian')
  g.declare({ cargo: [GOOD] })
  expectDecided(await g.arrive('import-1'), 'refer', 'codes-not-valid', 'VN-LCOR-0123', 'VN-LCPH-012')
})
