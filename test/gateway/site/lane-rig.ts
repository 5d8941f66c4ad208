/** One lane with its real core, recorder, identifier and rules, on a disk and a road that the test moves. */
import { afterEach } from 'vitest'
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
import type { LaneRunnerOptions } from '../../../gateway/site/lane-options.ts'
import { LaneRunner } from '../../../gateway/site/lane-runner.ts'
import { Recorder } from '../../../gateway/site/recorder.ts'
import type { PlateRead } from '../../../models/plate.ts'

export const NOW = Date.parse('2026-11-21T08:00:00+07:00')
const RULES = new URL('../../../config/rules/basic.yaml', import.meta.url).pathname
const TIMINGS = {
  identify: 8_000,
  authorised: 60_000,
  'arm-open': 8_000,
  'arm-close': 8_000,
  dwell: 1_000,
  gap: 2_500,
  abandoned: 300_000,
  turn: 240_000,
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

/**
 * One lane: real core, recorder, identifier and rules; a barrier that moves, and a disk whose speed the test sets.
 * @param shared the clock of several lanes
 */
export async function rig(seen = '24C12345', more: Partial<LaneRunnerOptions> = {}, shared?: VirtualClock) {
  const clock = shared ?? new VirtualClock({ epoch: NOW })
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
    ...more,
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
    move,
    types: () => events.map((e) => e.type.split('.').slice(1, 3).join('.')),
  }
}

export type Rig = Awaited<ReturnType<typeof rig>>

/** A truck comes at `t`, is filmed, and drives through once the arm is open. */
export function truck(r: Rig, t = 1_000, through = true) {
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
