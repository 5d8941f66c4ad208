/** A quadrilateral of a picture as an upright one: the projective map of a rectangle's corners (Heckbert 1989), sampled. Pure. */
import { blend } from './blend.ts'
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

/** Samples a pixel in each direction, at most. */
const SAMPLES = 4

/**
 * Writes `quad`, widened by `margin` of its width and height on each side, as `width` × `height` RGB into `to` at `offset`.
 * Bilinear where one sample a pixel is enough; shrinking, the mean of the nearest cells of up to 4 × 4 samples. Outside of the
 * picture its edge goes on.
 */
export function rectify(from: Raster, quad: Quad, margin: number, width: number, height: number, to: Uint8Array, offset: number): void {
  const inside = 1 - 2 * margin
  const size = sides(quad)
  const samples = (pixels: number, least: number) => Math.min(SAMPLES, Math.max(least, Math.round(pixels)))
  const across = size.width / inside / width
  const down = size.height / inside / height
  // Nearest cells jump by half a pixel: never with one sample in either direction.
  const least = Math.max(samples(across, 1), samples(down, 1)) > 1 ? 2 : 1
  const nu = samples(across, least)
  const nv = samples(down, least)
  const [a, b, c, d, e, f, g, h] = fromUnitSquare(quad)
  // In samples instead of shares of the plate: u = (i + 0.5) / (nu · width · inside) - margin / inside, and v likewise.
  const du = 1 / (nu * width * inside)
  const dv = 1 / (nv * height * inside)
  const u0 = 0.5 * du - margin / inside
  const v0 = 0.5 * dv - margin / inside
  const map: Homography = [a * du, b * dv, a * u0 + b * v0 + c, d * du, e * dv, d * u0 + e * v0 + f, g * du, h * dv]
  const whole = g * u0 + h * v0 + 1
  const scaled = map.map((x) => x / whole) as unknown as Homography
  if (nu * nv === 1) bilinear(from, scaled, width, height, to, offset)
  else nearest(from, scaled, width, height, nu, nv, to, offset)
}

/** One sample a pixel, in fixed point. Most plates lie in the middle of the picture: then no sample needs to be held back at its edges. */
function bilinear(from: Raster, map: Homography, width: number, height: number, to: Uint8Array, offset: number): void {
  const { data, width: w, height: t } = from
  const [a, b, c, d, e, f, g, h] = map
  const stride = w * 3
  const maxX = (w - 1) << 8
  const maxY = (t - 1) << 8
  const inside = within(from, map, width, height)
  let o = offset
  for (let y = 0; y < height; y++) {
    let across = b * y + c
    let along = e * y + f
    let far = h * y + 1
    for (let x = 0; x < width; x++) {
      const k = 256 / far
      let px = (across * k - 127.5) | 0
      let py = (along * k - 127.5) | 0
      let right = 3
      let down = stride
      if (!inside) {
        px = Math.max(0, Math.min(maxX, px))
        py = Math.max(0, Math.min(maxY, py))
        if (px === maxX) right = 0
        if (py === maxY) down = 0
      }
      const p = (py >> 8) * stride + (px >> 8) * 3
      blend(data, p, p + right, down, px & 255, py & 255, to, o)
      o += 3
      across += a
      along += d
      far += g
    }
  }
}

/** Whether all of the rectangle's samples lie at least a pixel inside of the picture: as its corners do, so does what is between them. */
function within({ width: w, height: t }: Raster, map: Homography, width: number, height: number): boolean {
  return [0, width - 1].every((x) =>
    [0, height - 1].every((y) => {
      const [px, py] = project(map, x, y)
      return map[6] * x + map[7] * y + 1 > 0 && px >= 1 && px <= w - 1 && py >= 1 && py <= t - 1
    }),
  )
}

/** `map` goes from samples to pixels: nu × nv of them make one pixel of the result. */
function nearest(
  from: Raster,
  map: Homography,
  width: number,
  height: number,
  nu: number,
  nv: number,
  to: Uint8Array,
  offset: number,
): void {
  const [a, b, c, d, e, f, g, h] = map
  const { data } = from
  const stride = from.width * 3
  const maxX = from.width - 1
  const maxY = from.height - 1
  const share = Math.round(0x10000 / (nu * nv))
  let o = offset
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let red = 0
      let green = 0
      let blue = 0
      for (let j = y * nv; j < y * nv + nv; j++) {
        for (let i = x * nu; i < x * nu + nu; i++) {
          const k = 1 / (g * i + h * j + 1)
          const px = Math.max(0, Math.min(maxX, ((a * i + b * j + c) * k) | 0))
          const py = Math.max(0, Math.min(maxY, ((d * i + e * j + f) * k) | 0))
          const p = py * stride + px * 3
          red += data[p]!
          green += data[p + 1]!
          blue += data[p + 2]!
        }
      }
      to[o] = (red * share + 0x8000) >> 16
      to[o + 1] = (green * share + 0x8000) >> 16
      to[o + 2] = (blue * share + 0x8000) >> 16
      o += 3
    }
  }
}
