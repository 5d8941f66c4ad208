/** Declarations and lists that change while a vehicle stands in the lane: what was withdrawn before the decision was durable opens nothing. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { declaration } from '../../../gateway/identity/declaration.ts'
import type { LaneRunnerOptions } from '../../../gateway/site/lane-options.ts'
import { eventDataSchema } from '../../../gateway/uplink/schema/event.ts'
import { type Rig, rig, truck } from './lane-rig.ts'

/** Two pictures agree now: the vehicle is decided. */
const DECIDED = 1_600
const opened = (r: Rig) => r.log.includes('open')
const told = (r: Rig, kind: string) => r.events.filter((e) => e.type === `luong.passage.${kind}.v1`)

/** A truck stands at the line, and at `t` something changes. The disk takes `ms` for each write. */
async function changed(t: number, change: (r: Rig) => void, ms = 5, more: Partial<LaneRunnerOptions> = {}): Promise<Rig> {
  const r = await rig('24C12345', more)
  r.disk.ms = ms
  r.sensors()
  truck(r, 1_000, false)
  r.at(t, () => {
    r.log.push('changed')
    change(r)
  })
  await r.until(12_000)
  for (const e of r.events) expect(eventDataSchema(e.type)!.safeParse(e.data).error).toBeUndefined()
  return r
}

const withdraw = (r: Rig) => r.declarations.delete('D1')
const detain = (r: Rig) => r.lists.put('detained', { key: '24C-123.45' })

describe('a declaration is withdrawn', () => {
  it('while the vehicle is identified: it is decided without it', async () => {
    const r = await changed(DECIDED - 200, withdraw)
    expect(opened(r)).toBe(false)
    expect(told(r, 'decided')[0]!.data).toMatchObject({ declaration: null, decision: { outcome: 'refer', rule: 'not-declared' } })
  })

  it('while the decision is written: what was decided does not hold, an officer is called, with reasons', async () => {
    const r = await changed(DECIDED + 300, withdraw, 800)
    expect(opened(r)).toBe(false)
    expect(told(r, 'decided').map((e) => e.data.decision)).toMatchObject([{ outcome: 'pass', rule: 'declared' }])
    const [referred] = told(r, 'referred')
    expect(referred!.data).toMatchObject({ declaration: null, decision: { outcome: 'refer', rule: 'not-declared' } })
    const { reasons } = referred!.data.decision as { reasons: Record<'vi' | 'zh' | 'en', string>[] }
    for (const text of [reasons[0]!.vi, reasons[0]!.zh, reasons[0]!.en]) expect(text).toContain('24C12345')
    expect(r.runner.state).toMatchObject({ phase: 'waiting', vehicle: { verdict: 'refer' } })
  })

  it('when the arm has been told to open: too late for this vehicle; an officer can still hold it', async () => {
    const r = await changed(DECIDED + 200, withdraw)
    expect(r.log.indexOf('open')).toBeLessThan(r.log.indexOf('changed'))
    expect(r.runner.state).toMatchObject({ phase: 'passing', vehicle: { authorised: true } })
    expect(await r.runner.command({ id: 'c1', do: 'hold', by: 'Lan', reason: 'withdrawn', expired: false })).toEqual({ ok: true })
    await r.until(6_000)
    expect(r.log).toContain('close')
    expect(r.runner.state).toMatchObject({ phase: 'waiting', arm: 'closed' })
    // And nobody is let in on it any more.
    r.runner.sensor('approach', false, 0)
    await r.until(4_000)
    truck(r, 500, false)
    await r.until(6_000)
    expect(r.log.filter((l) => l === 'open').length).toBe(1)
    expect(told(r, 'decided').at(-1)!.data).toMatchObject({ decision: { outcome: 'refer' } })
  })

  it('whenever it is: the arm opens if and only if the decision was durable before', async () => {
    const run = fc.asyncProperty(fc.integer({ min: 1_000, max: 5_000 }), fc.integer({ min: 0, max: 2_500 }), async (t, ms) => {
      const r = await changed(t, withdraw, ms)
      const [durable, change] = [r.log.indexOf('durable passage.decided'), r.log.indexOf('changed')]
      expect(opened(r)).toBe(durable < change)
      expect(told(r, 'decided').length).toBe(1)
      expect(told(r, 'referred').length).toBe(opened(r) ? 0 : 1)
    })
    await fc.assert(run, { numRuns: 25 })
  })

  it('while it waits for its turn: it is referred when it would be called', async () => {
    let call = () => {}
    const turns: LaneRunnerOptions['turns'] = {
      ask: (_p, go) => {
        call = go
        return 'wait'
      },
    }
    const r = await changed(DECIDED + 500, withdraw, 5, { turns })
    expect(r.runner.state).toMatchObject({ phase: 'waiting', vehicle: { verdict: 'wait' } })
    call()
    await r.until(100)
    expect(r.runner.state).toMatchObject({ phase: 'waiting', vehicle: { verdict: 'refer' } })
    expect(told(r, 'referred')[0]!.data).toMatchObject({ decision: { rule: 'not-declared' } })
    // Called once more, or late, it opens nothing.
    call()
    await r.until(5_000)
    expect(opened(r)).toBe(false)
  })
})

describe('a declaration is sent again', () => {
  const put = (more: object) => (r: Rig) => {
    const d = r.declarations.get('D1')!.declaration
    r.declarations.put(declaration.parse({ ...d, ...more }))
  }
  it('saying the same, or what makes no difference: it holds', async () => {
    for (const more of [{}, { goods: 'steel' }]) expect(opened(await changed(DECIDED + 300, put(more), 800))).toBe(true)
  })
  it.each([
    ['for the other direction', { direction: 'export' }],
    ['for another day', { valid_to: '2026-11-20T01:00:00Z' }],
    ['for another plate', { plate: '24C99999' }],
  ])('%s: referred', async (_name, more) => {
    const r = await changed(DECIDED + 300, put(more), 800)
    expect(opened(r)).toBe(false)
    expect(told(r, 'referred').length).toBe(1)
  })
  it('under another id: not what was decided on, so an officer looks', async () => {
    const r = await changed(
      DECIDED + 300,
      (x) => {
        const d = x.declarations.get('D1')!.declaration
        x.declarations.delete('D1')
        x.declarations.put({ ...d, id: 'D2' })
      },
      800,
    )
    expect(opened(r)).toBe(false)
    expect(told(r, 'referred')[0]!.data).toMatchObject({ declaration: 'D2', decision: { rule: 'declarations-changed' } })
  })
})

describe('the list of detained vehicles', () => {
  const open = (r: Rig, id: string) => r.runner.command({ id, do: 'open', by: 'Lan', reason: 'x', expired: false })

  it('takes the vehicle up while the decision is written: alarm, nothing opens, not by an officer either', async () => {
    const r = await changed(DECIDED + 300, detain, 800)
    expect(opened(r)).toBe(false)
    expect(r.runner.alarms).toContain('detained-vehicle')
    expect(told(r, 'referred')[0]!.data).toMatchObject({ decision: { rule: 'detained' } })
    expect(await open(r, 'c1')).toMatchObject({ ok: false, error: expect.stringContaining('detained') })
  })

  it('takes it up while it waits at the desk: the officer cannot open any more', async () => {
    const r = await changed(4_000, detain, 5, {})
    expect(opened(r)).toBe(true)
    const waits = await rig('24C77777')
    waits.sensors()
    truck(waits, 1_000, false)
    await waits.until(6_000)
    expect(waits.runner.state).toMatchObject({ phase: 'waiting' })
    waits.lists.put('detained', { key: '24C77777' })
    expect(await open(waits, 'c1')).toMatchObject({ ok: false, error: expect.stringContaining('detained') })
    waits.lists.delete('detained', '24C77777')
    expect(await open(waits, 'c2')).toEqual({ ok: true })
  })

  it('lets it go before the decision: it passes; after it: an officer may open', async () => {
    const listed = async (t: number) => {
      const r = await rig()
      detain(r)
      r.sensors()
      truck(r, 1_000, false)
      r.at(t, () => r.lists.delete('detained', '24C12345'))
      await r.until(7_000)
      return r
    }
    expect(opened(await listed(DECIDED - 300))).toBe(true)
    const r = await listed(DECIDED + 1_000)
    expect(opened(r)).toBe(false)
    expect(await open(r, 'c1')).toEqual({ ok: true })
  })
})
