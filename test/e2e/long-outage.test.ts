/** Hours without the centre: a part of `npm run bench -- outage`. */
import { expect, it } from 'vitest'
import { outageDrill } from '../harness/outage-drill.ts'

it('four hours held come in order and marked as historical, and what happens meanwhile does not wait for them', async () => {
  const r = await outageDrill({ hours: 4, everyMs: 11_520, liveEveryMs: 200, latePerSecond: 400, cuts: 1 })
  expect(r.held).toBe(5_000)
  expect(r.live).toBeGreaterThan(20)
  expect(r).toMatchObject({ lost: 0, changed: 0, disorder: 0, unmarked: 0 })
  expect(r.timesRealTime).toBeGreaterThan(50)
  // Far fewer than were held: live events went before them, whatever this machine is doing.
  expect(Math.max(...r.lateness)).toBeLessThan((r.catchUpS * 1000) / 2)
})
