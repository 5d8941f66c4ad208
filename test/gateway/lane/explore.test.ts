import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { allSettings, canonical, keyOf, renamed } from '../../../gateway/lane/explore.ts'
import { TABLE_SETTINGS, tableBuilder } from '../../../gateway/lane/table.ts'
import { exploreAndCheck, nameOf, randomWalk, wayHome } from './exploring.ts'

const MINUTES = 300_000
const total = { states: 0, transitions: 0 }

describe('every reachable state with every input', () => {
  for (const settings of allSettings()) {
    const isTable = nameOf(settings) === nameOf(TABLE_SETTINGS)
    it(
      `holds all invariants and can always get home: ${nameOf(settings)}`,
      () => {
        const table = isTable ? tableBuilder() : null
        const { explored, bad } = exploreAndCheck(settings, table?.visit)
        total.states += explored.states.length
        total.transitions += explored.transitions
        console.log(
          `${nameOf(settings)}: ${explored.states.length} states, ${explored.transitions} transitions; so far ${total.states}, ${total.transitions}`,
        )
        expect(bad).toEqual([])
        const stuck = explored.states.findIndex((s) => wayHome(s, settings) === null)
        expect(stuck < 0 ? [] : explored.path(stuck)).toEqual([])
        expect(randomWalk(settings, explored, 3_000, 7)).toEqual([])
        if (!table) return
        const words = 'docs/generated/lane-table.md is out of date: run npm run docs'
        expect(readFileSync(new URL('../../../docs/generated/lane-table.md', import.meta.url), 'utf8'), words).toBe(
          table.text({ states: explored.states.length, transitions: explored.transitions }),
        )
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
