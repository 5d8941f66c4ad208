/** Text painted on vehicles and over pictures. Letters are outlines of the fonts that come with npm (test/sim/draw/font.ts): no machine draws empty boxes instead. */
import sharp from 'sharp'
import { text } from '../sim/draw/font.ts'
import { box, type Map2, type Outline, onto, pathData, ring, type XY } from '../sim/draw/path.ts'
import { drawScene } from '../sim/draw/scene.ts'
import { between, rng } from '../sim/random.ts'

const [WIDE, HIGH] = [960, 540]
/** Height of a line of text, and from one line to the next. */
const [LETTER, LINE] = [100, 135]

/** What is behind the text: doors of a colour, or a vehicle of the simulated world that has no plate. */
export type Ground =
  | { readonly door: string; readonly ribs: number }
  | { readonly vehicle: 'front' | 'rear'; readonly night: boolean; readonly seed: number }

export interface Painting {
  /** Upper one first. */
  readonly lines: readonly string[]
  /** Of the longest line, pixels. */
  readonly width: number
  readonly ink: string
  /** Of the panel or sticker that it stands on. */
  readonly panel: string | null
  /** Round the panel, in the ink's colour; a hazard plate's lines stand apart, too. */
  readonly border: 'none' | 'round' | 'hazard'
  readonly opacity: number
  /** Width of the letters against the font's own. */
  readonly stretch: number
  /** How much bolder than the font, as a share of a letter's height. */
  readonly bold: number
  /** Degrees. */
  readonly tilt: number
  /** The right end against the left one: a door seen from the side. */
  readonly farther: number
  /** Centre, as shares of the room there is. */
  readonly at: XY
  /** Softness of the lens, pixels. */
  readonly blur: number
  readonly ground: Ground
}

/** The picture, as JPEG. Throws RangeError on characters that no font has. */
export async function painted(p: Painting): Promise<Buffer> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDE}" height="${HIGH}">${ground(p.ground)}${words(p)}</svg>`
  return sharp(Buffer.from(svg)).flatten().blur(p.blur).jpeg({ quality: 85 }).toBuffer()
}

function ground(g: Ground): string {
  if ('vehicle' in g) return drawScene({ plate: null, side: g.vehicle, night: g.night }, WIDE, HIGH, rng(g.seed, 'bare')).svg
  const r = rng(g.ribs, g.door)
  const all = `width="${WIDE}" height="${HIGH}"`
  const rib = (_: unknown, i: number) => `<rect x="${(WIDE * i) / g.ribs}" width="${between(r, 2, 14)}" height="${HIGH}" opacity="0.2"/>`
  const light = '<stop stop-color="#fff" stop-opacity="0.25"/><stop offset="1" stop-opacity="0.3"/>'
  return [
    `<linearGradient id="light" x2="1" y2="1">${light}</linearGradient>`,
    `<rect ${all} fill="${g.door}"/>`,
    ...Array.from({ length: g.ribs }, rib),
    `<rect ${all} fill="url(#light)"/>`,
  ].join('')
}

/** The lines under each other, centred, on their panel. */
function words(p: Painting): string {
  const drawn = p.lines.map((line, i) => ({ ...text(line, 0, i * LINE, LETTER), i }))
  const natural = Math.max(...drawn.map((d) => d.width))
  const height = p.lines.length * LINE - (LINE - LETTER)
  const map = seen(p, natural, height)
  const path = (outline: Outline, fill: string, more = '') => `<path fill="${fill}"${more} d="${pathData(outline, map)}"/>`
  const ink = ` stroke="${p.ink}" stroke-width="${(p.bold * p.width * LETTER) / (natural * p.stretch)}"`
  const centred = drawn.map(({ outline, width }) => moved(outline, (natural - width) / 2))
  const panel = p.panel ? path(box(-40, -35, natural + 80, height + 70, 15), p.panel) : ''
  const frame = ring(box(-36, -31, natural + 72, height + 62, 12), box(-28, -23, natural + 56, height + 46, 8))
  const border = p.border === 'none' ? '' : path(frame, p.ink, ' fill-rule="evenodd"')
  const apart = p.border === 'hazard' ? path(box(-30, (LETTER + LINE) / 2 - 4, natural + 60, 8), p.ink) : ''
  return `<g opacity="${p.opacity}">${panel}${border}${apart}${centred.map((line) => path(line, p.ink, ink)).join('')}</g>`
}

const moved = (outline: Outline, by: number): Outline => outline.map(([c, ...points]) => [c, ...points.map(([x, y]): XY => [x + by, y])])

/** From a block of text to the picture: turned, seen from the side, all of it within the picture. */
function seen({ width, stretch, tilt, farther, at }: Painting, natural: number, height: number): Map2 {
  const [w, h] = [width, (width * height) / (natural * stretch)]
  const [sin, cos] = [Math.sin((tilt * Math.PI) / 180), Math.cos((tilt * Math.PI) / 180)]
  const upright: XY[] = [
    [-w / 2, -h / 2],
    [w / 2, (-h / 2) * farther],
    [w / 2, (h / 2) * farther],
    [-w / 2, h / 2],
  ]
  const turned = upright.map(([x, y]): XY => [x * cos - y * sin, x * sin + y * cos])
  const place = (k: 0 | 1, room: number) => {
    const half = 1.3 * Math.max(...turned.map((c) => Math.abs(c[k])))
    return half * 2 > room ? room / 2 : half + at[k] * (room - 2 * half)
  }
  const [cx, cy] = [place(0, WIDE), place(1, HIGH)]
  const [a, b, c, d] = turned.map(([x, y]): XY => [cx + x, cy + y])
  return onto(natural, height, [a!, b!, c!, d!])
}
