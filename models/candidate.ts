/** What a reading of one place of a picture is worth, beside the others. Pure. */
import { centre, overlap, sides, size, slope } from './geometry.ts'
import type { Raster } from './image.ts'
import type { Quad } from './plate.ts'
import type { Looked } from './slots.ts'
import type { Spelled } from './spell.ts'

/** A plate whose weakest character is this probable is not looked for again, nearer. */
const ENOUGH = 0.9
/** Plates narrower than this, pixels, are sure only when a nearer look says the same. */
const SMALL = 60
/** So are plates whose long edges are steeper than this, radians: the first look may have cut off a character at their end, and the rest may be a plate. */
const STEEP = 0.2
/** A plate that comes so near to the picture's edge, as a share of its size, may go on beyond it: what is seen of 29H12345 may read like 29H1234. */
const EDGE = 0.06
/** Characters lower than this, pixels, people read either way: 5 or 6, 0 or 8. */
const LOWEST = 6
/** Height of a character as a share of the plate's, on one and on two lines (110 and 165 mm high: Circular 24/2023). */
const CHARACTER = { one: 0.68, two: 0.38 } as const
/** A plate so many times as large as another one is on another vehicle, much nearer: plates of one truck, Vietnamese and Chinese, differ by a third at most. */
const NEARER_BY = 1.5
/** Plates of one vehicle hang within so many widths of each other. */
const ONE_VEHICLE = 2.5
/** What is so probably a plate or a part of one stands before others, however badly it can be read; grilles and signs are below. */
const PRESENT = 0.9
/** Finds of two looks that overlap more are the same plate. */
const SAME_PLACE = 0.5

/** A place of the picture that was looked at. */
export interface Place {
  readonly quad: Quad
  /** Mean of all looks. */
  readonly looked: Looked
  /** What it says; null when it is rather no plate of the two countries, or nothing in their grammars. */
  readonly spelled: Spelled | null
}

/** A place that can be read. */
export interface Candidate extends Place {
  readonly spelled: Spelled
  /** The looks of this time. */
  readonly own: readonly Looked[]
  /** The same place seen from farther away; if it is small, its looks are in the mean, too. */
  readonly before: Candidate | undefined
  readonly rank: number
  /** All looks of this time gave the same text. */
  readonly confirmed: boolean
}

/** Read without doubt, but perhaps once only. */
export const plain = (c: Candidate): boolean => c.spelled.weakest >= ENOUGH && c.looked.plate >= ENOUGH
/** Needs no closer look. */
export const clear = (c: Candidate): boolean => c.confirmed && plain(c)
/** Two cuts of so few pixels are hardly two looks. */
export const small = (quad: Quad): boolean => sides(quad).width < SMALL

/** Of a small plate the look from farther away counts, too; a larger one that was not clear was cut out badly. */
export const counts = (before: Candidate | undefined): before is Candidate => before !== undefined && small(before.quad)

/** Finds of two looks are the same plate. */
export const samePlace = (a: Quad, b: Quad): boolean => overlap(a, b) > SAME_PLACE

/** The first is so much larger than the second, and elsewhere, that it must be on another, nearer vehicle if both are plates. */
export const nearer = (a: Quad, b: Quad): boolean => size(a) > NEARER_BY * size(b) && !samePlace(a, b)

/** Neither is on a vehicle before the other's, and they are close to each other: a truck of two countries has two plates. */
export function beside(a: Quad, b: Quad): boolean {
  const [ax, ay] = centre(a)
  const [bx, by] = centre(b)
  const close = Math.hypot(ax - bx, ay - by) <= ONE_VEHICLE * sides(b).width
  return close && !nearer(a, b) && !nearer(b, a) && !samePlace(a, b)
}

/** Whether the first is the plate of a vehicle that stands before the second's. */
export function standsBefore(front: Place, back: Candidate): boolean {
  // A lorry's number is painted on its sides, too, and larger.
  const sameNumber = front.spelled?.text === back.spelled.text
  return front.looked.present >= PRESENT && nearer(front.quad, back.quad) && !sameNumber
}

/** All of it is in the picture, as far as one can see. */
export function whole(quad: Quad, { width, height }: Raster): boolean {
  const plate = sides(quad)
  const [right, down] = [EDGE * plate.width, EDGE * plate.height]
  return quad.every(([x, y]) => x > right && x < width - right && y > down && y < height - down)
}

/** Its characters are too low to tell them apart for sure. */
export const tiny = (quad: Quad, lines: 1 | 2): boolean => sides(quad).height * (lines === 1 ? CHARACTER.one : CHARACTER.two) < LOWEST

/** One look is not enough. */
export const vague = (quad: Quad): boolean => small(quad) || Math.abs(slope(quad)) > STEEP
