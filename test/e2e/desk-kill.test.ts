/** Row 12: what the desk knows survives kill -9: who has taken a vehicle, how long it waits, and the alarm that is raised. */
import { afterEach, expect, test } from 'vitest'
import { until } from '../harness/chaos-site.ts'
import { standing } from '../harness/standing.ts'

const cleanups: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

/** A lane with an undeclared truck at the line that was referred; the gateway is a process of its own. */
async function referred(take_min: number, decide_min: number) {
  const site = await standing({ undo: cleanups, more: { desk: { take_min, decide_min } } })
  const { centre, world, told } = site
  const again = async () => {
    const next = await site.again()
    await until('it is referred again', () => told('passage.referred').length === 2)
    return next
  }
  return { centre, world, told, again, passage: told('passage.referred')[0]!.passage! }
}

test('who has taken it still has it, and nobody else decides', async () => {
  const { centre, told, again, passage } = await referred(5, 15)
  expect(await centre.command({ do: 'take', lane: 'a', by: 'Lan', reason: 'papers', passage })).toMatchObject({ ok: true })
  await again()
  await until('Lan still has it', () => told('passage.taken').length === 2)
  expect(told('passage.aborted')).toMatchObject([{ passage, why: 'lost over a restart' }])
  const now = told('passage.referred')[1]!.passage!
  expect(told('passage.taken')[1]).toMatchObject({ passage: now, by: 'Lan', why: `taken before the restart, as passage ${passage}` })
  await until('the state tells', () => (centre.log.states.get('a')?.passage as { taken_by?: string } | null)?.taken_by === 'Lan')
  expect(await centre.command({ do: 'open', lane: 'a', by: 'Minh', passage: now })).toMatchObject({
    ok: false,
    error: expect.stringMatching(/Lan has taken/),
  })
  expect(await centre.command({ do: 'open', lane: 'a', by: 'Lan', passage: now })).toMatchObject({ ok: true })
  await until('it is through', () => told('passage.cleared').length === 1)
  expect(told('passage.cleared')).toMatchObject([{ passage: now, by: 'Lan' }])
  expect(centre.log.faults()).toEqual([])
})

test('an alarm that was raised is cleared once, and raised for the vehicle that still waits', async () => {
  const { centre, told, again, passage } = await referred(0.1, 15)
  const alarms = (change: string) => told(`alarm.${change}`).filter((a) => a.alarm === 'desk-unattended')
  await until('it is escalated', () => alarms('raised').length === 1)
  await again()
  await until('escalated anew, without waiting once more', () => alarms('raised').length === 2)
  const now = told('passage.referred')[1]!.passage!
  expect(told('passage.escalated').map((e) => e.passage)).toEqual([passage, now])
  expect(alarms('cleared')).toMatchObject([{ passage }])
  expect(await centre.command({ do: 'take', lane: 'a', by: 'Lan', passage: now })).toMatchObject({ ok: true })
  expect(alarms('cleared')).toMatchObject([{ passage }, { passage: now, why: 'taken by Lan' }])
  expect(centre.log.faults({ open: 1 })).toEqual([])
})
