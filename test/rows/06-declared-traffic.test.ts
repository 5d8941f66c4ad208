/** Row 6: declarations are there before the truck; who has none that counts is referred, and nothing needs typing when all agrees. */
import { expect, it } from 'vitest'
import { expectDecided, gate } from './rig.ts'

it('a declared truck passes, and its event names the declaration', async () => {
  const g = await gate()
  g.declare({})
  const d = await g.arrive('import-1')
  expectDecided(d, 'pass', 'declared', '24C12345', 'D1')
  expect(d.event).toMatchObject({ declaration: 'D1', identity: { match: 'exact', disagreements: [] } })
})

it('unread, unsure, undeclared and ambiguous are referred', async () => {
  const g = await gate()
  g.declare({ plate: '24C12345' })
  g.declare({ plate: '24C12346' })
  expectDecided(await g.arrive('import-1', { plate: null }), 'refer', 'plate-unread')
  expectDecided(await g.arrive('import-1', { plate: '24C7777', sure: false }), 'refer', 'plate-unsure', '24C7777')
  expectDecided(await g.arrive('import-1', { plate: '24C77777' }), 'refer', 'not-declared', '24C77777')
  const both = await g.arrive('import-1', { plate: '24C12345', sure: false, readings: ['24C12345', '24C12346'] })
  expectDecided(both, 'refer', 'plate-ambiguous', '2')
  expect(both.event).toMatchObject({ identity: { match: 'ambiguous', candidates: ['D1', 'D2'] }, declaration: null })
})

it('unsure, but readable as exactly one declared vehicle, passes', async () => {
  const g = await gate()
  g.declare({})
  expectDecided(await g.arrive('import-1', { sure: false, readings: ['24C12345', '24G12345'] }), 'pass', 'declared')
})

it('expired and not yet valid are referred', async () => {
  const g = await gate()
  g.declare({ plate: '24C00001', valid_to: '2026-11-20T12:00:00Z' })
  g.declare({ plate: '24C00002', valid_from: '2026-11-22T00:00:00Z' })
  expectDecided(await g.arrive('import-1', { plate: '24C00001' }), 'refer', 'declaration-not-in-date', 'D1')
  expectDecided(await g.arrive('import-1', { plate: '24C00002' }), 'refer', 'declaration-not-in-date', 'D2')
})

it.each([
  ['failed', 'refer'],
  ['pending', 'refer'],
  ['passed', 'pass'],
  ['none', 'pass'],
] as const)('quarantine %s: %s', async (quarantine, outcome) => {
  const g = await gate()
  g.declare({ quarantine })
  expectDecided(await g.arrive('import-1'), outcome, outcome === 'pass' ? 'declared' : 'quarantine-not-passed', 'D1')
})
