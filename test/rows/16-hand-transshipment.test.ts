/** Row 16: goods moved from truck to truck by hand: both are declared and name each other. */
import { it } from 'vitest'
import { expectDecided, gate } from './rig.ts'

const [ONE, OTHER] = ['24C12345', '桂F12345'] as const

it('both declared and naming each other: both pass', async () => {
  const g = await gate()
  g.declare({ plate: ONE, transship_with: OTHER })
  g.declare({ plate: OTHER, transship_with: ONE, direction: 'export' })
  expectDecided(await g.arrive('import-1', { plate: ONE }), 'pass', 'declared')
  expectDecided(await g.arrive('export-1', { plate: OTHER }), 'pass', 'declared')
})

it('the other one not declared, or no longer', async () => {
  const g = await gate()
  g.declare({ plate: ONE, transship_with: OTHER })
  expectDecided(await g.arrive('import-1', { plate: ONE }), 'refer', 'transshipment-other-missing', ONE, OTHER)
  g.declare({ plate: OTHER, transship_with: ONE, valid_to: '2026-11-20T12:00:00Z' })
  expectDecided(await g.arrive('import-1', { plate: ONE }), 'refer', 'transshipment-other-missing', ONE, OTHER)
})

it('the other one names a third', async () => {
  const g = await gate()
  g.declare({ plate: ONE, transship_with: OTHER })
  g.declare({ plate: OTHER, transship_with: '24C99999' })
  expectDecided(await g.arrive('import-1', { plate: ONE }), 'refer', 'transshipment-not-mutual', ONE, OTHER)
})
