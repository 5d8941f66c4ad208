/** A passage with its load: the row that every figure is a function of. */
import type { CrossingRow } from '../journal/loads.ts'
import { type Load, loadFrom } from './load.ts'

/** Times are wall-clock ms. */
export interface Crossing extends Omit<CrossingRow, 'load'> {
  readonly load: Load | null
}

export const crossingOf = (row: CrossingRow): Crossing => ({ ...row, load: loadFrom(row.load) })

/** It drove through the gate. */
export const crossed = (c: Crossing): boolean => c.outcome === 'cleared' && c.endedAt !== null

/** The plate that the vehicle is known by. */
export const vehicleOf = (c: Crossing): string | null => c.load?.vehicle ?? c.plate

/** Arrival to decision, ms; a vehicle that was sent to the officer without one: until then. */
export const waitOf = (c: Crossing): number | null => (c.decidedAt === null ? null : Math.max(0, c.decidedAt - c.arrivedAt))

/** Arrival to the end of the barrier passage, ms; null when it did not drive through. */
export const passageOf = (c: Crossing): number | null => (crossed(c) ? Math.max(0, c.endedAt! - c.arrivedAt) : null)
