/** Row 11: detained and banned vehicles never open a lane; the desk hears an alarm. */
import { expect, it } from 'vitest'
import { expectDecided, gate } from './rig.ts'

it('a declared truck on the list is referred with an alarm, however its plate is written there', async () => {
  const g = await gate()
  g.declare({})
  g.list('detained', '24C-123.45')
  const d = await g.arrive('import-1')
  expectDecided(d, 'refer', 'detained', '24C12345')
  expect(d.alarms).toEqual(['detained-vehicle'])
})

it.each([
  ['by its trailer', { trailer: '24RM04466' }, { rear: '24RM04466' }, '24RM04466'],
  ['by a declared trailer that was not read', { trailer: '24RM04466' }, {}, '24RM04466'],
  ['by a tag in its windscreen', {}, { tags: ['E2801190200050FF'] }, 'E2801190200050FF'],
  ['by what an unsure plate may be', {}, { sure: false, readings: ['24C12345', '24G12345'] }, '24G12345'],
])('%s', async (_name, declared, vehicle, listed) => {
  const g = await gate()
  g.declare(declared)
  g.list('detained', listed)
  expectDecided(await g.arrive('import-1', vehicle), 'refer', 'detained')
})

it('undeclared and in the wrong lane it is the list that decides', async () => {
  const g = await gate()
  g.list('detained', '24C77777')
  expectDecided(await g.arrive('export-2', { plate: '24C77777' }), 'refer', 'detained', '24C77777')
})

it('another vehicle passes', async () => {
  const g = await gate()
  g.declare({})
  g.list('detained', '24C77777')
  const d = await g.arrive('import-1')
  expectDecided(d, 'pass', 'declared')
  expect(d.alarms).toEqual([])
})
