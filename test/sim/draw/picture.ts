/** From a scene to the JPEGs of a camera: drawn once per vehicle and side, then each frame a little different. */
import sharp, { type OverlayOptions } from 'sharp'
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

/** Renders the scene of a seed. About 25 ms at 960×540. */
export async function still(view: SceneView, seed: string | number, size: PictureSize = QHD): Promise<Still> {
  const scene = drawScene(view, size.width + 2 * MARGIN, size.height + 2 * MARGIN, rng(seed, 'scene'))
  const pixels = await sharp(Buffer.from(scene.svg)).removeAlpha().raw().toBuffer()
  const [a, b, c, d] = scene.quad.map(([x, y]): XY => [x - MARGIN, y - MARGIN])
  return { size, pixels, night: view.night, quad: [a!, b!, c!, d!] }
}

/** One frame as the camera sends it: shifted by `creep` 0…1 (far to near), blurred, noisy, JPEG. */
export async function frame(picture: Still, seed: string | number, creep = 1): Promise<Buffer> {
  const r = rng(seed, 'frame')
  const { width, height } = picture.size
  const left = MARGIN + Math.round(between(r, -6, 6))
  const top = Math.round(MARGIN + between(r, -4, 4) + (1 - Math.min(1, Math.max(0, creep))) * (MARGIN - 4))
  const dim = picture.night ? between(r, 0.62, 0.78) : between(r, 0.9, 1.05)
  return sharp(picture.pixels, { raw: { width: width + 2 * MARGIN, height: height + 2 * MARGIN, channels: 3 } })
    .extract({ left, top, width, height })
    .blur(between(r, 0.4, 0.8))
    .linear(dim, between(r, -4, 6))
    .composite([await grain(picture.size, picture.night, r)])
    .jpeg({ quality: Math.round(between(r, 76, 84)) })
    .toBuffer()
}

const grains = new Map<string, Buffer>()

/** Sensor noise: grey dots of varying strength, made once per size and cut at another place for each frame. */
async function grain(size: PictureSize, night: boolean, r: Rng): Promise<OverlayOptions> {
  const w = size.width + 64
  const h = size.height + 64
  const key = `${w}x${h}${night ? 'n' : 'd'}`
  let pixels = grains.get(key)
  if (!pixels) {
    const n = rng(key)
    pixels = Buffer.alloc(w * h * 4)
    const strength = night ? 34 : 20
    for (let i = 0; i < pixels.length; i += 4) {
      const v = n() < 0.5 ? 0 : 255
      pixels[i] = v
      pixels[i + 1] = v
      pixels[i + 2] = v
      pixels[i + 3] = n() * n() * strength
    }
    grains.set(key, pixels)
  }
  const left = Math.floor(r() * 64)
  const top = Math.floor(r() * 64)
  const cut = await sharp(pixels, { raw: { width: w, height: h, channels: 4 } })
    .extract({ left, top, ...size })
    .raw()
    .toBuffer()
  return { input: cut, raw: { ...size, channels: 4 } }
}
