/** Which colours a plate's ground may have. Pure. */
import type { PlateColour, PlateCountry } from './plate.ts'

const FITS: Record<PlateCountry, readonly PlateColour[]> = {
  vn: ['white', 'yellow', 'blue', 'red', 'unknown'],
  cn: ['blue', 'yellow', 'green', 'white', 'black', 'unknown'],
}

/** Whether plates of the country and kind come in this colour. */
export function colourFits(colour: PlateColour, country: PlateCountry, kind: string): boolean {
  if (colour === 'unknown') return true
  if (kind === 'military') return colour === 'red'
  if (kind === 'new-energy') return colour === 'green' || colour === 'yellow' || colour === 'white'
  if (kind === 'trailer') return colour === 'yellow'
  if (country === 'vn' && colour === 'red') return false
  return FITS[country].includes(colour)
}
