/** Takes parts out of a picture, turned level and resized. Bilinear, with as many samples a pixel as shrinking needs. */
import { type Box, corners } from './geometry.ts'
import type { Raster } from './image.ts'

/** The content of `box` as an upright RGB picture of `width` × `height`; outside of the picture its edge goes on. */
export function cut(from: Raster, box: Box, width: number, height: number): Raster {
  const [tl, tr, , bl] = corners(box)
  const out = new Uint8Array(width * height * 3)
  const nu = Math.min(4, Math.max(1, Math.round(box.width / width)))
  const nv = Math.min(4, Math.max(1, Math.round(box.height / height)))
  const n = nu * nv
  const du: readonly [number, number] = [(tr[0] - tl[0]) / (width * nu), (tr[1] - tl[1]) / (width * nu)]
  const dv: readonly [number, number] = [(bl[0] - tl[0]) / (height * nv), (bl[1] - tl[1]) / (height * nv)]
  const { data } = from
  const stride = from.width * 3
  const maxX = from.width - 1
  const maxY = from.height - 1
  let o = 0
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let r = 0
      let g = 0
      let b = 0
      for (let j = 0; j < nv; j++) {
        const v = y * nv + j + 0.5
        for (let i = 0; i < nu; i++) {
          const u = x * nu + i + 0.5
          let px = tl[0] + u * du[0] + v * dv[0] - 0.5
          let py = tl[1] + u * du[1] + v * dv[1] - 0.5
          px = Math.max(0, Math.min(maxX, px))
          py = Math.max(0, Math.min(maxY, py))
          const x0 = px | 0
          const y0 = py | 0
          const fx = px - x0
          const fy = py - y0
          const a = y0 * stride + x0 * 3
          const right = x0 < maxX ? 3 : 0
          const down = y0 < maxY ? stride : 0
          const w00 = (1 - fx) * (1 - fy)
          const w01 = fx * (1 - fy)
          const w10 = (1 - fx) * fy
          const w11 = fx * fy
          const c = a + down
          r += data[a]! * w00 + data[a + right]! * w01 + data[c]! * w10 + data[c + right]! * w11
          g += data[a + 1]! * w00 + data[a + right + 1]! * w01 + data[c + 1]! * w10 + data[c + right + 1]! * w11
          b += data[a + 2]! * w00 + data[a + right + 2]! * w01 + data[c + 2]! * w10 + data[c + right + 2]! * w11
        }
      }
      out[o++] = r / n + 0.5
      out[o++] = g / n + 0.5
      out[o++] = b / n + 0.5
    }
  }
  return { data: out, width, height }
}

/** Mean and deviation of the channels in the order the model wants them: `order` says which of R, G, B comes first. */
export interface Norm {
  readonly mean: readonly [number, number, number]
  readonly std: readonly [number, number, number]
  readonly order: readonly [number, number, number]
}

/** The picture as planes of (value/255 − mean)/std, one after another: what a model takes. */
export function toPlanes(from: Raster, norm: Norm): Float32Array {
  const size = from.width * from.height
  const to = new Float32Array(3 * size)
  for (let k = 0; k < 3; k++) {
    const channel = norm.order[k]!
    const scale = 1 / (255 * norm.std[k]!)
    const shift = norm.mean[k]! / norm.std[k]!
    let i = channel
    for (let o = k * size; o < (k + 1) * size; o++, i += 3) to[o] = from.data[i]! * scale - shift
  }
  return to
}
