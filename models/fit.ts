/** A whole picture shrunk or grown to the detector's input. Pure. */
import type { Raster } from './image.ts'

export interface Fitted extends Raster {
  /** Pixels of the source for one pixel here. */
  readonly scale: number
}

/** Beside the picture: the grey that training put there. */
const GREY = 114
/** Small pictures are enlarged at most so much: more shows nothing new. */
const ENLARGE = 3
/** Samples a pixel in each direction, at most. */
const SAMPLES = 4

/**
 * `from` in the top left corner of the smallest canvas whose sides are multiples of `step`, its own long side `side`.
 * Shrinks by averaging several samples a pixel, so that thin strokes between them are not lost; else bilinear.
 */
export function fitted(from: Raster, side: number, step: number): Fitted {
  const k = Math.min(ENLARGE, side / Math.max(from.width, from.height))
  const width = Math.max(1, Math.round(from.width * k))
  const height = Math.max(1, Math.round(from.height * k))
  const wide = Math.ceil(width / step) * step
  const high = Math.ceil(height / step) * step
  const to = new Uint8Array(wide * high * 3)
  if (wide !== width || high !== height) to.fill(GREY)
  const n = Math.max(1, Math.min(SAMPLES, Math.round(1 / k)))
  if (n > 1) average(from, to, width, height, wide, n)
  else bilinear(from, to, width, height, wide)
  return { data: to, width: wide, height: high, scale: 1 / k }
}

/** n × n nearest samples a pixel. */
function average(from: Raster, to: Uint8Array, width: number, height: number, wide: number, n: number): void {
  const columns = positions(width * n, from.width, 3)
  const rows = positions(height * n, from.height, from.width * 3)
  const { data } = from
  const share = 1 / (n * n)
  for (let y = 0; y < height; y++) {
    let o = y * wide * 3
    for (let x = 0; x < width; x++) {
      let [r, g, b] = [0, 0, 0]
      for (let j = y * n; j < y * n + n; j++) {
        for (let i = x * n; i < x * n + n; i++) {
          const p = rows[j]! + columns[i]!
          r += data[p]!
          g += data[p + 1]!
          b += data[p + 2]!
        }
      }
      to[o++] = r * share + 0.5
      to[o++] = g * share + 0.5
      to[o++] = b * share + 0.5
    }
  }
}

/** Offsets of the source cells under `count` samples spread evenly over `size` cells. */
function positions(count: number, size: number, stride: number): Int32Array {
  return Int32Array.from({ length: count }, (_, k) => Math.min(size - 1, Math.floor(((k + 0.5) * size) / count)) * stride)
}

function bilinear(from: Raster, to: Uint8Array, width: number, height: number, wide: number): void {
  const { data } = from
  const stride = from.width * 3
  for (let y = 0; y < height; y++) {
    const py = Math.max(0, Math.min(from.height - 1, ((y + 0.5) * from.height) / height - 0.5))
    const y0 = py | 0
    const fy = py - y0
    const down = y0 < from.height - 1 ? stride : 0
    let o = y * wide * 3
    for (let x = 0; x < width; x++) {
      const px = Math.max(0, Math.min(from.width - 1, ((x + 0.5) * from.width) / width - 0.5))
      const x0 = px | 0
      const fx = px - x0
      const p = y0 * stride + x0 * 3
      const q = p + (x0 < from.width - 1 ? 3 : 0)
      const w00 = (1 - fx) * (1 - fy)
      const w01 = fx * (1 - fy)
      const w10 = (1 - fx) * fy
      const w11 = fx * fy
      for (let c = 0; c < 3; c++) {
        to[o++] = data[p + c]! * w00 + data[q + c]! * w01 + data[p + down + c]! * w10 + data[q + down + c]! * w11 + 0.5
      }
    }
  }
}
