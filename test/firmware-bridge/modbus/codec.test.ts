import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeReply,
  decodeRequest,
  encodeException,
  encodeReply,
  encodeRequest,
  type Reply,
  type Request,
  readTcpFrame,
  replyLength,
  rtuFrame,
  rtuValid,
  tcpFrame,
} from '../../../firmware-bridge/modbus/codec.ts'
import { requestReader } from '../../../firmware-bridge/modbus/server.ts'
import { VirtualClock } from '../../../gateway/kernel/virtual-clock.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex').toUpperCase().replace(/../g, '$& ').trim()
const bytes = (text: string) => Uint8Array.from(Buffer.from(text.replace(/ /g, ''), 'hex'))

const u16 = fc.integer({ min: 0, max: 0xffff })
const requests: fc.Arbitrary<Request> = fc.oneof(
  fc.record({ fc: fc.constantFrom(1 as const, 2 as const), addr: u16, count: fc.integer({ min: 1, max: 2000 }) }),
  fc.record({ fc: fc.constantFrom(3 as const, 4 as const), addr: u16, count: fc.integer({ min: 1, max: 125 }) }),
  fc.record({ fc: fc.constantFrom(5 as const, 6 as const), addr: u16, value: u16 }),
  fc.record({ fc: fc.constant(15 as const), addr: u16, bits: fc.array(fc.boolean(), { minLength: 1, maxLength: 100 }) }),
  fc.record({ fc: fc.constant(16 as const), addr: u16, values: fc.array(u16, { minLength: 1, maxLength: 100 }) }),
)
const answered = requests.chain((r): fc.Arbitrary<[Request, Reply]> => {
  if (r.fc === 1 || r.fc === 2) return fc.array(fc.boolean(), { minLength: r.count, maxLength: r.count }).map((bits) => [r, { bits }])
  if (r.fc === 3 || r.fc === 4) return fc.array(u16, { minLength: r.count, maxLength: r.count }).map((registers) => [r, { registers }])
  return fc.constant([r, {}])
})

describe('frames as the vendors publish them', () => {
  it.each<[string, number, Request]>([
    ['01 05 00 00 FF 00 8C 3A', 1, { fc: 5, addr: 0, value: 0xff00 }],
    ['01 05 00 00 00 00 CD CA', 1, { fc: 5, addr: 0, value: 0 }],
    ['01 05 00 00 55 00 F2 9A', 1, { fc: 5, addr: 0, value: 0x5500 }],
    ['01 05 02 00 00 07 8D B0', 1, { fc: 5, addr: 0x200, value: 7 }],
    ['01 05 02 00 00 0A 4C 75', 1, { fc: 5, addr: 0x200, value: 10 }],
    ['01 05 04 00 00 0A 4C FD', 1, { fc: 5, addr: 0x400, value: 10 }],
    ['01 05 00 FF FF 00 BC 0A', 1, { fc: 5, addr: 0xff, value: 0xff00 }],
    ['01 05 00 FF 00 00 FD FA', 1, { fc: 5, addr: 0xff, value: 0 }],
    ['01 0F 00 00 00 08 01 FF BE D5', 1, { fc: 15, addr: 0, bits: Array(8).fill(true) }],
    ['01 01 00 00 00 08 3D CC', 1, { fc: 1, addr: 0, count: 8 }],
    ['01 02 00 00 00 08 79 CC', 1, { fc: 2, addr: 0, count: 8 }],
    ['00 06 40 00 00 01 5C 1B', 0, { fc: 6, addr: 0x4000, value: 1 }],
    ['00 03 40 00 00 01 90 1B', 0, { fc: 3, addr: 0x4000, count: 1 }],
    ['01 03 80 00 00 01 AD CA', 1, { fc: 3, addr: 0x8000, count: 1 }],
    ['FF 02 00 00 00 08 6C 12', 255, { fc: 2, addr: 0, count: 8 }],
    ['FF 10 00 03 00 02 04 00 04 00 0A 45 97', 255, { fc: 16, addr: 3, values: [4, 10] }],
    ['FF 05 00 00 FF 00 99 E4', 255, { fc: 5, addr: 0, value: 0xff00 }],
    ['01 06 00 01 01 00 D9 9A', 1, { fc: 6, addr: 1, value: 0x0100 }],
    ['01 06 00 01 02 00 D9 6A', 1, { fc: 6, addr: 1, value: 0x0200 }],
    ['01 06 00 01 05 00 DB 5A', 1, { fc: 6, addr: 1, value: 0x0500 }],
    ['01 06 00 01 06 0A 5B AD', 1, { fc: 6, addr: 1, value: 0x060a }],
    ['01 03 00 01 00 08 15 CC', 1, { fc: 3, addr: 1, count: 8 }],
    ['01 03 00 80 00 08 45 E4', 1, { fc: 3, addr: 0x80, count: 8 }],
    ['01 05 00 01 01 00 9D 9A', 1, { fc: 5, addr: 1, value: 0x0100 }],
  ])('%s', (frame, unit, request) => {
    expect(hex(rtuFrame(unit, encodeRequest(request)))).toBe(frame)
    expect(decodeRequest(bytes(frame).subarray(1, -2))).toEqual(request)
    expect(rtuValid(bytes(frame))).toBe(true)
  })

  it('reads the published answers', () => {
    const bits = (text: string, fcode: 1 | 2) => decodeReply({ fc: fcode, addr: 0, count: 8 }, bytes(text).subarray(1, -2), 'x').bits
    expect(bits('01 01 01 00 51 88', 1)).toEqual(Array(8).fill(false))
    expect(bits('01 02 01 01 60 48', 2)).toEqual([true, ...Array(7).fill(false)])
    expect(bits('FF 02 01 01 51 A0', 2)).toEqual([true, ...Array(7).fill(false)])
    expect(rtuValid(bytes('01 85 02 C3 51'))).toBe(true)
    expect(() => decodeReply({ fc: 5, addr: 9, value: 0 }, bytes('85 02'), 'io-1')).toThrow(
      'io-1 refused function 5 at address 9: illegal address',
    )
  })
})

describe('codec', () => {
  it('gives back every request and every answer', () => {
    fc.assert(
      fc.property(answered, ([request, reply]) => {
        expect(decodeRequest(encodeRequest(request))).toEqual(request)
        const pdu = encodeReply(request, reply)
        expect(pdu.length).toBe(replyLength(request))
        expect(decodeReply(request, pdu, 'x')).toEqual(reply)
      }),
    )
  })

  it('takes no answer to another request of the same kind for a write', () => {
    fc.assert(
      fc.property(u16, u16, u16, u16, (a, v, b, w) => {
        fc.pre(a !== b || v !== w)
        const other = encodeReply({ fc: 5, addr: b, value: w }, {})
        expect(() => decodeReply({ fc: 5, addr: a, value: v }, other, 'x')).toThrow(/another address or value/)
      }),
    )
  })

  it('never throws anything but a known error on any bytes', () => {
    fc.assert(
      fc.property(requests, fc.uint8Array({ maxLength: 300 }), (request, pdu) => {
        decodeRequest(pdu)
        readTcpFrame(pdu)
        try {
          decodeReply(request, pdu, 'x')
        } catch (error) {
          expect(error).toMatchObject({ name: 'LuongError' })
        }
      }),
    )
  })

  it('names exceptions', () => {
    expect(() => decodeReply({ fc: 2, addr: 0, count: 8 }, encodeException(2, 6), 'io-1')).toThrow(/busy/)
    expect(() => decodeReply({ fc: 2, addr: 0, count: 8 }, encodeException(2, 77), 'io-1')).toThrow(/code 77/)
  })

  it('finds every single flipped bit in a frame', () => {
    const frame = rtuFrame(1, encodeRequest({ fc: 5, addr: 0, value: 0xff00 }))
    for (let bit = 0; bit < frame.length * 8; bit++) {
      const broken = frame.slice()
      broken[bit >> 3]! ^= 1 << (bit & 7)
      expect(rtuValid(broken)).toBe(false)
    }
  })
})

describe('the devices side', () => {
  it('finds the requests however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('rtu' as const, 'tcp' as const),
        fc.array(requests, { minLength: 1, maxLength: 5 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
        (framing, list, sizes) => {
          const pdus = list.map(encodeRequest).filter((pdu) => pdu.length < 250)
          const stream = Buffer.concat(pdus.map((pdu, i) => (framing === 'rtu' ? rtuFrame(7, pdu) : tcpFrame(i, 7, pdu))))
          const read = requestReader(framing, new VirtualClock({ epoch: 0 }))
          const got: string[] = []
          for (let i = 0; i < stream.length; ) {
            const size = sizes.next().value as number
            got.push(...read(stream.subarray(i, i + size)).map((r) => hex(r.pdu)))
            i += size
          }
          expect(got).toEqual(pdus.map(hex))
        },
      ),
    )
  })

  it('skips noise before a request', () => {
    const read = requestReader('rtu', new VirtualClock({ epoch: 0 }))
    const frame = rtuFrame(1, encodeRequest({ fc: 2, addr: 0, count: 8 }))
    expect(read(Uint8Array.from([0, 0x99, ...frame])).length).toBe(1)
  })
})
