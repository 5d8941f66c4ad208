import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LaneSettings } from '../../../gateway/lane/model.ts'
import { type Habit, type Outcome, type Plan, Road } from './road.ts'

const FULL: LaneSettings = { approach: true, curtain: true, exit: true, limits: true, idleAspect: 'red' }

const shapes = fc.oneof(
  // rigid lorry
  fc.double({ min: 6, max: 12, noNaN: true }).map((l) => [[0, l]] as const),
  // lorry and trailer on a drawbar
  fc
    .record({
      a: fc.double({ min: 6, max: 9, noNaN: true }),
      bar: fc.double({ min: 0.5, max: 3, noNaN: true }),
      b: fc.double({ min: 5, max: 8, noNaN: true }),
    })
    .map(
      ({ a, bar, b }) =>
        [
          [0, a],
          [a + bar, a + bar + b],
        ] as const,
    ),
)

const planOf = (habits: readonly Habit[], minDistance: number): fc.Arbitrary<Plan> =>
  fc.record({
    habit: fc.constantFrom(...habits),
    metal: shapes,
    speed: fc.double({ min: 1.2, max: 5, noNaN: true }),
    distance: fc.double({ min: minDistance, max: minDistance + 4, noNaN: true }),
    pause: fc.oneof(
      fc.constant({ at: 0, s: 0 }),
      fc.record({ at: fc.double({ min: 0.2, max: 2, noNaN: true }), s: fc.double({ min: 0.5, max: 20, noNaN: true }) }),
    ),
    decision: fc.double({ min: 0.1, max: 3, noNaN: true }),
  })

const count = (o: Outcome, test: (e: Outcome['events'][number]) => boolean): number => o.events.filter(test).length
const through = (o: Outcome): number => count(o, (e) => e.type === 'cleared' || (e.type === 'aborted' && e.through === true))

function agrees(settings: LaneSettings, plans: readonly Plan[]): void {
  const o = new Road(settings, plans).run()
  expect(o.problems).toEqual([])
  expect(through(o)).toBe(o.truth.through)
  expect(count(o, (e) => e.type === 'aborted' && e.through === true)).toBe(o.truth.unauthorised)
  expect(count(o, (e) => e.type === 'alarm-raised' && e.alarm === 'tailgating')).toBe(o.truth.unauthorised)
  expect(count(o, (e) => e.type === 'arrived')).toBe(o.truth.through + o.truth.back)
  expect(o.truth.through + o.truth.back).toBe(plans.length)
}

describe('vehicles on a road', () => {
  it('counts what drove through, alarms on everyone without an authorisation, and never closes on anybody', () => {
    const plans = fc.array(planOf(['honest', 'honest', 'tailgater', 'reverser', 'refused'], 0.6), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(plans, (list) => agrees(FULL, list)),
      { numRuns: 120, seed: 1 },
    )
  })

  it('counts without a curtain when nobody follows within the gap time', () => {
    const plans = fc.array(planOf(['honest', 'reverser', 'refused'], 3), { minLength: 1, maxLength: 5 })
    const noPause = plans.map((list) => list.map((p) => (p.habit === 'honest' ? { ...p, pause: { at: 0, s: 0 } } : p)))
    fc.assert(
      fc.property(noPause, (list) => agrees({ ...FULL, curtain: false }, list)),
      { numRuns: 60, seed: 1 },
    )
  })

  it('counts with the loops before and under the arm only', () => {
    const plans = fc
      .array(planOf(['honest'], 3), { minLength: 1, maxLength: 5 })
      .map((list) => list.map((p) => ({ ...p, pause: { at: 0, s: 0 } })))
    fc.assert(
      fc.property(plans, (list) => agrees({ ...FULL, curtain: false, exit: false }, list)),
      { numRuns: 60, seed: 1 },
    )
  })
})
