import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as chafon from '../../firmware-bridge/drivers/chafon/codec.ts'
import * as r200 from '../../firmware-bridge/drivers/r200/codec.ts'
import { FrameCutter, type Framing } from '../../firmware-bridge/frame-cutter.ts'

const hex = (b: Uint8Array) => Buffer.from(b).toString('hex')
const epc = fc.uint8Array({ minLength: 1, maxLength: 31 }).map((b) => hex(Buffer.concat([b, b])).toUpperCase())
const r200Frame = fc.oneof(
  fc
    .record({ epc, pc: fc.nat(0xffff), rssi: fc.integer({ min: -128, max: 127 }), crc: fc.constantFrom('3A76', '0000', 'BB7E') })
    .map(r200.encodeTag),
  fc.constant(r200.encode(r200.TYPE.answer, r200.CMD.error, [r200.NO_TAG])),
)
const chafonFrame = fc
  .record({ address: fc.nat(254), status: fc.nat(255), data: fc.uint8Array({ maxLength: 120 }) })
  .map(({ address, status, data }) => chafon.encodeAnswer(address, chafon.CMD.inventory, status, data))

/** The longest frame each protocol can have. */
const CASES: [string, Framing<{ raw: Uint8Array }>, fc.Arbitrary<Uint8Array>, number][] = [
  ['r200', r200.framing, r200Frame, 135],
  ['chafon', chafon.answers, chafonFrame, 256],
]

/** 16 bits of CRC let one in 65,536 pieces of noise through, and these try many: always the same ones. */
const FIXED = { numRuns: 200, seed: 7 }

/** Cuts a stream at these places. */
function pieces(stream: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = [...new Set(cuts.map((c) => c % (stream.length + 1)))].sort((a, b) => a - b)
  return [0, ...at].map((from, i) => stream.subarray(from, at[i] ?? stream.length))
}

describe.each(CASES)('frames of %s', (name, framing, frame, longest) => {
  it('are found however the stream is split', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 6 }), fc.array(fc.nat(2_000), { maxLength: 30 }), (frames, cuts) => {
        const cutter = new FrameCutter(framing)
        const found = pieces(Buffer.concat(frames), cuts).flatMap((piece) => cutter.push(piece))
        expect(found.map((f) => hex(f.raw))).toEqual(frames.map(hex))
        expect([cutter.held, cutter.skipped, cutter.bad]).toEqual([0, 0, 0])
      }),
    )
  })

  it('come through any bytes: nothing throws, what is held back is bounded, no byte is lost from the count', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }), (chunks) => {
        const cutter = new FrameCutter(framing)
        let taken = 0
        for (const chunk of chunks) {
          for (const { raw } of cutter.push(chunk)) taken += raw.length
          expect(cutter.held).toBeLessThan(longest)
        }
        for (const { raw } of cutter.flush()) taken += raw.length
        expect(cutter.held).toBe(0)
        expect(cutter.skipped + taken).toBe(chunks.reduce((n, c) => n + c.length, 0))
      }),
    )
  })

  it('are found again after noise, at the latest when the line goes quiet', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 80 }), frame, (noise, good) => {
        const cutter = new FrameCutter(framing)
        const found = [...cutter.push(noise), ...cutter.push(good), ...cutter.flush()]
        // Noise with a head in it and the right sum at the right place would be a frame.
        if (name === 'r200' && noise.includes(0xbb)) return
        expect(found.map((f) => hex(f.raw))).toContain(hex(good))
        expect(cutter.bad).toBeGreaterThan(0)
      }),
      FIXED,
    )
  })

  it('are dropped when a byte is changed, and the next one is found', () => {
    fc.assert(
      fc.property(frame, frame, fc.nat(), fc.integer({ min: 1, max: 255 }), (first, next, place, change) => {
        const broken = Uint8Array.from(first)
        broken[place % broken.length]! ^= change
        const cutter = new FrameCutter(framing)
        const found = [...cutter.push(broken), ...cutter.push(next), ...cutter.flush()].map((f) => hex(f.raw))
        expect(found).not.toContain(hex(first) === hex(next) ? '' : hex(first))
        expect(found).toContain(hex(next))
      }),
      FIXED,
    )
  })
})

it('a frame begun is forgotten when the line is lost', () => {
  const cutter = new FrameCutter(r200.framing)
  cutter.push(r200.single.subarray(0, 4))
  cutter.reset()
  expect([cutter.held, cutter.skipped]).toEqual([0, 4])
  expect(cutter.push(r200.single)).toHaveLength(1)
})
