/** Where the arm is, from what is wired. Pure. */
import type { BarrierPosition, Tri } from '../../driver.ts'

/**
 * @param openLimit level of the open limit, undefined when none is fitted
 * @param closedLimit level of the closed limit, undefined when none is fitted
 * @param derived what the last confirmed command and the travel time say; counts only where a limit is missing
 */
export function positionOf(openLimit: Tri | undefined, closedLimit: Tri | undefined, derived: BarrierPosition): BarrierPosition {
  if (openLimit === null || closedLimit === null) return 'unknown'
  if (openLimit !== undefined && closedLimit !== undefined) {
    if (openLimit && closedLimit) return 'unknown'
    return openLimit ? 'open' : closedLimit ? 'closed' : 'moving'
  }
  if (openLimit !== undefined) return oneLimit('open', openLimit, derived)
  if (closedLimit !== undefined) return oneLimit('closed', closedLimit, derived)
  return derived
}

/** The fitted limit decides about its own end; the other end is derived. */
function oneLimit(end: 'open' | 'closed', on: boolean, derived: BarrierPosition): BarrierPosition {
  if (on) return end
  return derived === end ? 'moving' : derived
}
