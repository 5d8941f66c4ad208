/** The colour of a plate's ground from the pixels of its line. Pure. */
import type { Raster } from './image.ts'
import type { PlateColour, PlateCountry } from './plate.ts'

/** Share of pixels that must be of the colour. */
const ENOUGH = 0.35

/** Most frequent colour of the ground; grey ground is white when the signs are darker than it, black when they are lighter. */
export function groundColour(line: Raster): PlateColour {
  const count = { yellow: 0, blue: 0, green: 0, red: 0 }
  const lights: number[] = []
  const x0 = Math.floor(line.width * 0.04)
  const y0 = Math.floor(line.height * 0.1)
  let n = 0
  for (let y = y0; y < line.height - y0; y++) {
    for (let x = x0; x < line.width - x0; x++) {
      const i = (y * line.width + x) * 3
      const r = line.data[i]!
      const g = line.data[i + 1]!
      const b = line.data[i + 2]!
      const max = Math.max(r, g, b)
      const min = Math.min(r, g, b)
      n++
      lights.push(max)
      if (max < 40 || (max - min) / max < 0.28) continue
      const name = hueName(r, g, b, max, max - min)
      if (name) count[name]++
    }
  }
  const [name, most] = (Object.entries(count) as [keyof typeof count, number][]).sort((a, b) => b[1] - a[1])[0]!
  if (most >= n * ENOUGH) return name
  return greyGround(lights)
}

function hueName(r: number, g: number, b: number, max: number, range: number): 'yellow' | 'blue' | 'green' | 'red' | null {
  const sector = max === r ? ((g - b) / range + 6) % 6 : max === g ? (b - r) / range + 2 : (r - g) / range + 4
  const hue = sector * 60
  if (hue < 16 || hue > 340) return 'red'
  if (hue < 70) return 'yellow'
  if (hue < 175) return hue > 85 ? 'green' : null
  return hue < 265 ? 'blue' : null
}

/** The ground is the larger part: its brightness lies nearer to the median than to the other end. */
function greyGround(lights: number[]): PlateColour {
  lights.sort((a, b) => a - b)
  const at = (q: number) => lights[Math.floor(q * (lights.length - 1))] ?? 0
  const [dark, median, light] = [at(0.05), at(0.5), at(0.95)]
  if (light - dark < 30) return 'unknown'
  const where = (median - dark) / (light - dark)
  if (where > 0.55) return 'white'
  return where < 0.4 ? 'black' : 'unknown'
}

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
