/** Plates in a picture: our own detector's map of centres and corners (models/training/detector.py) → quads. */
import { fitted } from './fit.ts'
import { centre, convex, enlarged, mapped, overlap, sides, slope } from './geometry.ts'
import { fromUnitSquare, project, rectify } from './homography.ts'
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
const NEAR = { side: 192, shape: 1.5, times: 2.1 } as const

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
      quad: enlarged(quad, input.scale),
    }))
  }

  /**
   * A plate found before, looked for again in a small piece of the picture around it, enlarged: a small plate's corners become exact,
   * at a tenth of the cost of a closer look at the whole picture. Null when it is not there.
   */
  async nearer(picture: Raster, { quad }: Found, threshold: number): Promise<Found | null> {
    const window = around(quad)
    const width = NEAR.side
    const height = Math.round(width / NEAR.shape)
    const data = new Uint8Array(width * height * 3)
    rectify(picture, window, 0, width, height, data, 0)
    const found = await this.find({ data, width, height }, width, threshold, 2)
    const back = fromUnitSquare(window)
    const moved = found.map(({ score, quad }) => ({
      score,
      quad: mapped(quad, ([x, y]) => project(back, x / width, y / height)),
    }))
    return moved.find((f) => overlap(f.quad, quad) > SAME) ?? null
  }

  async close(): Promise<void> {
    await this.#session.release()
  }
}

/**
 * The piece of a picture around a plate in which it takes up less than half of the width: its long sides as steep as the plate's, its short
 * ones upright, for so a plate's are in the pictures of a camera that stands upright, however its long ones slope. The detector, which is
 * exact for plates that are nearly level, takes steep ones for turned rectangles. Pure.
 */
export function around(quad: Quad): Quad {
  const { width, height } = sides(quad)
  const wide = Math.max(NEAR.times * width, NEAR.times * height * NEAR.shape)
  const turn = slope(quad)
  const [right, down] = [(Math.cos(turn) * wide) / 2, (Math.sin(turn) * wide) / 2]
  const half = wide / NEAR.shape / 2
  const [x, y] = centre(quad)
  return [
    [x - right, y - down - half],
    [x + right, y + down - half],
    [x + right, y + down + half],
    [x - right, y - down + half],
  ]
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
