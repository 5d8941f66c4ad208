/** Which colours a plate's ground may have. Pure. */
import type { PlateColour, PlateCountry } from './plate.ts'

const FITS: Record<PlateCountry, readonly PlateColour[]> = {
  vn: ['white', 'yellow', 'blue', 'red', 'unknown'],
  cn: ['blue', 'yellow', 'white', 'black', 'unknown'],
}

/** Whether plates of the country and kind come in this colour. */
export function colourFits(colour: PlateColour, country: PlateCountry, kind: string): boolean {
  if (colour === 'unknown') return true
  if (kind === 'military') return colour === 'red'
  if (kind === 'new-energy') return colour === 'green' || colour === 'yellow' || colour === 'white'
  // One that lost its last character behind something reads like an ordinary plate.
  if (colour === 'green') return false
  if (kind === 'trailer') return colour === 'yellow'
  if (country === 'vn' && colour === 'red') return false
  return FITS[country].includes(colour)
}
