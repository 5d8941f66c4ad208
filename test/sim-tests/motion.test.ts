import fc from 'fast-check'
import { expect, test } from 'vitest'
import { distanceAt, plan, speedAt, timeOf } from '../sim/motion.ts'

const real = (min: number, max: number) => fc.double({ min, max, noNaN: true })
const profile = fc.record({ speed: real(0.5, 10), accelerate: real(0.2, 4), brake: real(0.2, 6) })

test('it comes to rest exactly at its goal, never goes back, and never faster than the profile or its start', () => {
  fc.assert(
    fc.property(profile, real(0.01, 200), real(0, 8), real(0, 1e6), (p, distance, v, start) => {
      const m = plan(start, distance, v, p)
      expect(distanceAt(m, m.end)).toBe(distance)
      expect(speedAt(m, m.end)).toBe(0)
      let last = 0
      for (let i = 0; i <= 40; i++) {
        const t = start + ((m.end - start) * i) / 40
        const d = distanceAt(m, t)
        expect(d).toBeGreaterThanOrEqual(last - 1e-6)
        expect(d).toBeLessThanOrEqual(distance + 1e-6)
        expect(speedAt(m, t)).toBeLessThanOrEqual(Math.max(p.speed, v) + 1e-6)
        last = d
      }
    }),
  )
})

test('the time at which a place is reached is the time at which it is there', () => {
  fc.assert(
    fc.property(
      profile,
      fc.oneof(real(0.01, 200), fc.constant(Number.POSITIVE_INFINITY)),
      real(0, 8),
      real(0, 1),
      (p, distance, v, part) => {
        const m = plan(1_000, distance, v, p)
        const place = part * Math.min(distance, 150)
        const t = timeOf(m, place)
        expect(t).toBeGreaterThanOrEqual(1_000)
        expect(distanceAt(m, t)).toBeCloseTo(place, 4)
        expect(timeOf(m, distance + 1)).toBe(Number.POSITIVE_INFINITY)
      },
    ),
  )
})

test('a motion of no length is over at once; an endless one never', () => {
  const p = { speed: 4, accelerate: 1, brake: 2 }
  expect(plan(5, 0, 0, p)).toMatchObject({ end: 5, distance: 0 })
  expect(plan(5, -3, 0, p)).toMatchObject({ end: 5, distance: 0 })
  const m = plan(0, Number.POSITIVE_INFINITY, 0, p)
  expect(m.end).toBe(Number.POSITIVE_INFINITY)
  expect(speedAt(m, 3_600_000)).toBe(4)
  // 4 m/s after 4 s and 8 m, then 100 s at 4 m/s.
  expect(distanceAt(m, 104_000)).toBeCloseTo(408)
})
