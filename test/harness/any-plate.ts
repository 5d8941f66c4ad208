/** Random plates, and what else is drawn at random with them, for properties of the reader. */
import fc from 'fast-check'
import type { PlateLook } from '../sim/draw/plate.ts'

/** A kind of plate and the beginning of its text; five digits follow. */
export type PlateKind = Omit<PlateLook, 'text'> & { readonly start: string }

/** Evenly spread, in thousandths: fc.double would give mostly the least. */
export const between = (min: number, max: number): fc.Arbitrary<number> =>
  fc.integer({ min: Math.round(min * 1000), max: Math.round(max * 1000) }).map((v) => v / 1000)

/** A plate of one of the kinds with a random number. */
export const anyPlate = (kinds: readonly PlateKind[]): fc.Arbitrary<PlateLook> =>
  fc
    .tuple(fc.constantFrom(...kinds), fc.array(fc.nat(9), { minLength: 5, maxLength: 5 }))
    .map(([{ start, ...look }, digits]) => ({ ...look, text: start + digits.join('') }))
