/** A small share of a day at Kim Thành, with its peaks and troubles: the report is the truth. The whole day: `npm run bench -- real-day`. */
import { expect, test } from 'vitest'
import { realDay } from '../harness/real-day.ts'
import { KIM_THANH } from '../sim/day.ts'

test('three per cent of a day: counts, loads and stays as they were, no wrong opening, nothing lost, all explained', async () => {
  const day = await realDay({ counts: KIM_THANH, seed: 1, scale: 0.03 })
  expect(day.wrong).toEqual([])
  expect(day.trucks).toBeGreaterThan(20)
  expect(day.passed).toBeGreaterThan(15)
  // Every decision was seen from its last input on, and nearly every open that followed.
  expect(day.prompts).toHaveLength(day.trucks)
  expect(day.prompts.filter((p) => p.open_ms !== undefined).length).toBeGreaterThan(10)
})
