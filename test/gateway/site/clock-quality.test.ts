import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { EventEntry } from '../../../gateway/journal/journal.ts'
import { zoneOf } from '../../../gateway/journal/zone.ts'
import type { Clock } from '../../../gateway/kernel/clock.ts'
import { watchClock } from '../../../gateway/site/clock-quality.ts'
import { eventDataSchema } from '../../../gateway/uplink/schema/event.ts'

const NOON = Date.parse('2026-11-22T05:00:00Z')

/** A clock that somebody sets and slews, and the events that tell of it. */
function watched(start: number, first: boolean | null) {
  let [mono, wall, synced] = [0, start, first]
  const clock: Pick<Clock, 'now' | 'mono'> = { now: () => Math.round(wall), mono: () => mono }
  const events: EventEntry[] = []
  const onSet = (event: EventEntry) => events.push(event)
  const quality = watchClock({ clock: clock as Clock, zone: zoneOf('Asia/Ho_Chi_Minh'), onSet, synced: () => synced })
  return {
    quality,
    events,
    pass: (ms: number, slew = 0) => {
      mono += ms
      wall += ms + slew
    },
    step: (ms: number) => {
      wall += ms
    },
    sync: (to: boolean | null) => {
      synced = to
    },
  }
}

it('a wrong clock at boot: what was stamped by it is stamped again by one event, once the time is known', () => {
  const w = watched(0, false)
  expect(w.quality()).toEqual({ synced: false, offset_ms: null, since: '1970-01-01T08:00:00.000+08:00' })
  w.pass(60_000)
  w.step(NOON - 60_000)
  w.sync(true)
  expect(w.quality()).toEqual({ synced: true, offset_ms: null, since: '2026-11-22T12:00:00.000+07:00' })
  w.quality()
  expect(w.events).toHaveLength(1)
  const { type, at, data } = w.events[0]!
  expect({ type, at, ...data }).toMatchObject({
    ...{ type: 'luong.clock.set.v1', at: NOON, by_ms: NOON - 60_000, restamp: true, was: false },
    before: '1970-01-01T08:01:00.000+08:00',
    clock: { synced: true, since: '2026-11-22T12:00:00.000+07:00' },
  })
  expect(eventDataSchema(type)?.safeParse(data).success).toBe(true)
})

it.each([
  ['forward', 3_600_000],
  ['back', -3_600_000],
  ['back by a leap second that was not smeared', -1_000],
])('a right clock that steps %s is told, and nothing is stamped again', (_, by) => {
  const w = watched(NOON, true)
  w.pass(10_000)
  w.step(by)
  w.quality()
  expect(w.events.map((e) => e.data)).toEqual([expect.objectContaining({ by_ms: by, restamp: false, was: true })])
})

it('a service that is not known: only a time before this program was written is surely wrong', () => {
  const w = watched(0, null)
  w.step(NOON)
  w.quality()
  w.step(-5_000)
  w.quality()
  expect(w.events.map((e) => [e.data.by_ms, e.data.restamp])).toEqual([
    [NOON, true],
    [-5_000, false],
  ])
})

it('becomes known without a step: told after half a minute at most, and times stand', () => {
  const w = watched(NOON, false)
  w.sync(true)
  w.pass(29_000)
  w.quality()
  expect(w.events).toEqual([])
  w.pass(1_000)
  expect(w.quality().synced).toBe(true)
  expect(w.events.map((e) => e.data)).toEqual([expect.objectContaining({ by_ms: 0, restamp: false, was: false })])
})

it('slewing is no step, however long it lasts; steps add up to what the wall clock was moved', () => {
  const move = fc.record({
    ms: fc.integer({ min: 1, max: 60_000 }),
    by: fc.oneof(fc.constant(0), fc.integer({ min: 5_000, max: 1e9 }), fc.integer({ min: -1e9, max: -5_000 })),
  })
  fc.assert(
    fc.property(fc.array(move, { maxLength: 40 }), (moves) => {
      const w = watched(NOON, true)
      let steps = 0
      for (const { ms, by } of moves) {
        // A clock is slewed by half a thousandth at most.
        w.pass(ms, ms / 2_000)
        w.step(by)
        w.quality()
        if (Math.abs(by) > 1_000) steps++
      }
      const told = w.events.filter((e) => Math.abs(e.data.by_ms as number) > 1_000)
      expect(told).toHaveLength(steps)
      // Never out of order by the old clock: each event is recorded before anything stamped anew.
      expect(w.events.every((e) => e.data.by_ms !== 0)).toBe(true)
    }),
  )
})
