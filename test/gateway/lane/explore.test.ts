import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { allSettings, canonical, keyOf, renamed } from '../../../gateway/lane/explore.ts'
import { TABLE_SETTINGS, tableBuilder } from '../../../gateway/lane/table.ts'
import { exploreAndCheck, exploreFrom, MINUTES, nameOf } from './exploring.ts'

describe('every reachable state with every input, arms with limit switches', () => {
  for (const settings of allSettings().filter((s) => s.limits)) {
    it(
      `holds all invariants and can always get home: ${nameOf(settings)}`,
      () => {
        const table = nameOf(settings) === nameOf(TABLE_SETTINGS) ? tableBuilder() : null
        const { wrong, counts } = exploreFrom(settings, table?.visit)
        expect(wrong).toEqual([])
        if (!table) return
        const words = 'docs/generated/lane-table.md is out of date: run npm run docs'
        expect(readFileSync(new URL('../../../docs/generated/lane-table.md', import.meta.url), 'utf8'), words).toBe(table.text(counts))
      },
      MINUTES,
    )
  }

  it(
    'loses nothing by treating states as the same: a small lane explored in full falls into the same states',
    () => {
      const settings = { approach: false, curtain: false, exit: false, limits: true, idleAspect: 'red' } as const
      const small = exploreAndCheck(settings).explored
      const full = exploreAndCheck(settings, undefined, renamed)
      expect(full.bad).toEqual([])
      expect(full.explored.states.length).toBeGreaterThan(10 * small.states.length)
      expect(full.explored.states.find((s) => !small.has(s))).toBe(undefined)
      const reached = new Set(full.explored.states.map((s) => keyOf(canonical(s, settings))))
      expect(small.states.filter((s) => !reached.has(keyOf(s)))).toEqual([])
    },
    MINUTES,
  )
})
