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
/** A picture this near to the wanted size is taken as it is: scaling it costs more than looking at a few more pixels. */
const AS_IT_IS = 0.1
/** Samples a pixel in each direction, at most. */
const SAMPLES = 4

/**
 * `from` in the top left corner of the smallest canvas whose sides are multiples of `step`, its own long side about `side`.
 * Shrinks by averaging several samples a pixel, so that thin strokes between them are not lost; else bilinear.
 */
export function fitted(from: Raster, side: number, step: number): Fitted {
  const wanted = Math.min(ENLARGE, side / Math.max(from.width, from.height))
  const k = Math.abs(wanted - 1) < AS_IT_IS ? 1 : wanted
  const width = Math.max(1, Math.round(from.width * k))
  const height = Math.max(1, Math.round(from.height * k))
  const wide = Math.ceil(width / step) * step
  const high = Math.ceil(height / step) * step
  const to = new Uint8Array(wide * high * 3)
  if (wide !== width || high !== height) to.fill(GREY)
  const n = Math.max(1, Math.min(SAMPLES, Math.round(1 / k)))
  if (k === 1) copy(from, to, wide)
  else if (n > 1) average(from, to, width, height, wide, n)
  else bilinear(from, to, width, height, wide)
  return { data: to, width: wide, height: high, scale: 1 / k }
}

function copy({ data, width, height }: Raster, to: Uint8Array, wide: number): void {
  for (let y = 0; y < height; y++) to.set(data.subarray(y * width * 3, (y + 1) * width * 3), y * wide * 3)
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

/** Fixed point, 8 bits of fraction: this touches every pixel of every picture, and numbers of that kind are four times as fast here. */
function bilinear(from: Raster, to: Uint8Array, width: number, height: number, wide: number): void {
  const { data } = from
  const stride = from.width * 3
  const { at, step, fraction } = between(width, from.width, 3)
  const rows = between(height, from.height, stride)
  for (let y = 0; y < height; y++) {
    const up = rows.at[y]!
    const down = rows.step[y]!
    const fy = rows.fraction[y]!
    let o = y * wide * 3
    for (let x = 0; x < width; x++) {
      const fx = fraction[x]!
      const p = up + at[x]!
      const q = p + step[x]!
      // The weights of the four cells around the place; they make up 65,536.
      const w11 = fx * fy
      const w10 = (fy << 8) - w11
      const w01 = (fx << 8) - w11
      const w00 = 0x10000 - w11 - w10 - w01
      to[o] = (data[p]! * w00 + data[q]! * w01 + data[p + down]! * w10 + data[q + down]! * w11 + 0x8000) >> 16
      to[o + 1] = (data[p + 1]! * w00 + data[q + 1]! * w01 + data[p + down + 1]! * w10 + data[q + down + 1]! * w11 + 0x8000) >> 16
      to[o + 2] = (data[p + 2]! * w00 + data[q + 2]! * w01 + data[p + down + 2]! * w10 + data[q + down + 2]! * w11 + 0x8000) >> 16
      o += 3
    }
  }
}

/** For each of `count` cells where its centre lies among `size`: offset of the cell before it, of the next from there, and how far between, of 256. */
function between(count: number, size: number, stride: number) {
  const [at, step, fraction] = [new Int32Array(count), new Int32Array(count), new Int32Array(count)]
  for (let i = 0; i < count; i++) {
    const place = Math.max(0, Math.min(size - 1, ((i + 0.5) * size) / count - 0.5))
    const cell = Math.floor(place)
    at[i] = cell * stride
    step[i] = cell < size - 1 ? stride : 0
    fraction[i] = Math.round((place - cell) * 256)
  }
  return { at, step, fraction }
}
