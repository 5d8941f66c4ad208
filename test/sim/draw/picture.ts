/** From a scene to the JPEGs of a camera: drawn once per vehicle and side, then each frame a little different. */
import sharp from 'sharp'
import { between, type Rng, rng } from '../random.ts'
import type { XY } from './path.ts'
import { drawScene, type SceneView } from './scene.ts'

export interface PictureSize {
  readonly width: number
  readonly height: number
}
export const HD: PictureSize = { width: 1280, height: 720 }
export const QHD: PictureSize = { width: 960, height: 540 }

/** Room around the picture, so that frames can shift. */
const MARGIN = 24

/** A vehicle drawn once; frames are cut from it. */
export interface Still {
  readonly size: PictureSize
  readonly pixels: Buffer
  readonly night: boolean
  /** Of the plate in the unshifted frame. */
  readonly quad: readonly [XY, XY, XY, XY]
}

/** Renders the scene of a seed, with the softness of its lens. About 80 ms of one core at 960×540, off the main thread. */
export async function still(view: SceneView, seed: string | number, size: PictureSize = QHD): Promise<Still> {
  const r = rng(seed, 'scene')
  const scene = drawScene(view, size.width + 2 * MARGIN, size.height + 2 * MARGIN, r)
  const pixels = await sharp(Buffer.from(scene.svg))
    .removeAlpha()
    .blur(between(r, 0.4, 0.8))
    .raw()
    .toBuffer()
  const [a, b, c, d] = scene.quad.map(([x, y]): XY => [x - MARGIN, y - MARGIN])
  return { size, pixels, night: view.night, quad: [a!, b!, c!, d!] }
}

/** One frame as the camera sends it: shifted by `creep` 0…1 (far to near), lighter or darker, noisy, JPEG. About 15 ms of one core. */
export async function frame(picture: Still, seed: string | number, creep = 1): Promise<Buffer> {
  const r = rng(seed, 'frame')
  const { size } = picture
  const left = MARGIN + Math.round(between(r, -6, 6))
  const top = Math.round(MARGIN + between(r, -4, 4) + (1 - Math.min(1, Math.max(0, creep))) * (MARGIN - 4))
  const dim = picture.night ? between(r, 0.62, 0.78) : between(r, 0.9, 1.05)
  const pixels = expose(picture, left, top, dim, between(r, -4, 6), r)
  return sharp(pixels, { raw: { ...size, channels: 3 } })
    .jpeg({ quality: Math.round(between(r, 76, 84)) })
    .toBuffer()
}

/** Cuts the window out, with the frame's brightness and the sensor's noise. */
function expose({ size, pixels, night }: Still, left: number, top: number, dim: number, lift: number, r: Rng): Uint8ClampedArray {
  const { width, height } = size
  const light = Int16Array.from({ length: 256 }, (_, v) => v * dim + lift)
  const noise = grain(night)
  const out = new Uint8ClampedArray(width * height * 3)
  const stride = (width + 2 * MARGIN) * 3
  let o = 0
  for (let y = 0; y < height; y++) {
    let p = (top + y) * stride + left * 3
    // Another stretch of the noise in each row.
    let n = Math.floor(r() * (GRAIN - width))
    for (let x = 0; x < width; x++) {
      const dot = noise[n++]!
      out[o++] = light[pixels[p++]!]! + dot
      out[o++] = light[pixels[p++]!]! + dot
      out[o++] = light[pixels[p++]!]! + dot
    }
  }
  return out
}

const GRAIN = 1 << 17
const grains = new Map<boolean, Int8Array>()

/** Sensor noise, made once: stronger at night. */
function grain(night: boolean): Int8Array {
  const known = grains.get(night)
  if (known) return known
  const r = rng('grain', night ? 1 : 0)
  const strength = night ? 15 : 9
  const made = Int8Array.from({ length: GRAIN }, () => (r() + r() + r() - 1.5) * strength)
  grains.set(night, made)
  return made
}

/** Loads fonts and makes noise ahead of time, so that the first truck in view does not hold up a line that waits for an answer. */
export async function warmUp(): Promise<void> {
  for (const [text, country] of [
    ['24C12345', 'vn'],
    ['云桂挂A1234', 'cn'],
  ] as const) {
    await frame(await still({ plate: { text, country, colour: 'yellow', lines: 2 }, side: 'rear', night: country === 'cn' }, 0), 0)
  }
}
