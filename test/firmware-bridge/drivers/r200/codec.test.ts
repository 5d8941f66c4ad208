import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  CMD,
  encode,
  encodeTag,
  errorWords,
  framing,
  multi,
  NO_TAG,
  single,
  stop,
  TYPE,
  tagCrc,
  tagOf,
} from '../../../../firmware-bridge/drivers/r200/codec.ts'

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const hex = (b: Uint8Array) => Buffer.from(b).toString('hex').toUpperCase()
/** The tag of the M100 command manual. */
const NOTICE = 'BB 02 22 00 11 C9 34 00 30 75 1F EB 70 5C 59 04 E3 D5 0D 70 3A 76 EF 7E'

describe('vectors', () => {
  it('questions', () => {
    expect(single).toEqual(bytes('BB 00 22 00 00 22 7E'))
    expect(multi).toEqual(bytes('BB 00 27 00 03 22 FF FF 4A 7E'))
    expect(stop).toEqual(bytes('BB 00 28 00 00 28 7E'))
  })

  it('no tag', () => {
    expect(encode(TYPE.answer, CMD.error, [NO_TAG])).toEqual(bytes('BB 01 FF 00 01 15 16 7E'))
    expect(framing.decode(bytes('BB 01 FF 00 01 15 16 7E'))).toMatchObject({ type: 1, command: 0xff, parameters: bytes('15') })
  })

  it('a tag, with the CRC that it sent itself', () => {
    const frame = framing.decode(bytes(NOTICE))!
    expect(frame).toMatchObject({ type: TYPE.notice, command: CMD.single, raw: bytes(NOTICE) })
    const tag = tagOf(frame)!
    expect(tag).toEqual({ epc: '30751FEB705C5904E3D50D70', pc: 0x3400, rssi: -55, crc: '3A76' })
    expect(tagCrc(bytes(`3400${tag.epc}`))).toBe(0x3a76)
    expect(encodeTag(tag)).toEqual(bytes(NOTICE))
  })
})

it('is exact: any other length, checksum, type or end is no frame', () => {
  const good = bytes(NOTICE)
  for (let i = 0; i < good.length; i++) {
    const bad = Uint8Array.from(good)
    bad[i]! ^= 0x01
    expect(framing.decode(bad), `byte ${i}`).toBeNull()
  }
  expect(framing.length(bytes('BB 03'), 0)).toBe(0)
  expect(framing.length(bytes('BB 02 22 40 00'), 0)).toBe(0)
  expect(framing.length(bytes('BB 02 22'), 0)).toBeNull()
})

it('tells tags of any length, and no tag without an EPC', () => {
  const tag = fc.record({
    epc: fc.uint8Array({ minLength: 1, maxLength: 31 }).map((b) => hex(Buffer.concat([b, b]))),
    pc: fc.nat(0xffff),
    rssi: fc.integer({ min: -128, max: 127 }),
    crc: fc.uint8Array({ minLength: 2, maxLength: 2 }).map(hex),
  })
  fc.assert(fc.property(tag, (t) => void expect(tagOf(framing.decode(encodeTag(t))!)).toEqual(t)))
  for (const length of [0, 1, 4, 5, 6, 8, 68, 69, 128])
    expect(tagOf(framing.decode(encode(TYPE.notice, CMD.single, new Uint8Array(length)))!), `${length}`).toBeNull()
})

it('never throws on bytes, and refuses to make a frame that is too long', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (b) => {
      const frame = framing.decode(b)
      if (frame) tagOf(frame)
      for (let i = 0; i < b.length; i++) framing.length(b, i)
    }),
  )
  expect(() => encode(0, 0, new Uint8Array(129))).toThrow(RangeError)
})

it('says what errors mean', () => {
  expect(errorWords(0x17)).toContain('17')
  expect(errorWords(0x20)).toContain('frequency')
  expect(errorWords(0xa3)).toBe('the reader reports error A3')
})
