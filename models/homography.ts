/** A quadrilateral of a picture as an upright one: the projective map of a rectangle's corners (Heckbert 1989), sampled. Pure. */
import { sides } from './geometry.ts'
import type { Raster } from './image.ts'
import type { Point, Quad } from './plate.ts'

/** x = (a·u + b·v + c) / (g·u + h·v + 1), y = (d·u + e·v + f) / (g·u + h·v + 1), for u, v in 0…1. */
export type Homography = readonly [a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number]

/** The map of the unit square's corners (0,0) (1,0) (1,1) (0,1) onto `quad`. Degenerate quads give an affine map. */
export function fromUnitSquare(quad: Quad): Homography {
  const [[x0, y0], [x1, y1], [x2, y2], [x3, y3]] = quad
  const dx1 = x1 - x2
  const dx2 = x3 - x2
  const dx3 = x0 - x1 + x2 - x3
  const dy1 = y1 - y2
  const dy2 = y3 - y2
  const dy3 = y0 - y1 + y2 - y3
  const det = dx1 * dy2 - dx2 * dy1
  const flat = Math.abs(det) < 1e-9
  const g = flat ? 0 : (dx3 * dy2 - dx2 * dy3) / det
  const h = flat ? 0 : (dx1 * dy3 - dx3 * dy1) / det
  return [x1 - x0 + g * x1, x3 - x0 + h * x3, x0, y1 - y0 + g * y1, y3 - y0 + h * y3, y0, g, h]
}

/** Where the point (u, v) of the unit square lies. */
export function project([a, b, c, d, e, f, g, h]: Homography, u: number, v: number): Point {
  const w = g * u + h * v + 1
  return [(a * u + b * v + c) / w, (d * u + e * v + f) / w]
}

/**
 * Writes `quad`, widened by `margin` of its width and height on each side, as `width` × `height` RGB into `to` at `offset`.
 * Bilinear, averaging over as many samples as shrinking needs (at most 4 × 4); outside of the picture its edge goes on.
 */
export function rectify(from: Raster, quad: Quad, margin: number, width: number, height: number, to: Uint8Array, offset: number): void {
  const [a, b, c, d, e, f, g, h] = fromUnitSquare(quad)
  const inside = 1 - 2 * margin
  const size = sides(quad)
  const nu = Math.min(4, Math.max(1, Math.round(size.width / inside / width)))
  const nv = Math.min(4, Math.max(1, Math.round(size.height / inside / height)))
  const n = nu * nv
  const { data } = from
  const stride = from.width * 3
  const maxX = from.width - 1
  const maxY = from.height - 1
  let o = offset
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let red = 0
      let green = 0
      let blue = 0
      for (let j = 0; j < nv; j++) {
        const v = ((y + (j + 0.5) / nv) / height - margin) / inside
        for (let i = 0; i < nu; i++) {
          const u = ((x + (i + 0.5) / nu) / width - margin) / inside
          const w = 1 / (g * u + h * v + 1)
          const px = Math.max(0, Math.min(maxX, (a * u + b * v + c) * w - 0.5))
          const py = Math.max(0, Math.min(maxY, (d * u + e * v + f) * w - 0.5))
          const x0 = px | 0
          const y0 = py | 0
          const fx = px - x0
          const fy = py - y0
          const p = y0 * stride + x0 * 3
          const q = p + (x0 < maxX ? 3 : 0)
          const down = y0 < maxY ? stride : 0
          const w00 = (1 - fx) * (1 - fy)
          const w01 = fx * (1 - fy)
          const w10 = (1 - fx) * fy
          const w11 = fx * fy
          red += data[p]! * w00 + data[q]! * w01 + data[p + down]! * w10 + data[q + down]! * w11
          green += data[p + 1]! * w00 + data[q + 1]! * w01 + data[p + down + 1]! * w10 + data[q + down + 1]! * w11
          blue += data[p + 2]! * w00 + data[q + 2]! * w01 + data[p + down + 2]! * w10 + data[q + down + 2]! * w11
        }
      }
      to[o++] = red / n + 0.5
      to[o++] = green / n + 0.5
      to[o++] = blue / n + 0.5
    }
  }
}
