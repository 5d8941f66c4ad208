/** Bytes of a camera → pixels. Everything that may be wrong with a picture ends here as IMAGE_INVALID. */
import sharp from 'sharp'
import { LuongError, messageOf } from '../gateway/kernel/errors.ts'

/** Larger files are refused unread. */
export const MAX_BYTES = 20 * 1024 * 1024
/** Pictures with more pixels are refused after reading their header. */
export const MAX_PIXELS = 50_000_000
/** Smaller pictures hold no readable plate. */
export const MIN_SIDE = 8

/** RGB, 8 bits, row by row. */
export interface Raster {
  readonly data: Uint8Array
  readonly width: number
  readonly height: number
}

export interface Picture extends Raster {
  /** Pixels of the original (turned as its EXIF says) for one pixel here. */
  readonly scale: number
  readonly fullWidth: number
  readonly fullHeight: number
}

sharp.cache(false)
sharp.concurrency(1)

/**
 * Decodes JPEG, PNG or WebP to at most `maxSide` pixels on the long side (JPEG shrinks while it decodes), turned as EXIF says.
 * @throws LuongError IMAGE_INVALID: no picture, truncated, or larger than the limits.
 */
export async function decodePicture(bytes: Uint8Array, maxSide: number): Promise<Picture> {
  refuseEarly(bytes)
  try {
    const options = { limitInputPixels: MAX_PIXELS, failOn: 'truncated', sequentialRead: true } as const
    const meta = await sharp(bytes, options).metadata()
    const { width, height } = meta.autoOrient
    if (Math.min(width, height) < MIN_SIDE) throw new Error(`only ${width}×${height} pixels`)
    const { data, info } = await sharp(bytes, options)
      .autoOrient()
      .resize({ width: maxSide, height: maxSide, fit: 'inside', withoutEnlargement: true, kernel: 'linear' })
      .flatten({ background: '#808080' })
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true })
    if (info.channels !== 3) throw new Error(`${info.channels} colour channels`)
    return { data, width: info.width, height: info.height, scale: width / info.width, fullWidth: width, fullHeight: height }
  } catch (cause) {
    throw new LuongError('IMAGE_INVALID', `picture cannot be used: ${messageOf(cause).trim().split('\n')[0]}`, { cause })
  }
}

function refuseEarly(bytes: Uint8Array): void {
  if (bytes.byteLength > MAX_BYTES) {
    const mb = (bytes.byteLength / 1024 / 1024).toFixed(1)
    throw new LuongError('IMAGE_INVALID', `picture has ${mb} MB, the limit is ${MAX_BYTES / 1024 / 1024} MB`)
  }
  if (!knownFormat(bytes)) {
    const head = Buffer.from(bytes.subarray(0, 4)).toString('hex') || 'nothing'
    throw new LuongError('IMAGE_INVALID', `not a JPEG, PNG or WebP picture: begins with ${head}`)
  }
}

/** Judged by the first bytes, so that no other decoder of the image library is ever reached (SVG, PDF, TIFF …). */
function knownFormat(b: Uint8Array): boolean {
  if (b[0] === 0xff && b[1] === 0xd8 && b[2] === 0xff) return true
  if (b[0] === 0x89 && b[1] === 0x50 && b[2] === 0x4e && b[3] === 0x47) return true
  return b[0] === 0x52 && b[1] === 0x49 && b[2] === 0x46 && b[3] === 0x46 && b[8] === 0x57 && b[9] === 0x45
}
