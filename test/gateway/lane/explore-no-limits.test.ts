import { describe, expect, it } from 'vitest'
import { allSettings } from '../../../gateway/lane/explore.ts'
import { exploreFrom, MINUTES, nameOf } from './exploring.ts'

describe('every reachable state with every input, arms without limit switches', () => {
  for (const settings of allSettings().filter((s) => !s.limits)) {
    it(`holds all invariants and can always get home: ${nameOf(settings)}`, () => expect(exploreFrom(settings).wrong).toEqual([]), MINUTES)
  }
})
