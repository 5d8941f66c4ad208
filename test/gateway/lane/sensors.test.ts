import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Tri } from '../../../gateway/lane/model.ts'
import { debounce, dueAt, merge, roleInitial, sampled, tick, UNREAD } from '../../../gateway/lane/sensors.ts'

const times = { onMs: 40, offMs: 150 }

describe('debounce', () => {
  it('counts a level only after it has lasted', () => {
    let s = debounce(UNREAD, false, 0, times)
    expect(s.value).toBe(null)
    expect(dueAt(s, times)).toBe(150)
    s = debounce(s, false, 150, times)
    expect(s.value).toBe(false)
    s = debounce(s, true, 200, times)
    expect(s.value).toBe(false)
    s = debounce(s, true, 239, times)
    expect(s.value).toBe(false)
    s = debounce(s, true, 240, times)
    expect(s.value).toBe(true)
  })

  it('forgets a flicker, and starts counting anew after it', () => {
    let s = debounce(UNREAD, false, 0, { onMs: 40, offMs: 0 })
    s = debounce(s, true, 10, { onMs: 40, offMs: 0 })
    s = debounce(s, false, 40, { onMs: 40, offMs: 0 })
    expect(s.value).toBe(false)
    s = debounce(s, true, 45, { onMs: 40, offMs: 0 })
    expect(debounce(s, true, 84, { onMs: 40, offMs: 0 }).value).toBe(false)
    expect(debounce(s, true, 85, { onMs: 40, offMs: 0 }).value).toBe(true)
  })

  it('takes unknown at once and leaves it only after the level lasted', () => {
    let s = debounce(UNREAD, true, 0, { onMs: 0, offMs: 0 })
    expect(s.value).toBe(true)
    s = debounce(s, null, 5, times)
    expect(s.value).toBe(null)
    s = debounce(s, true, 10, times)
    expect(s.value).toBe(null)
    expect(debounce(s, true, 50, times).value).toBe(true)
  })

  it('lets a change happen that was due before the next sample, though nobody called back', () => {
    let s = debounce(UNREAD, false, 0, times)
    s = debounce(s, true, 500, times)
    expect(s.value).toBe(false)
  })

  it('follows the definition on any sequence: the value is the last level that lasted', () => {
    const sample = fc.record({ raw: fc.constantFrom<Tri>(true, false, null), gap: fc.integer({ min: 0, max: 200 }) })
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 60 }), (samples) => {
        let s = UNREAD
        let at = 0
        const seen: { raw: Tri; at: number }[] = [{ raw: null, at: 0 }]
        for (const { raw, gap } of samples) {
          at += gap
          s = debounce(s, raw, at, times)
          seen.push({ raw, at })
        }
        // By hand: merge equal neighbours into runs, then the last run that lasted long enough, unless unknown came after it.
        const runs = seen.filter((x, i) => i === 0 || x.raw !== seen[i - 1]?.raw)
        let expected: Tri = null
        runs.forEach((run, i) => {
          const until = runs[i + 1]?.at ?? at
          if (run.raw === null) expected = null
          else if (until - run.at >= (run.raw ? times.onMs : times.offMs)) expected = run.raw
        })
        expect(s.value).toBe(expected)
      }),
    )
  })
})

describe('roles with several inputs', () => {
  it('merges: any on is on, else any unknown is unknown, else free', () => {
    expect(merge([true, null, false])).toBe(true)
    expect(merge([false, null])).toBe(null)
    expect(merge([false, false])).toBe(false)
    expect(merge([])).toBe(null)
  })

  it('says when to be called back, and changes then', () => {
    let r = sampled(roleInitial(2), 0, false, 0, times)
    expect(r).toMatchObject({ changed: false, dueAt: 150 })
    r = sampled(r.state, 1, false, 100, times)
    expect(r.dueAt).toBe(150)
    r = tick(r.state, 150, times)
    expect(r).toMatchObject({ changed: false, dueAt: 250 })
    r = tick(r.state, 250, times)
    expect(r).toMatchObject({ changed: true, dueAt: null })
    expect(r.state.value).toBe(false)
    r = sampled(r.state, 1, true, 300, times)
    expect(r).toMatchObject({ changed: false, dueAt: 340 })
    r = tick(r.state, 340, times)
    expect(r).toMatchObject({ changed: true, dueAt: null })
    expect(r.state.value).toBe(true)
    r = sampled(r.state, 0, null, 350, times)
    expect(r.changed).toBe(false)
    r = sampled(r.state, 1, null, 351, times)
    expect(r).toMatchObject({ changed: true })
    expect(r.state.value).toBe(null)
  })

  it('is never late: called back whenever it asks, it agrees with continuous sampling', () => {
    const edge = fc.record({ input: fc.nat(2), raw: fc.constantFrom<Tri>(true, false, null), gap: fc.nat(250) })
    fc.assert(
      fc.property(fc.array(edge, { maxLength: 40 }), (edges) => {
        let lazy = { state: roleInitial(3), changed: false, dueAt: null as number | null }
        let eager = roleInitial(3)
        let at = 0
        for (const e of edges) {
          const until = at + e.gap
          while (lazy.dueAt !== null && lazy.dueAt <= until) lazy = tick(lazy.state, lazy.dueAt, times)
          for (; at < until; at++) eager = tick(eager, at, times).state
          at = until
          lazy = sampled(lazy.state, e.input, e.raw, at, times)
          eager = sampled(tick(eager, at, times).state, e.input, e.raw, at, times).state
          expect(lazy.state.value).toBe(eager.value)
        }
      }),
      { numRuns: 60 },
    )
  })
})
