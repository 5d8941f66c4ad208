/** Row 12: an officer takes a referred truck by name and decides; what nobody takes or answers is escalated; the two desks write to each other. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../harness/chaos-site.ts'
import type { EventData } from '../harness/event-log.ts'
import { type RunningPair, startPair } from '../harness/pair.ts'

let pair: RunningPair
beforeAll(async () => {
  pair = await startPair({ pace: 20, settings: { desk: { take_min: 5, decide_min: 6 }, peer: { hotline_min: 3 } } })
  await pair.met()
}, 120_000)
afterAll(() => pair?.stop())

const here = () => pair.get('huu-nghi')
const there = () => pair.get('youyiguan')
const told = (site: ReturnType<typeof here>, kind: string) =>
  site.centre.log
    .of(kind)
    .map((e) => e.data as EventData & { readonly text?: string; readonly way?: string; readonly message?: string; readonly about?: string })
const alarm = (name: string) => (d: EventData) => d.alarm === name
const referred = async (): Promise<{ lane: string; passage: string }> => {
  await here().phases('idle')
  const plate = await pair.send('huu-nghi', 'export-1', { declared: false })
  await pair.told('huu-nghi', 'passage.referred', plate)
  return { lane: 'export-1', passage: told(here(), 'passage.referred').at(-1)!.passage! }
}

describe('the desk', { timeout: 180_000 }, () => {
  test('takes a referred truck, decides with name and reason, and nobody else does meanwhile', async () => {
    const c = await referred()
    expect(await here().centre.command({ do: 'take', ...c, by: 'Lan', reason: 'looking at it' })).toMatchObject({ ok: true })
    expect(told(here(), 'passage.taken')).toMatchObject([{ passage: c.passage, by: 'Lan', why: 'looking at it' }])
    await until(
      'the lane tells who',
      () => (here().centre.log.states.get('export-1')?.passage as { taken_by?: string } | null)?.taken_by === 'Lan',
    )
    expect(await here().centre.command({ do: 'open', ...c, by: 'Minh' })).toMatchObject({
      ok: false,
      error: expect.stringMatching(/Lan has taken/),
    })
    expect(await here().centre.command({ do: 'take', ...c, by: 'Lan' })).toMatchObject({
      ok: false,
      error: expect.stringMatching(/already/),
    })
    expect(await here().centre.command({ do: 'take', ...c, by: 'Minh', reason: 'shift change' })).toMatchObject({ ok: true })
    expect(told(here(), 'passage.taken')[1]).toMatchObject({ by: 'Minh', why: 'taken over from Lan: shift change' })
    expect(await here().centre.command({ do: 'open', ...c, by: 'Minh', reason: 'papers are in order' })).toMatchObject({ ok: true })
    await until('it is cleared', () => told(here(), 'passage.cleared').length === 1)
    expect(told(here(), 'passage.cleared')[0]).toMatchObject({ passage: c.passage, by: 'Minh' })
    const story = [...here().centre.log.passages().get(c.passage)!].map((e) => e.type.split('.')[2])
    expect(story).toEqual(['arrived', 'identified', 'decided', 'referred', 'taken', 'taken', 'cleared'])
    expect(told(here(), 'alarm.raised').filter(alarm('desk-unattended'))).toEqual([])
    expect(here().centre.log.faults({ open: 1 })).toEqual([])
  })

  test('is called when nobody takes a truck, and again when nobody decides', async () => {
    const c = await referred()
    await until('it is escalated', () => told(here(), 'passage.escalated').length === 1)
    expect(told(here(), 'passage.escalated')[0]).toMatchObject({ passage: c.passage, why: 'no officer has taken it within 5 min' })
    await until('the alarm stands', () => told(here(), 'alarm.raised').some(alarm('desk-unattended')))
    expect(await here().centre.command({ do: 'take', ...c, by: 'Lan' })).toMatchObject({ ok: true })
    expect(told(here(), 'alarm.cleared').filter(alarm('desk-unattended'))).toMatchObject([{ why: 'taken by Lan' }])
    await until('it is escalated again', () => told(here(), 'passage.escalated').length === 2)
    expect(told(here(), 'passage.escalated')[1]).toMatchObject({ why: 'taken by Lan and not decided within 6 min' })
    // Lan has it no more: anybody may decide.
    expect(await here().centre.command({ do: 'refuse', ...c, by: 'Minh', reason: 'no papers' })).toMatchObject({ ok: true })
    here().world.lanes.get('export-1')!.sendBack(1)
    await until('it is refused', () => told(here(), 'passage.refused').length === 1)
    expect(told(here(), 'passage.refused')[0]).toMatchObject({ by: 'Minh' })
    await until('the alarm is cleared', () => told(here(), 'alarm.cleared').filter(alarm('desk-unattended')).length === 2)
    expect(await here().centre.command({ do: 'take', ...c })).toMatchObject({
      ok: false,
      error: expect.stringMatching(/no referred vehicle/),
    })
    expect(here().centre.log.faults()).toEqual([])
  })
})

describe('the hotline', { timeout: 180_000 }, () => {
  test('carries messages both ways; each is acknowledged by name, or escalated on both sides', async () => {
    const write = { do: 'message', text: 'durian for inspection, please keep lane 2 free', by: 'Lan', reason: 'hotline' }
    expect(await here().centre.command({ ...write, id: 'note-1' })).toMatchObject({ ok: true })
    await until('it is there', () => told(there(), 'peer.message').length === 1)
    expect(told(there(), 'peer.message')[0]).toMatchObject({ message: 'note-1', way: 'in', by: 'Lan', text: write.text })
    const yes = { do: 'acknowledge', about: 'note-1', by: '王伟', reason: 'lane 2 is free' }
    expect(await there().centre.command(yes)).toMatchObject({ ok: true })
    for (const site of [here(), there()]) {
      await until('both know who', () => told(site, 'peer.acknowledged').length === 1)
      expect(told(site, 'peer.acknowledged')[0]).toMatchObject({ message: 'note-1', by: '王伟', text: 'lane 2 is free' })
    }
    expect(await there().centre.command({ ...yes, id: 'again' })).toMatchObject({ ok: false, error: expect.stringMatching(/no message/) })

    expect(await there().centre.command({ ...write, by: '李娜', text: 'who is in charge today?', id: 'note-2' })).toMatchObject({
      ok: true,
    })
    for (const site of [here(), there()]) {
      await until('it is escalated', () => told(site, 'alarm.raised').some(alarm('hotline-unanswered')))
      expect(told(site, 'alarm.raised').find(alarm('hotline-unanswered'))).toMatchObject({ about: 'note-2' })
    }
    expect(await here().centre.command({ do: 'acknowledge', about: 'note-2', by: 'Minh', reason: 'I am' })).toMatchObject({ ok: true })
    for (const site of [here(), there()]) await until('it is over', () => told(site, 'alarm.cleared').some(alarm('hotline-unanswered')))
    // The truck of the first test waits at the desk over there: nobody declared it.
    for (const site of [here(), there()]) expect(site.centre.log.faults({ open: 1 })).toEqual([])
  })
})
