import { describe, expect, it } from 'vitest'
import { newPassage } from '../../../gateway/site/passage.ts'
import { eventDataSchema } from '../../../gateway/uplink/schema/event.ts'
import { NOW, rig, truck } from './lane-rig.ts'

describe('lane runner', () => {
  it('lets a declared truck through: durable before open, closed after it, every event valid', async () => {
    const r = await rig()
    r.sensors()
    truck(r)
    await r.until(25_000)
    expect(r.types()).toEqual(['passage.arrived', 'passage.identified', 'passage.decided', 'passage.cleared'])
    const order = r.log.filter((l) => l === 'open' || l === 'close' || l === 'durable passage.decided')
    expect(order).toEqual(['durable passage.decided', 'open', 'close'])
    for (const e of r.events) eventDataSchema(e.type)!.parse(e.data)
    expect(r.events.at(-1)).toMatchObject({
      subject: '24C12345',
      data: { outcome: 'cleared', declaration: 'D1', decision: { rule: 'declared' } },
    })
    expect(r.runner.state.phase).toBe('idle')
  })

  it('a slow disk delays the opening, and a decision that is late for its vehicle opens nothing', async () => {
    const r = await rig()
    r.sensors()
    r.disk.ms = 9_000
    truck(r, 1_000, false)
    await r.until(30_000)
    expect(r.log).not.toContain('open')
    expect(r.types()).toContain('passage.referred')
  })

  it('a disk that refuses: no new vehicle, nothing lost, and all recorded when it is back', async () => {
    const r = await rig()
    r.sensors()
    r.at(500, () => {
      r.disk.refusing = true
    })
    truck(r, 1_000, false)
    await r.until(20_000)
    expect(r.log).not.toContain('open')
    r.disk.refusing = false
    await r.until(5_000)
    expect(r.types()).toEqual(expect.arrayContaining(['passage.arrived', 'passage.decided', 'passage.referred']))
    expect(r.events.find((e) => e.type.includes('decided'))!.data.decision).toMatchObject({ rule: 'journal-unavailable', outcome: 'refer' })
  })

  it('a detained vehicle: alarm, and even an officer cannot open while it is listed', async () => {
    const r = await rig()
    r.lists.put('detained', { key: '24C-123.45' })
    r.sensors()
    truck(r, 1_000, false)
    await r.until(6_000)
    expect(r.types()).toEqual(expect.arrayContaining(['alarm.raised', 'passage.referred']))
    expect(r.runner.alarms).toContain('detained-vehicle')
    const c = { id: 'c1', do: 'open', by: 'Lan', reason: 'x', expired: false } as const
    expect(await r.runner.command(c)).toEqual({ ok: false, error: expect.stringContaining('detained') })
    expect(r.log).not.toContain('open')
    r.at(500, () => r.runner.sensor('approach', false, 0))
    await r.until(6_000)
    expect(r.runner.alarms).toEqual([])
    expect(r.types()).toEqual(expect.arrayContaining(['command.rejected', 'alarm.cleared', 'passage.aborted']))
    for (const e of r.events) eventDataSchema(e.type)!.parse(e.data)
  })

  it('an officer opens for a referred truck, by name; a command for another vehicle is refused', async () => {
    const r = await rig('')
    r.sensors()
    truck(r, 1_000, false)
    await r.until(9_000)
    const id = r.runner.passage!.id
    expect(
      await r.runner.command({
        id: 'c1',
        do: 'open',
        by: 'Lan',
        reason: 'papers seen',
        expired: false,
        passage: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
      }),
    ).toMatchObject({ ok: false, error: expect.stringContaining(id) })
    expect(await r.runner.command({ id: 'c2', do: 'open', by: 'Lan', reason: 'papers seen', expired: false, passage: id })).toEqual({
      ok: true,
    })
    await r.until(4_000)
    for (const [role, on] of [
      ['presence', true],
      ['approach', false],
      ['exit', true],
      ['presence', false],
      ['exit', false],
    ] as const) {
      r.runner.sensor(role, on, r.clock.mono())
      await r.until(500)
    }
    await r.until(6_000)
    expect(r.events.find((e) => e.type.includes('cleared'))!.data).toMatchObject({ by: 'Lan', passage: id })
  })

  it('new settings wait until the lane is empty', async () => {
    const r = await rig()
    r.sensors()
    truck(r)
    await r.until(2_000)
    const next = { ...r.policy, ttlMs: 999 }
    r.runner.exchange(next)
    expect(r.runner.policy.ttlMs).toBe(1_500)
    await r.until(25_000)
    expect(r.runner.policy.ttlMs).toBe(999)
  })

  it('a passage left unfinished by a crash is ended, once, and nothing moves', async () => {
    const r = await rig()
    const old = newPassage(0, 'a', 'import', { at: NOW - 60_000, mono: -60_000 })
    old.historical = true
    r.sensors({ unfinished: old, opened: false, closed: false, direction: 'import' })
    await r.until(20_000)
    const ends = r.events.filter((e) => e.passage === old.id)
    expect(ends.map((e) => e.type)).toEqual(['luong.passage.aborted.v1'])
    expect(ends[0]!.data).toMatchObject({ historical: true, outcome: 'aborted' })
    expect(r.log.filter((l) => l === 'open' || l === 'close')).toEqual([])
  })

  it('answers commands also after it was stopped', async () => {
    const r = await rig()
    r.sensors()
    r.runner.stop()
    expect(await r.runner.command({ id: 'c', do: 'open', by: 'x', reason: 'y', expired: false })).toMatchObject({ ok: false })
  })
})
