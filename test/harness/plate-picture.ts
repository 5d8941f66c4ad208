/** Pictures of plates for reader tests, from the simulated world's own drawing. */
import sharp from 'sharp'
import { onto, pathData } from '../sim/draw/path.ts'
import { drawPlate, type PlateLook } from '../sim/draw/plate.ts'

/** A plate that fills the picture, `width` pixels wide, as PNG. */
export async function platePicture(look: PlateLook, width = 260): Promise<Buffer> {
  const plate = drawPlate(look)
  const height = Math.round((width * plate.height) / plate.width)
  const map = onto(plate.width, plate.height, [
    [0, 0],
    [width, 0],
    [width, height],
    [0, height],
  ])
  const shapes = plate.shapes.map(
    (s) => `<path fill="${s.fill}"${s.hollow ? ' fill-rule="evenodd"' : ''} d="${pathData(s.outline, map)}"/>`,
  )
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${shapes.join('')}</svg>`
  return sharp(Buffer.from(svg)).flatten({ background: '#303030' }).blur(0.6).png().toBuffer()
}

/** A plate somewhere in a grey scene, turned by `angle` degrees, or seen from the side: its long edges at `slope` degrees, its short ones upright. As JPEG. */
export async function plateScene(
  look: PlateLook,
  options: { width?: number; angle?: number; slope?: number; plate?: number } = {},
): Promise<Buffer> {
  const { width = 960, angle = 0, slope = 0, plate = 200 } = options
  const height = Math.round((width * 9) / 16)
  const cut = await sharp(await platePicture(look, plate))
    .rotate(angle, { background: '#56606a' })
    .affine([1, 0, Math.tan((slope * Math.PI) / 180), 1], { background: '#56606a' })
    .toBuffer()
  return greyScene([{ input: cut, left: Math.round(width * 0.55), top: Math.round(height * 0.5) }], width, height)
}

/** Pictures on grey, as JPEG. */
export function greyScene(parts: readonly { input: Buffer; left: number; top: number }[], width = 1280, height = 720): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background: '#56606a' } })
    .composite([...parts])
    .jpeg({ quality: 85 })
    .toBuffer()
}
