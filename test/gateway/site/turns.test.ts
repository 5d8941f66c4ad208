/** Two lanes that lead into one place, and one of them in trouble: its vehicle may still drive in, but it does not hold up the other for ever. */
import { describe, expect, it } from 'vitest'
import { calling } from '../../../config/schema/calling.ts'
import { zoneOf } from '../../../gateway/journal/zone.ts'
import { silentLog } from '../../../gateway/kernel/log.ts'
import { VirtualClock } from '../../../gateway/kernel/virtual-clock.ts'
import type { LaneRunner } from '../../../gateway/site/lane-runner.ts'
import { newPassage } from '../../../gateway/site/passage.ts'
import { Turns } from '../../../gateway/site/turns.ts'
import { NOW, rig, truck } from './lane-rig.ts'

/** As often as a site looks at all its lanes anyway. */
const EVERY_MS = 5_000

/** @param lanes `a` and `b` are there always */
async function two(stuck_s = 60, lanes = ['a', 'b']) {
  const clock = new VirtualClock({ epoch: NOW })
  const runners = new Map<string, LaneRunner>()
  const told: { readonly type: string; readonly lane?: string; readonly why: unknown; readonly at: number }[] = []
  const { yard } = calling.parse({ yard: { lanes, at_once: 1, stuck_s } })
  /** How often the disk still fails to take that somebody is called, and how often it was asked. */
  const disk = { fails: 0, asked: 0 }
  const turns = new Turns({
    groups: { yard: yard! },
    runner: (lane) => runners.get(lane),
    record: async (entries) => {
      if (entries.some((e) => e.type.includes('called'))) {
        disk.asked++
        if (disk.fails-- > 0) throw new Error('disk')
      }
      for (const e of entries) told.push({ type: e.type, lane: e.lane!, why: e.data.why, at: clock.mono() })
    },
    clock,
    clockQuality: () => ({ synced: null, offset_ms: null }),
    zone: zoneOf('Asia/Ho_Chi_Minh'),
    log: silentLog,
  })
  const lane = async (id: string) => {
    const one = await rig('24C12345', { id, turns, onChange: () => turns.changed(id) }, clock)
    runners.set(id, one.runner)
    return one
  }
  const [a, b] = [await lane('a'), await lane('b')]
  const more = await Promise.all(lanes.slice(2).map(lane))
  const look = () => {
    for (const id of runners.keys()) turns.changed(id)
    clock.after(EVERY_MS, look)
  }
  look()
  const called = () => told.find((e) => e.type === 'luong.passage.called.v1')
  return { a, b, more, turns, told, called, clock, disk }
}

/** When a vehicle has driven in under the arm of `a`. */
const UNDER = 10_000

describe('a vehicle under the arm of one lane', () => {
  it('is waited for as long as the lane works and sees it', async () => {
    const { a, b, called, turns } = await two(0)
    a.sensors()
    b.sensors()
    truck(a, 1_000, false)
    // It stops under the arm for a minute.
    truck(b, UNDER, false)
    a.at(UNDER + 500, () => a.runner.sensor('presence', true, 0))
    a.at(70_000, () => a.runner.sensor('presence', false, 0))
    await a.until(60_000)
    expect(turns.why('b')).toMatch(/^waits for its turn: a lets a vehicle in$/)
    expect(called()).toBeUndefined()
    await a.until(30_000)
    expect(b.log).toContain('open')
  })

  it.each([
    ['when the lane does not know its sensors any more', 'a does not know its sensors', (r: Two) => r.a.runner.sensor('presence', null, 0)],
    ['when its arm is in fault', 'a is in fault', (r: Two) => r.a.runner.barrier('moving', 0)],
  ])('%s: is waited for `stuck_s` and no longer; both say so', async (_, words, trouble) => {
    const r = await two()
    const { a, b, called, turns, told } = r
    a.sensors()
    b.sensors()
    truck(a, 1_000, false)
    a.at(UNDER, () => a.runner.sensor('presence', true, 0))
    a.at(UNDER + 2_000, () => trouble(r))
    truck(b, UNDER + 5_000, false)
    await a.until(UNDER + 40_000)
    expect(told.filter((e) => e.type.includes('queued'))).toMatchObject([{ lane: 'b', why: `${words} and may still let a vehicle in` }])
    expect(turns.why('b')).toBe(`waits for its turn: ${words} and may still let a vehicle in`)
    expect(b.log).not.toContain('open')
    await a.until(60_000)
    expect(called()).toMatchObject({ lane: 'b', why: `its turn; ${words} and may still let a vehicle in: not waited for any longer` })
    const waited = called()!.at - (UNDER + 2_000)
    expect(waited).toBeGreaterThanOrEqual(60_000)
    expect(waited).toBeLessThanOrEqual(60_000 + EVERY_MS)
    expect(b.log).toContain('open')
  })

  it('that stands there for longer than an alarm takes: the others go on', async () => {
    const { a, b, called, turns } = await two()
    a.sensors()
    b.sensors()
    truck(a, 1_000, false)
    a.at(UNDER, () => a.runner.sensor('presence', true, 0))
    truck(b, 200_000, false)
    // Counted from its arrival: five minutes until the alarm, and one more.
    await a.until(355_000)
    expect(a.runner.alarms).toContain('abandoned-vehicle')
    expect([called(), turns.why('b')]).toEqual([undefined, expect.stringMatching(/a has a vehicle that stands under its arm for long/)])
    await a.until(20_000)
    expect(called()).toMatchObject({ lane: 'b' })
  })
})

it('an arm that stands up in a fault may let somebody in unseen: the others wait, not for ever, and not at all any more once it is down', async () => {
  for (const down of [false, true]) {
    const { a, b, called, told } = await two()
    a.sensors()
    b.sensors()
    a.at(500, () => a.move('open'))
    truck(b, 1_000, false)
    if (down) a.at(20_000, () => a.move('closed'))
    await a.until(15_000)
    expect(a.runner.state.phase).toBe('fault')
    expect(told).toMatchObject([{ lane: 'b', why: 'a is in fault and may still let a vehicle in' }])
    expect(b.log).not.toContain('open')
    await a.until(down ? 10_000 : 55_000)
    expect(called()?.why).toBe(down ? 'its turn' : 'its turn; a is in fault and may still let a vehicle in: not waited for any longer')
    expect(b.log).toContain('open')
  }
})

it('who was let in before a restart may still be driving in while its lane finds out; a lane that never does is not waited for', async () => {
  const { a, b, called } = await two()
  b.sensors()
  const unfinished = newPassage(0, 'a', 'import', { at: NOW, mono: 0 })
  // Its board does not answer.
  a.runner.start({ unfinished, opened: true, closed: false, direction: 'import' })
  truck(b, 1_000, false)
  await a.until(50_000)
  expect([b.runner.state.phase, called()]).toEqual(['waiting', undefined])
  await a.until(20_000)
  expect(called()?.why).toMatch(/a has just started .*: not waited for any longer/)
})

/** Three lanes: a vehicle stands under the arm of a until 40 s, those of b and then c wait. */
async function queue() {
  const { a, b, more, ...rest } = await two(60, ['a', 'b', 'c'])
  const c = more[0]!
  for (const one of [a, b, c]) one.sensors()
  truck(a, 1_000, false)
  truck(b, UNDER, false)
  truck(c, UNDER + 2_000, false)
  a.at(UNDER + 500, () => a.runner.sensor('presence', true, 0))
  a.at(40_000, () => a.runner.sensor('presence', false, 0))
  return { a, b, c, ...rest }
}

it.each([1, 3])('a call that the disk does not take %i times: who waits stays in its place, and is called when it does', async (fails) => {
  const { a, b, c, told, disk, turns } = await queue()
  disk.fails = fails
  await a.until(70_000)
  expect(told.filter((e) => e.type.includes('called'))).toMatchObject([{ lane: 'b', why: 'its turn' }])
  expect([disk.asked, turns.why('b'), turns.why('c')]).toEqual([fails + 1, null, 'waits for its turn: b lets a vehicle in'])
  expect(b.log).toContain('open')
  expect(c.log).not.toContain('open')
})

it('who left while it was being called, which the disk did not take, is forgotten: the next one is called', async () => {
  const { a, b, c, told, disk } = await queue()
  disk.fails = 1_000
  await a.until(65_000)
  expect(told.filter((e) => e.type.includes('called'))).toEqual([])
  // No oftener than something changes.
  expect([disk.asked > 1, disk.asked < 20]).toEqual([true, true])
  b.runner.sensor('approach', false, 0)
  await a.until(10_000)
  disk.fails = 0
  await a.until(30_000)
  expect(told.filter((e) => e.type.includes('called'))).toMatchObject([{ lane: 'c' }])
  expect(c.log).toContain('open')
})

type Two = Awaited<ReturnType<typeof two>>
