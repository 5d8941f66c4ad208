/** Which colours a plate's ground may have. Pure. */
import type { PlateColour, PlateCountry } from './plate.ts'

/** Of the kinds that have no colour of their own. Green is none of them: a green plate whose last character is hidden reads like an ordinary one. */
const ORDINARY: Record<PlateCountry, readonly PlateColour[]> = {
  vn: ['white', 'yellow', 'blue'],
  cn: ['blue', 'yellow', 'white', 'black'],
}

/** Whether plates of the country and kind come in this colour. */
export function colourFits(colour: PlateColour, country: PlateCountry, kind: string): boolean {
  if (colour === 'unknown') return true
  if (kind === 'military') return colour === 'red'
  if (kind === 'new-energy') return colour === 'green' || colour === 'yellow' || colour === 'white'
  if (kind === 'trailer') return colour === 'yellow'
  return ORDINARY[country].includes(colour)
}
