/** Mean and percentile of many durations. */
import { percentile } from '../journal/stats.ts'

export interface Summary {
  readonly count: number
  /** null: none. */
  readonly mean: number | null
  readonly p95: number | null
}

/** @param digits after the point */
export function summary(values: readonly (number | null)[], digits = 0): Summary {
  const known = values.filter((v): v is number => v !== null).sort((a, b) => a - b)
  if (known.length === 0) return { count: 0, mean: null, p95: null }
  const mean = known.reduce((sum, v) => sum + v, 0) / known.length
  return { count: known.length, mean: rounded(mean, digits), p95: rounded(percentile(known, 0.95), digits) }
}

export const rounded = (n: number, digits: number): number => Number(n.toFixed(digits))
