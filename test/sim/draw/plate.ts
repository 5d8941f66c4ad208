/**
 * Number plates, true to size in millimetres. Vietnam: Circulars 58/2020 and 24/2023 (long 520×110, short 330×165);
 * China: GA 36-2018 (440×140, rear 440×220 on two lines, new energy 480×140). Drawn from free fonts near the plates' own.
 */
import { fitted } from './font.ts'
import { box, disc, type Outline, ring } from './path.ts'

export interface PlateLook {
  /** Without dots or dashes. */
  readonly text: string
  readonly country: 'vn' | 'cn'
  readonly colour: 'white' | 'yellow' | 'blue' | 'green'
  readonly lines: 1 | 2
}

export interface Shape {
  readonly outline: Outline
  readonly fill: string
  /** Overlapping parts cut each other out. */
  readonly hollow?: boolean
}

export interface DrawnPlate {
  /** Millimetres. */
  readonly width: number
  readonly height: number
  /** Bottom first. */
  readonly shapes: readonly Shape[]
}

const GROUND = { white: '#eeeeea', yellow: '#f2b705', blue: '#1d3f9c', green: '#63c48c' } as const
const INK = { white: '#15161a', yellow: '#15161a', blue: '#f4f4f0', green: '#101512' } as const

/** Draws a plate. Throws RangeError on characters that no font has. */
export function drawPlate(look: PlateLook): DrawnPlate {
  if (look.country === 'vn') return look.lines === 1 ? vnLong(look) : vnShort(look)
  if (look.lines === 2) return cnTwoLines(look)
  return look.colour === 'green' || [...look.text].length === 8 ? cnGreen(look) : cnLong(look)
}

function blank(look: PlateLook, width: number, height: number, inset: number, stroke: number, characters: readonly Outline[]): DrawnPlate {
  const ink = INK[look.colour]
  const inner = box(inset + stroke, inset + stroke, width - 2 * (inset + stroke), height - 2 * (inset + stroke), 8)
  return {
    width,
    height,
    shapes: [
      { outline: box(0, 0, width, height, 12), fill: GROUND[look.colour] },
      { outline: ring(box(inset, inset, width - 2 * inset, height - 2 * inset, 9), inner), fill: ink, hollow: true },
      ...characters.map((outline) => ({ outline, fill: ink })),
    ],
  }
}

/** Characters, dots and dashes in a row, centred on `cx`. */
function row(words: string, cx: number, y: number, w: number, h: number, gap: number): Outline[] {
  const widths = [...words].map((c) => (c === '.' ? h * 0.13 : c === '-' ? h * 0.26 : w))
  let x = cx - (widths.reduce((a, b) => a + b, 0) + gap * (widths.length - 1)) / 2
  return [...words].map((c, i) => {
    const width = widths[i]!
    const at = x
    x += width + gap
    if (c === '.') return disc(at + width / 2, y + h * 0.52, width / 2)
    if (c === '-') return box(at, y + h * 0.46, width, h * 0.11)
    return fitted(c, at, y, width, h)
  })
}

/** Where the serial number begins: after the locality and the series letters. */
const vnSplit = (text: string): readonly [string, string] => {
  const split = /^(\d{2}[A-Z]{1,2})(\d+)$/.exec(text)
  return split ? [split[1]!, split[2]!] : [text.slice(0, 3), text.slice(3)]
}
const dotted = (digits: string): string => (digits.length === 5 ? `${digits.slice(0, 3)}.${digits.slice(3)}` : digits)

function vnLong(look: PlateLook): DrawnPlate {
  const [series, digits] = vnSplit(look.text)
  return blank(look, 520, 110, 4, 3, row(`${series}-${dotted(digits)}`, 260, 16, 40, 78, 9))
}

function vnShort(look: PlateLook): DrawnPlate {
  const [series, digits] = vnSplit(look.text)
  return blank(look, 330, 165, 4, 3.5, [...row(series, 165, 15, 40, 62, 11), ...row(dotted(digits), 165, 88, 42, 62, 10)])
}

function cnLong(look: PlateLook): DrawnPlate {
  const shapes = [...look.text].map((c, i) => fitted(c, i < 2 ? 15.5 + 57 * i : 151.5 + 57 * (i - 2), 25, 45, 90))
  return blank(look, 440, 140, 5, 2.5, [...shapes, disc(134.5, 70, 5)])
}

function cnTwoLines(look: PlateLook): DrawnPlate {
  const [province, letter, ...rest] = [...look.text]
  const top = [fitted(province!, 110, 15, 80, 60), fitted(letter!, 250, 15, 80, 60), disc(220, 45, 6)]
  return blank(look, 440, 220, 5, 3, [...top, ...rest.map((c, i) => fitted(c, 27.5 + 80 * i, 90, 65, 110))])
}

function cnGreen(look: PlateLook): DrawnPlate {
  const shapes = [...look.text].map((c, i) => fitted(c, i < 2 ? 15.5 + 54 * i : 146 + 53 * (i - 2), 25, i < 2 ? 45 : 43, 90))
  const plate = blank({ ...look, colour: 'green' }, 480, 140, 5, 2.5, shapes)
  // Large vehicles: the ground under province and letter is yellow.
  return { ...plate, shapes: [plate.shapes[0]!, { outline: box(2, 2, 122, 136, 10), fill: GROUND.yellow }, ...plate.shapes.slice(1)] }
}
