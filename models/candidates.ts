/** Which text boxes may be a plate's lines, and which pairs its two lines. Pure. */
import { type Box, boxAround, corners } from './geometry.ts'

/** Boxes with another shape hold no plate's line (width : height). */
export const LINE_ASPECT = { min: 1.1, max: 7 } as const
/** A box less wide than this may be a whole plate with two lines. */
export const TWO_LINE_ASPECT = 3.1
/** How the two lines share a plate's height; they overlap a little, since frames and rims differ. */
export const SPLIT = { upperEnd: 0.46, lowerStart: 0.42 } as const

/** Whether `lower` lies under `upper` as the second line of one plate. */
export function stacked(upper: Box, lower: Box): boolean {
  const angle = (upper.angle + lower.angle) / 2
  if (Math.abs(upper.angle - lower.angle) > 0.3) return false
  const dx = lower.cx - upper.cx
  const dy = lower.cy - upper.cy
  const along = dx * Math.cos(angle) + dy * Math.sin(angle)
  const across = dy * Math.cos(angle) - dx * Math.sin(angle)
  const height = (upper.height + lower.height) / 2
  const ratio = upper.height / lower.height
  const widths = upper.width / lower.width
  if (ratio < 0.45 || ratio > 1.7 || widths < 0.3 || widths > 1.35) return false
  return across > 0.5 * height && across < 1.7 * height && Math.abs(along) < 0.35 * lower.width
}

/** The box around both lines, in their mean direction. */
export function union(upper: Box, lower: Box): Box {
  return boxAround([...corners(upper), ...corners(lower)], (upper.angle + lower.angle) / 2)
}
