/** Plates in a picture: our own detector's map of centres and corners (models/training/detector.py) → quads. */
import { fitted } from './fit.ts'
import { convex, overlap, sides } from './geometry.ts'
import type { Raster } from './image.ts'
import type { Point, Quad } from './plate.ts'
import { runBytes, type Session } from './runtime.ts'

export interface Found {
  /** Clockwise from the plate's top-left corner, pixels of the picture. */
  readonly quad: Quad
  /** 0…1. */
  readonly score: number
}

export interface FinderModel {
  /** Pixels of the input for one cell of the map. */
  readonly stride: number
  /** Pixels of the input for a corner offset of 1. */
  readonly unit: number
  /** The input's sides are multiples of this. */
  readonly step: number
}

/** Two finds that share more than this of the smaller one are one plate. */
const SAME = 0.45

/** A nearer look: the long side of the detector's input, its width by its height, and how many times as wide as the plate it is. */
const NEAR = { side: 192, shape: 1.5, times: 2.5 } as const

export class PlateFinder {
  readonly #session: Session
  readonly #model: FinderModel
  constructor(session: Session, model: FinderModel) {
    this.#session = session
    this.#model = model
  }

  /**
   * Plates in pixels of `picture`, best score first.
   * @param side long side of the detector's input, pixels
   */
  async find(picture: Raster, side: number, threshold: number, most: number): Promise<Found[]> {
    const { stride, step } = this.#model
    const input = fitted(picture, side, step)
    const out = await runBytes(this.#session, input.data, [1, input.height, input.width, 3])
    const map = { score: out.score!, corners: out.corners!, width: input.width / stride, height: input.height / stride }
    return peaks(map, this.#model, threshold, most).map(({ quad, score }) => ({
      score,
      quad: quad.map(([x, y]): Point => [x * input.scale, y * input.scale]) as unknown as Quad,
    }))
  }

  /**
   * A plate found before, looked for again in a small piece of the picture around it, enlarged: a small plate's corners become exact,
   * at a tenth of the cost of a closer look at the whole picture. Null when it is not there.
   */
  async nearer(picture: Raster, { quad }: Found, threshold: number): Promise<Found | null> {
    const window = around(picture, quad)
    const found = await this.find(window, NEAR.side, threshold, 2)
    const moved = found.map(({ score, quad }) => ({
      score,
      quad: quad.map(([x, y]): Point => [x + window.left, y + window.top]) as unknown as Quad,
    }))
    return moved.find((f) => overlap(f.quad, quad) > SAME) ?? null
  }

  async close(): Promise<void> {
    await this.#session.release()
  }
}

interface Window extends Raster {
  readonly left: number
  readonly top: number
}

/** The piece of the picture in which the plate takes up about half of the width. Pure. */
export function around(picture: Raster, quad: Quad): Window {
  const { width, height } = sides(quad)
  const wide = Math.max(NEAR.times * width, NEAR.times * height * NEAR.shape)
  const cx = (quad[0][0] + quad[1][0] + quad[2][0] + quad[3][0]) / 4
  const cy = (quad[0][1] + quad[1][1] + quad[2][1] + quad[3][1]) / 4
  const clamp = (v: number, most: number) => Math.max(0, Math.min(most, Math.round(v)))
  const left = clamp(cx - wide / 2, picture.width - 1)
  const top = clamp(cy - wide / NEAR.shape / 2, picture.height - 1)
  const right = Math.max(left + 1, clamp(cx + wide / 2, picture.width))
  const bottom = Math.max(top + 1, clamp(cy + wide / NEAR.shape / 2, picture.height))
  const data = new Uint8Array((right - left) * (bottom - top) * 3)
  for (let y = top; y < bottom; y++) {
    const row = (y * picture.width + left) * 3
    data.set(picture.data.subarray(row, row + (right - left) * 3), (y - top) * (right - left) * 3)
  }
  return { data, width: right - left, height: bottom - top, left, top }
}

export interface CentreMap {
  readonly width: number
  readonly height: number
  /** Probability of a plate's centre, row by row. */
  readonly score: Float32Array
  /** Eight planes: x and y of the four corners from the cell's centre. */
  readonly corners: Float32Array
}

/** Local maxima of the map over `threshold` as quads in pixels of the input; of overlapping ones the better. Pure. */
export function peaks(map: CentreMap, model: FinderModel, threshold: number, most: number): Found[] {
  const { width, height, score, corners } = map
  const found: Found[] = []
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x
      const s = score[at]!
      if (s < threshold || !highest(map, x, y, s)) continue
      const corner = (k: number): Point => [
        (x + 0.5) * model.stride + corners[2 * k * width * height + at]! * model.unit,
        (y + 0.5) * model.stride + corners[(2 * k + 1) * width * height + at]! * model.unit,
      ]
      const quad: Quad = [corner(0), corner(1), corner(2), corner(3)]
      if (convex(quad) && large(quad)) found.push({ quad, score: s })
    }
  }
  found.sort((a, b) => b.score - a.score)
  const kept: Found[] = []
  for (const one of found) {
    if (kept.length === most) break
    if (!kept.some((k) => overlap(k.quad, one.quad) > SAME)) kept.push(one)
  }
  return kept
}

function highest({ width, height, score }: CentreMap, x: number, y: number, s: number): boolean {
  for (let j = Math.max(0, y - 1); j <= Math.min(height - 1, y + 1); j++) {
    for (let i = Math.max(0, x - 1); i <= Math.min(width - 1, x + 1); i++) {
      const other = score[j * width + i]!
      // Of equals the first one counts.
      if (other > s || (other === s && (j < y || (j === y && i < x)))) return false
    }
  }
  return true
}

/** Lower or narrower ones cannot hold characters. */
const large = (quad: Quad): boolean => sides(quad).width > 8 && sides(quad).height > 3
