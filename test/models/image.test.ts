import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { decodePicture, MAX_BYTES } from '../../models/image.ts'
import { pngBomb } from '../harness/bad-pictures.ts'

const invalid = (words: RegExp) => expect.objectContaining({ code: 'IMAGE_INVALID', message: expect.stringMatching(words) })
const plain = (width: number, height: number) => sharp({ create: { width, height, channels: 3, background: '#808080' } })

describe('decoding', () => {
  it.each(['jpeg', 'png', 'webp'] as const)('takes %s, shrunk to the size asked for', async (format) => {
    const picture = await decodePicture(await plain(800, 400).toFormat(format).toBuffer(), 200)
    expect(picture).toMatchObject({ width: 200, height: 100, scale: 4, fullWidth: 800, fullHeight: 400 })
    expect(picture.data).toHaveLength(200 * 100 * 3)
  })
  it('does not enlarge, drops transparency, makes grey coloured', async () => {
    const grey = await plain(64, 32).greyscale().png().toBuffer()
    expect((await decodePicture(grey, 200)).data).toHaveLength(64 * 32 * 3)
    const clear = await plain(64, 32).ensureAlpha(0).png().toBuffer()
    expect(await decodePicture(clear, 200)).toMatchObject({ width: 64, height: 32, scale: 1 })
  })
  it('turns as EXIF says', async () => {
    const turned = await plain(300, 100).withMetadata({ orientation: 6 }).jpeg().toBuffer()
    expect(await decodePicture(turned, 1000)).toMatchObject({ width: 100, height: 300, fullWidth: 100, fullHeight: 300 })
  })

  const jpeg = plain(640, 480)
    .composite([{ input: Buffer.from('<svg width="640" height="480"><circle cx="300" cy="200" r="150" fill="red"/></svg>') }])
    .jpeg()
    .toBuffer()
  it('refuses what is no picture', async () => {
    await expect(decodePicture(Buffer.from('hello, I am text'), 640)).rejects.toEqual(invalid(/not a JPEG.*68656c6c/))
    await expect(decodePicture(new Uint8Array(0), 640)).rejects.toEqual(invalid(/nothing/))
    await expect(decodePicture(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'), 640)).rejects.toEqual(
      invalid(/not a/),
    )
    await expect(decodePicture(Buffer.from('ffd8ffe000104a46', 'hex'), 640)).rejects.toEqual(invalid(/cannot be used/))
  })
  it('refuses a truncated JPEG', async () => {
    const whole = await jpeg
    await expect(decodePicture(whole.subarray(0, whole.length >> 1), 640)).rejects.toEqual(invalid(/cannot be used/))
  })
  it('refuses 50 MB unread, and a bomb by its header', async () => {
    const big = Buffer.alloc(50 * 1024 * 1024)
    big.set(await jpeg)
    await expect(decodePicture(big, 640)).rejects.toEqual(invalid(/50\.0 MB.*20 MB/))
    const bomb = pngBomb(30_000, 30_000)
    expect(bomb.length).toBeLessThan(MAX_BYTES)
    await expect(decodePicture(bomb, 640)).rejects.toEqual(invalid(/pixel limit/i))
  })
  it('refuses pictures too small to hold a plate', async () => {
    await expect(decodePicture(await plain(640, 4).png().toBuffer(), 640)).rejects.toEqual(invalid(/640×4/))
  })
})

it('the bomb really is a PNG of that size', () => {
  expect(pngBomb(30, 20).subarray(16, 24).toString('hex')).toBe('0000001e00000014')
})
