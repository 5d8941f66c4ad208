import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  answers,
  CMD,
  crc16,
  encodeAnswer,
  encodeRequest,
  encodeTags,
  type Family,
  inventory,
  pushedTag,
  requests,
  STATUS,
  tagsOf,
} from '../../../../firmware-bridge/drivers/chafon/codec.ts'

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const FAMILIES: readonly Family[] = ['18', '288']

describe('vectors', () => {
  it('questions', () => {
    expect(inventory('18', 0xff, 1, 200)).toEqual(bytes('04 FF 01 1B B4'))
    expect(inventory('18', 0, 1, 200)).toEqual(bytes('04 00 01 DB 4B'))
    expect(encodeRequest(0xff, CMD.info)).toEqual(bytes('04 FF 21 19 95'))
    expect(inventory('288', 0xff, 2, 2_000).subarray(0, -2)).toEqual(bytes('0D FF 01 04 00 01 00 00 00 00 81 14'))
  })

  it.each<[string, Family, string, number, ReturnType<typeof tagsOf>]>([
    ['one tag', '18', '13000103010c0000000000000000000003133f39', 3, [{ epc: '000000000000000000000313', rssi: null, antenna: null }]],
    [
      'two tags',
      '18',
      '20000103020c0000000000000000000003130c0000000000000000000003149ac9',
      3,
      [
        { epc: '000000000000000000000313', rssi: null, antenna: null },
        { epc: '000000000000000000000314', rssi: null, antenna: null },
      ],
    ],
    ['antenna 1', '288', '1500010301010c0000000000000000000003136bb1a5', 3, [{ epc: '000000000000000000000313', rssi: 0x6b, antenna: 1 }]],
    ['antenna 3', '288', '1500010304010c49440000000000000a0003346425c0', 3, [{ epc: '49440000000000000A000334', rssi: 0x64, antenna: 3 }]],
    ['a short EPC', '288', '0d000103010104003230386da3d2', 3, [{ epc: '00323038', rssi: 0x6d, antenna: 1 }]],
    ['none', '288', '0700010101001e4b', 1, []],
  ])('answers: %s', (_, family, raw, status, tags) => {
    const frame = answers.decode(bytes(raw))!
    expect(frame).toMatchObject({ address: 0, command: CMD.inventory, status })
    expect(tagsOf(family, frame.data)).toEqual(tags)
  })

  it('no tag', () => {
    expect(answers.decode(encodeAnswer(0, CMD.inventory, STATUS.noTag))).toMatchObject({ status: 0xfb, data: new Uint8Array(0) })
  })

  it('tags that are pushed', () => {
    expect(pushedTag('18', bytes('E28068940000500012345678'))).toEqual({ epc: 'E28068940000500012345678', rssi: null, antenna: null })
    expect(pushedTag('288', bytes('04 04 E2001234 6B'))).toEqual({ epc: 'E2001234', rssi: 0x6b, antenna: 3 })
    // Two antennas at once: which one is not known.
    expect(pushedTag('288', bytes('05 04 E2001234 6B'))!.antenna).toBeNull()
  })
})

it('the CRC goes on to zero over a whole frame', () => {
  fc.assert(
    fc.property(fc.nat(255), fc.nat(255), fc.nat(255), fc.uint8Array({ maxLength: 200 }), (address, command, status, data) => {
      const frame = encodeAnswer(address, command, status, data)
      expect(crc16(frame)).toBe(0)
      expect(answers.decode(frame)).toMatchObject({ address, command, status, data, raw: frame })
      expect(requests.decode(encodeRequest(address, command, data))).toMatchObject({ address, command, data })
    }),
  )
})

it('tells any tags again, and nothing when the data does not add up', () => {
  const tag = fc.record({
    epc: fc.uint8Array({ minLength: 1, maxLength: 12 }).map((b) => Buffer.from(b).toString('hex').toUpperCase()),
    rssi: fc.nat(255),
  })
  fc.assert(
    fc.property(fc.constantFrom(...FAMILIES), fc.integer({ min: 1, max: 4 }), fc.array(tag, { maxLength: 8 }), (family, antenna, tags) => {
      const data = Uint8Array.from(encodeTags(family, antenna, tags))
      const rich = family === '288'
      expect(tagsOf(family, data)).toEqual(tags.map(({ epc, rssi }) => ({ epc, rssi: rich ? rssi : null, antenna: rich ? antenna : null })))
      expect(tagsOf(family, Uint8Array.from([...data, 0]))).toBeNull()
      if (tags.length > 0) expect(tagsOf(family, data.subarray(0, -1))).toBeNull()
    }),
  )
})

it('never throws on bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 260 }), (b) => {
      for (const framing of [answers, requests]) {
        framing.decode(b)
        for (let i = 0; i < b.length; i++) framing.length(b, i)
      }
      for (const family of FAMILIES) for (const read of [tagsOf, pushedTag]) read(family, b)
    }),
  )
  expect(() => encodeAnswer(0, 1, 0, new Uint8Array(255))).toThrow(RangeError)
})
