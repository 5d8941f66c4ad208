/** A whole picture shrunk or grown to the detector's input. Pure. */
import { blend } from './blend.ts'
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
  const shrink = Math.round(1 / k)
  if (k === 1) copy(from, to, wide)
  else if (shrink >= 3) averageOfNine(from, to, width, height, wide)
  else if (shrink === 2) averageOfFour(from, to, width, height, wide)
  else bilinear(from, to, width, height, wide)
  return { data: to, width: wide, height: high, scale: 1 / k }
}

function copy({ data, width, height }: Raster, to: Uint8Array, wide: number): void {
  for (let y = 0; y < height; y++) to.set(data.subarray(y * width * 3, (y + 1) * width * 3), y * wide * 3)
}

/** 2 × 2 nearest samples a pixel. Written out, as the next: with loops over samples or colours it takes three times as long. */
function averageOfFour(from: Raster, to: Uint8Array, width: number, height: number, wide: number): void {
  const columns = positions(width * 2, from.width, 3)
  const rows = positions(height * 2, from.height, from.width * 3)
  const { data } = from
  for (let y = 0; y < height; y++) {
    const up = rows[2 * y]!
    const down = rows[2 * y + 1]!
    let o = y * wide * 3
    for (let x = 0; x < width; x++) {
      const left = columns[2 * x]!
      const right = columns[2 * x + 1]!
      const p = up + left
      const q = up + right
      const r = down + left
      const s = down + right
      to[o] = (data[p]! + data[q]! + data[r]! + data[s]! + 2) >> 2
      to[o + 1] = (data[p + 1]! + data[q + 1]! + data[r + 1]! + data[s + 1]! + 2) >> 2
      to[o + 2] = (data[p + 2]! + data[q + 2]! + data[r + 2]! + data[s + 2]! + 2) >> 2
      o += 3
    }
  }
}

/** A ninth, of 65,536. */
const NINTH = 7282

/** 3 × 3 nearest samples a pixel. */
function averageOfNine(from: Raster, to: Uint8Array, width: number, height: number, wide: number): void {
  const columns = positions(width * 3, from.width, 3)
  const rows = positions(height * 3, from.height, from.width * 3)
  const { data } = from
  for (let y = 0; y < height; y++) {
    const p = rows[3 * y]!
    const q = rows[3 * y + 1]!
    const r = rows[3 * y + 2]!
    let o = y * wide * 3
    for (let x = 0; x < width; x++) {
      const left = columns[3 * x]!
      const middle = columns[3 * x + 1]!
      const right = columns[3 * x + 2]!
      const p0 = p + left
      const p1 = p + middle
      const p2 = p + right
      const q0 = q + left
      const q1 = q + middle
      const q2 = q + right
      const r0 = r + left
      const r1 = r + middle
      const r2 = r + right
      to[o] =
        ((data[p0]! + data[p1]! + data[p2]! + data[q0]! + data[q1]! + data[q2]! + data[r0]! + data[r1]! + data[r2]!) * NINTH + 0x8000) >> 16
      to[o + 1] =
        ((data[p0 + 1]! +
          data[p1 + 1]! +
          data[p2 + 1]! +
          data[q0 + 1]! +
          data[q1 + 1]! +
          data[q2 + 1]! +
          data[r0 + 1]! +
          data[r1 + 1]! +
          data[r2 + 1]!) *
          NINTH +
          0x8000) >>
        16
      to[o + 2] =
        ((data[p0 + 2]! +
          data[p1 + 2]! +
          data[p2 + 2]! +
          data[q0 + 2]! +
          data[q1 + 2]! +
          data[q2 + 2]! +
          data[r0 + 2]! +
          data[r1 + 2]! +
          data[r2 + 2]!) *
          NINTH +
          0x8000) >>
        16
      o += 3
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
      blend(data, p, q, down, fx, fy, to, o)
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
