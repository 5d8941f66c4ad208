import { deflateSync } from 'node:zlib'
import fc from 'fast-check'
import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import { KNOWN_POINTERS, unwrapPicture } from '../../../../firmware-bridge/drivers/mqtt-camera/codec.ts'
import { pictureHead } from '../../../../firmware-bridge/drivers/mqtt-camera/picture.ts'
import { wrap } from '../../../../firmware-bridge/drivers/mqtt-camera/sim.ts'

const text = (s: string) => new TextEncoder().encode(s)
const bytes = (payload: Uint8Array | string) => (typeof payload === 'string' ? text(payload) : payload)
const limits = { maxBytes: 8 * 1_024 * 1_024 }
const pictures: Record<string, Buffer> = {}
const blank = () => sharp({ create: { width: 640, height: 360, channels: 3, background: '#345' } })

beforeAll(async () => {
  pictures.jpeg = await blank().jpeg().toBuffer()
  pictures.progressive = await blank().jpeg({ progressive: true }).toBuffer()
  pictures.exif = await blank()
    .withExif({ IFD0: { Make: 'Luong', ImageDescription: 'x'.repeat(5_000) } })
    .jpeg()
    .toBuffer()
  pictures.png = await blank().png().toBuffer()
  pictures.webp = await blank().webp().toBuffer()
  pictures['webp lossless'] = await blank().webp({ lossless: true }).toBuffer()
  pictures['webp extended'] = await blank().ensureAlpha(0.5).webp().toBuffer()
})

describe('the size from the header', () => {
  test.each(['jpeg', 'progressive', 'exif', 'png', 'webp', 'webp lossless', 'webp extended'])('%s', (name) => {
    expect(pictureHead(pictures[name]!)).toMatchObject({ width: 640, height: 360 })
  })

  test('as a decoder sees it, for any size', async () => {
    const size = fc.integer({ min: 1, max: 300 })
    await fc.assert(
      fc.asyncProperty(size, size, fc.constantFrom('jpeg', 'png', 'webp'), async (width, height, format) => {
        const picture = await sharp({ create: { width, height, channels: 3, background: 'red' } })
          .toFormat(format)
          .toBuffer()
        expect(pictureHead(picture)).toEqual({ format, width, height })
      }),
      { numRuns: 30 },
    )
  })

  test('a header cut off anywhere gives null or the right size, never a wrong one', () => {
    for (const picture of Object.values(pictures)) {
      for (let length = 0; length < Math.min(picture.length, 700); length++) {
        const head = pictureHead(picture.subarray(0, length))
        if (head !== null) expect(head).toMatchObject({ width: 640, height: 360 })
      }
    }
  })

  test('anything at all is survived', () => {
    const starts = ['ffd8ff', '89504e470d0a1a0a', '52494646000000005745425056503858', '52494646000000005745425056503820'].map((h) =>
      Buffer.from(h, 'hex'),
    )
    fc.assert(
      fc.property(fc.constantFrom(Buffer.alloc(0), ...starts), fc.uint8Array({ maxLength: 200 }), (start, rest) => {
        const head = pictureHead(Buffer.concat([start, rest]))
        if (head !== null) expect(head.width * head.height).toBeGreaterThan(0)
      }),
      { numRuns: 500 },
    )
  })

  test('a JPEG of empty segments without end is given up', () => {
    const segments = Buffer.alloc(4 * 1_000_000)
    for (let i = 0; i < segments.length; i += 4) segments.writeUInt32BE(0xffe00002, i)
    expect(pictureHead(Buffer.concat([Buffer.from([0xff, 0xd8]), segments]))).toBeNull()
    expect(pictureHead(Buffer.concat([Buffer.from([0xff, 0xd8]), Buffer.alloc(1_000_000, 0xff)]))).toBeNull()
  })
})

describe('all ways in which cameras wrap a picture', () => {
  test.each(['jpeg', 'png', 'webp'])('%s raw, base64, data URI, JSON', (name) => {
    const picture = pictures[name]!
    for (const form of ['raw', 'base64', 'data-uri', 'json'] as const) {
      const result = unwrapPicture(bytes(wrap(picture, form)), limits)
      expect('image' in result && Buffer.from(result.image).equals(picture), form).toBe(true)
    }
  })

  test('base64 in lines of 76, without padding, with a line break at the end', () => {
    const base64 = pictures.jpeg!.toString('base64')
    for (const form of [base64.replace(/.{76}/g, '$&\r\n'), base64.replace(/=+$/, ''), `${base64}\n`, `  ${base64}`]) {
      const result = unwrapPicture(text(form), limits)
      expect('image' in result && Buffer.from(result.image).equals(pictures.jpeg!)).toBe(true)
    }
  })

  test('Milesight: /values/image as a data URI', () => {
    const image = `data:image/jpeg;base64,${pictures.jpeg!.toString('base64')}`
    const message = { ts: 1682336818966, values: { devName: 'cổng 1', devMac: '5CC5638AE729', time: 1682336743, imageSize: 20941, image } }
    expect(unwrapPicture(text(JSON.stringify(message)), limits)).toMatchObject({ head: { format: 'jpeg' } })
  })

  test('Vzenith: full_image_content, bare base64', () => {
    const plate = {
      license: '6LWjR1o3UzEz',
      confidence: 100,
      full_image_content: pictures.jpeg!.toString('base64'),
      small_image_content: 'x',
    }
    const message = { id: '1', name: 'ivs_result', payload: { AlarmInfoPlate: { channel: 0, result: { PlateResult: plate } } } }
    expect(unwrapPicture(text(JSON.stringify(message)), limits)).toMatchObject({ head: { format: 'jpeg' } })
  })

  test.each([...KNOWN_POINTERS, '/a~1b/~0c/0'])('JSON pointer %s', (pointer) => {
    const own = KNOWN_POINTERS.includes(pointer as never) ? limits : { ...limits, pointer }
    expect(unwrapPicture(bytes(wrap(pictures.jpeg!, 'json', pointer)), own)).toMatchObject({ head: { width: 640 } })
  })
})

describe('what is refused, and why', () => {
  const refusal = (payload: Uint8Array | string, own: object = {}) => {
    const result = unwrapPicture(bytes(payload), { ...limits, ...own })
    return 'refusal' in result ? result.refusal : 'taken'
  }
  const png = (width: number, height: number) => {
    const ihdr = Buffer.alloc(25)
    ihdr.writeUInt32BE(13, 0)
    ihdr.write('IHDR', 4, 'latin1')
    ihdr.writeUInt32BE(width, 8)
    ihdr.writeUInt32BE(height, 12)
    return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), ihdr, deflateSync(Buffer.alloc(100))])
  }

  test('text, JSON and base64 of other things', () => {
    expect(refusal('')).toBe('empty')
    expect(refusal('camera offline')).toBe('no_picture')
    expect(refusal('{"image":')).toBe('bad_json')
    expect(refusal('[1,2')).toBe('bad_json')
    expect(refusal('{"temperature":31}')).toBe('no_picture')
    expect(refusal('{"image":7}')).toBe('no_picture')
    expect(refusal('{"picture":"/9j/"}', { pointer: '/image' })).toBe('no_picture')
    expect(refusal(text('hello world, this is base64').map((b) => b))).toBe('no_picture')
    expect(refusal(Buffer.from('a picture of a truck').toString('base64'))).toBe('no_picture')
    expect(refusal('data:text/plain;base64,aGVsbG8=')).toBe('no_picture')
    expect(refusal('data:image/jpeg,rawbytes')).toBe('no_picture')
    expect(refusal('data:image/jpeg;base64,/9j/4AA*')).toBe('bad_base64')
    expect(refusal('/9j/4AA*')).toBe('bad_base64')
    expect(refusal('/9j/4')).toBe('bad_base64')
    expect(refusal('data:image/jpeg;base64,')).toBe('bad_base64')
    expect(refusal(Buffer.from('%PDF-1.7'))).toBe('no_picture')
    expect(refusal(Buffer.from('GIF89a'))).toBe('no_picture')
  })

  test('base64 with any one character broken or lost', () => {
    const base64 = pictures.jpeg!.toString('base64')
    fc.assert(
      fc.property(fc.nat(base64.length - 5), fc.constantFrom('*', ' ', '=', '\u0000', '%', ''), (at, broken) => {
        // Behind the first characters, so that it is still known for a picture.
        const i = Math.max(5, at)
        expect(refusal(base64.slice(0, i) + broken + base64.slice(i + 1))).toBe('bad_base64')
      }),
    )
  })

  test('a truncated header', () => {
    expect(refusal(pictures.jpeg!.subarray(0, 20))).toBe('no_picture')
    expect(refusal(pictures.jpeg!.subarray(0, 20).toString('base64'))).toBe('no_picture')
  })

  test('50 MB are not even looked at', () => {
    const huge = Buffer.alloc(50 * 1_024 * 1_024, 0xff)
    pictures.jpeg!.copy(huge)
    expect(refusal(huge)).toBe('too_large')
  })

  test('a picture bomb: small to send, huge to decode', () => {
    expect(refusal(png(30_000, 30_000))).toBe('too_many_pixels')
    expect(refusal(png(0xffffffff, 0xffffffff))).toBe('too_many_pixels')
    expect(refusal(png(8_000, 5_000))).toBe('taken')
    expect(refusal(png(8_000, 5_001))).toBe('too_many_pixels')
    expect(refusal(png(0, 100))).toBe('no_picture')
    expect(refusal(wrap(png(30_000, 30_000), 'json'))).toBe('too_many_pixels')
  })

  test('anything at all is survived', () => {
    const any = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.string().map(text), fc.json().map(text), fc.base64String().map(text))
    fc.assert(
      fc.property(any, (payload) => {
        const result = unwrapPicture(payload, limits)
        expect('image' in result || result.why.length > 0).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})
