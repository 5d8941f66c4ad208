/**
 * A sure plate that nobody declared, one look-alike character away from a declared one: a bolt made a C of a G. Whom may it be taken
 * for? Only where a site allows it, and in doubt for nobody.
 */
import { lookalikes } from '../../models/grammar/confusion.ts'
import { fits } from '../../models/grammar/grammar.ts'
import type { PlateCountry } from '../../models/plate.ts'
import type { DeclarationIndex, Declared } from './declarations.ts'

/** Plates of that country that differ from `text` in one character that readers take for another at that place. */
export function oneConfusionAway(text: string, country: PlateCountry): string[] {
  const chars = [...text]
  const out = chars.flatMap((char, i) =>
    lookalikes(char).map((other) => [...chars.slice(0, i), other.char, ...chars.slice(i + 1)].join('')),
  )
  return [...new Set(out)].filter((plate) => fits(plate, country))
}

export interface LookalikeInput {
  readonly declarations: Pick<DeclarationIndex, 'withPlate'>
  /** Whether a plate is on the list of detained vehicles. */
  readonly detained: (plate: string) => boolean
  /** Wall clock, ms. */
  readonly now: number
}

/**
 * The declarations of the one declared vehicle that the plate is a confusion away from. None when there are two such vehicles, or when
 * a detained plate is as near. Declarations that are over declare nobody; those to come do.
 */
export function takenFor(text: string, country: PlateCountry, { declarations, detained, now }: LookalikeInput): readonly Declared[] {
  const around = oneConfusionAway(text, country)
  if ([text, ...around].some(detained)) return []
  const vehicles = around.map((plate) => declarations.withPlate(plate).filter((d) => now <= d.to)).filter((found) => found.length > 0)
  return vehicles.length === 1 ? vehicles[0]! : []
}
