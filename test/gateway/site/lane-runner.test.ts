import { afterEach, describe, expect, it } from 'vitest'
import type { BarrierPosition, CommandOptions } from '../../../firmware-bridge/driver.ts'
import { declaration } from '../../../gateway/identity/declaration.ts'
import { DeclarationIndex } from '../../../gateway/identity/declarations.ts'
import { ListIndex } from '../../../gateway/identity/lists.ts'
import type { Entry, EventEntry } from '../../../gateway/journal/journal.ts'
import { zoneOf } from '../../../gateway/journal/zone.ts'
import { Listeners } from '../../../gateway/kernel/listeners.ts'
import { silentLog } from '../../../gateway/kernel/log.ts'
import { VirtualClock } from '../../../gateway/kernel/virtual-clock.ts'
import { loadRules } from '../../../gateway/rules/load.ts'
import { Identifier } from '../../../gateway/site/identifier.ts'
import { LaneRunner } from '../../../gateway/site/lane-runner.ts'
import { newPassage } from '../../../gateway/site/passage.ts'
import { Recorder } from '../../../gateway/site/recorder.ts'
import { eventDataSchema } from '../../../gateway/uplink/schema/event.ts'
import type { PlateRead } from '../../../models/plate.ts'

const NOW = Date.parse('2026-11-21T08:00:00+07:00')
const RULES = new URL('../../../config/rules/basic.yaml', import.meta.url).pathname
const TIMINGS = {
  identify: 8_000,
  authorised: 60_000,
  'arm-open': 8_000,
  'arm-close': 8_000,
  dwell: 1_000,
  gap: 2_500,
  abandoned: 300_000,
  retry: 1_000,
}

function plate(text: string): PlateRead {
  const chars = [...text].map((char) => ({ char, p: 0.98, others: [] }))
  const quad = [
    [0, 0],
    [1, 0],
    [1, 1],
    [0, 1],
  ] as const
  return { text, country: 'vn', lines: 1, colour: 'yellow', confidence: 0.85, weakest: 0.98, accepted: true, quad, chars }
}

const clocks: VirtualClock[] = []
afterEach(() => {
  for (const c of clocks.splice(0)) c.stop()
})

/** One lane: real core, recorder, identifier and rules; a barrier that moves, and a disk whose speed the test sets. */
async function rig(seen = '24C12345') {
  const clock = new VirtualClock({ epoch: NOW })
  clocks.push(clock)
  const log: string[] = []
  const events: EventEntry[] = []
  const disk = { ms: 5, refusing: false }
  let sequence = 0
  const journal = {
    append: (entries: readonly Entry[]) =>
      new Promise<{ sequences: number[] }>((resolve, reject) => {
        clock.after(disk.ms, () => {
          if (disk.refusing) return reject(new Error('disk full'))
          const fresh = entries.filter((e): e is EventEntry => e.kind === 'event')
          for (const e of fresh) log.push(`durable ${e.type.split('.').slice(1, 3).join('.')}`)
          events.push(...fresh)
          resolve({ sequences: fresh.map(() => ++sequence) })
        })
      }),
  }
  // The disk takes this clock's time here, so the clock must not wait for it.
  const untracked = {
    now: () => clock.now(),
    mono: () => clock.mono(),
    after: (ms: number, fn: () => void) => clock.after(ms, fn),
    track: <T>(w: Promise<T>) => w,
  }
  const recorder = new Recorder({ journal, clock: untracked, log: silentLog })
  let position: BarrierPosition = 'closed'
  const positions = new Listeners<[BarrierPosition, number]>()
  const move = (to: BarrierPosition) => {
    position = to
    positions.emit(to, clock.mono())
  }
  const command = (what: 'open' | 'close') => async (o: CommandOptions) => {
    if (o.guard?.() === false) throw new Error('guarded')
    log.push(what)
    clock.after(200, () => move('moving'))
    clock.after(3_000, () => move(what === 'open' ? 'open' : 'closed'))
  }
  const declarations = new DeclarationIndex()
  declarations.put(
    declaration.parse({
      id: 'D1',
      plate: '24C12345',
      direction: 'import',
      valid_from: '2026-11-20T00:00:00Z',
      valid_to: '2026-11-23T00:00:00Z',
    }),
  )
  const lists = new ListIndex()
  const frames = new Listeners<[{ camera: string; image: Uint8Array; at: number }]>()
  const rules = await loadRules([RULES])
  const policy = {
    timings: TIMINGS,
    ttlMs: 1_500,
    facts: { id: 'a', takes: ['loaded'], priority: false, scale: false, tag: false, code: false },
    rules,
  }
  const identifier = new Identifier({
    lane: 'a',
    cameras: [{ id: 'cam', position: 'front', camera: { onFrame: (fn) => frames.add(fn) } }],
    scale: null,
    readers: [],
    pool: {
      submit: async () => ({ plates: seen === '' ? [] : [plate(seen)], width: 1, height: 1, ms: { decode: 0, detect: 0, read: 0 } }),
    },
    clock: untracked,
    log: silentLog,
    vote: { minFrames: 2, minWeakest: 0.6 },
    settleMs: 1_500,
  })
  identifier.start()
  const runner = new LaneRunner({
    id: 'a',
    settings: { approach: true, curtain: false, exit: true, limits: true, idleAspect: 'red' },
    policy,
    barrier: { open: command('open'), close: command('close'), position: () => position, onPosition: (fn) => positions.add(fn) },
    signal: { show: async (aspect) => void log.push(aspect) },
    identifier,
    recorder,
    declarations,
    lists,
    keep: async (passage, name) => ({ path: `evidence/${passage}/${name}.jpg`, sha256: 'a'.repeat(64) }),
    inhibited: () => recorder.refused,
    clock: untracked,
    clockQuality: () => ({ synced: null, offset_ms: null }),
    zone: zoneOf('Asia/Ho_Chi_Minh'),
    log: silentLog,
    onChange: () => {},
  })
  positions.add((p, at) => runner.barrier(p, at))
  const at = (ms: number, fn: () => void) => clock.after(ms, fn)
  const sensors = (
    before: Parameters<LaneRunner['start']>[0] = { unfinished: null, opened: false, closed: false, direction: 'import' },
  ) => {
    runner.start(before)
    for (const role of ['approach', 'presence', 'exit'] as const) runner.sensor(role, false, 0)
    runner.barrier(position, 0)
    clock.start()
  }
  const until = (ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve))
  return {
    clock,
    log,
    events,
    disk,
    runner,
    declarations,
    lists,
    policy,
    at,
    sensors,
    until,
    frame: () => frames.emit({ camera: 'cam', image: new Uint8Array(1), at: clock.mono() }),
    types: () => events.map((e) => e.type.split('.').slice(1, 3).join('.')),
  }
}

type Rig = Awaited<ReturnType<typeof rig>>

/** A truck comes at `t`, is filmed, and drives through once the arm is open. */
function truck(r: Rig, t = 1_000, through = true) {
  r.at(t, () => r.runner.sensor('approach', true, t))
  for (let i = 1; i <= 6; i++) r.at(t + i * 300, r.frame)
  if (!through) return
  const drive = (ms: number, fn: () => void) => r.at(t + 8_000 + ms, fn)
  drive(0, () => r.runner.sensor('presence', true, 0))
  drive(1_500, () => r.runner.sensor('approach', false, 0))
  drive(2_000, () => r.runner.sensor('exit', true, 0))
  drive(3_000, () => r.runner.sensor('presence', false, 0))
  drive(4_000, () => r.runner.sensor('exit', false, 0))
}

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
