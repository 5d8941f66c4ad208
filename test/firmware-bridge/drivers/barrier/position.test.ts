import { expect, test } from 'vitest'
import type { BarrierPosition, Tri } from '../../../../firmware-bridge/driver.ts'
import { positionOf } from '../../../../firmware-bridge/drivers/barrier/position.ts'

const LEVELS: (Tri | undefined)[] = [true, false, null, undefined]
const DERIVED: BarrierPosition[] = ['open', 'closed', 'moving', 'unknown']

test('two limits decide alone', () => {
  for (const derived of DERIVED) {
    expect(positionOf(true, false, derived)).toBe('open')
    expect(positionOf(false, true, derived)).toBe('closed')
    expect(positionOf(false, false, derived)).toBe('moving')
    expect(positionOf(true, true, derived)).toBe('unknown')
  }
})

test('an unknown limit is an unknown arm, whatever else is known', () => {
  for (const derived of DERIVED) {
    for (const other of LEVELS) {
      expect(positionOf(null, other, derived)).toBe('unknown')
      expect(positionOf(other, null, derived)).toBe('unknown')
    }
  }
})

test('one limit decides about its own end; the other end is derived', () => {
  for (const derived of DERIVED) {
    expect(positionOf(true, undefined, derived)).toBe('open')
    expect(positionOf(undefined, true, derived)).toBe('closed')
  }
  expect(DERIVED.map((d) => positionOf(false, undefined, d))).toEqual(['moving', 'closed', 'moving', 'unknown'])
  expect(DERIVED.map((d) => positionOf(undefined, false, d))).toEqual(['open', 'moving', 'moving', 'unknown'])
})

test('without limits all is derived', () => {
  for (const derived of DERIVED) expect(positionOf(undefined, undefined, derived)).toBe(derived)
})
