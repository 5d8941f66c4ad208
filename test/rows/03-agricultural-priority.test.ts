/** Row 3: the agricultural priority lane takes marked vehicles; one without a mark is sent to the ordinary lane, which takes it. */
import { expect, it } from 'vitest'
import { expectDecided, gate } from './rig.ts'

const FARM = { traffic: 'agricultural', goods: 'dragon fruit' }

it('without a mark: away from the priority lane, into the ordinary one', async () => {
  const g = await gate()
  g.declare(FARM)
  expectDecided(await g.arrive('import-2'), 'redirect', 'no-priority-mark', '24C12345')
  expectDecided(await g.arrive('import-1'), 'pass', 'declared')
})

it.each([
  ['the declared tag', { tag: 'E2801190200050A1' }, { tags: ['E2801190200050A1'] }, []],
  ['the declared code', { tag: 'NS-2026-17' }, { codes: ['NS-2026-17'] }, []],
  ['a listed tag', {}, { tags: ['E2801190200050A1'] }, ['E2801190200050A1']],
  ['a listed sticker', {}, { codes: ['NS-2026-17'] }, ['NS-2026-17']],
  ['a listed plate', {}, {}, ['24C-123.45']],
  ['a declaration that says so', { priority: true }, {}, []],
])('%s is a mark', async (_name, declared, vehicle, listed) => {
  const g = await gate()
  g.declare({ ...FARM, ...declared })
  g.list('agricultural-mark', ...listed)
  expectDecided(await g.arrive('import-2', vehicle), 'pass', 'declared', '24C12345')
})

it('another tag than declared is no mark and is referred where it would pass', async () => {
  const g = await gate()
  g.declare({ ...FARM, tag: 'E2801190200050A1' })
  expectDecided(await g.arrive('import-2', { tags: ['E2801190200050FF'] }), 'redirect', 'no-priority-mark')
  const d = await g.arrive('import-1', { tags: ['E2801190200050FF'] })
  expectDecided(d, 'refer', 'other-tag', 'E2801190200050A1', 'E2801190200050FF')
  expect(d.event).toMatchObject({ identity: { tag: 'other' } })
})
