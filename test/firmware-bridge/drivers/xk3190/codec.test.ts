import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Cut,
  decode,
  decodeCommand,
  encodeCommand,
  encodeContinuous,
  encodeReply,
  FrameCutter,
  kilograms,
  type Shown,
} from '../../../../firmware-bridge/drivers/xk3190/codec.ts'
import { Stability } from '../../../../firmware-bridge/drivers/xk3190/stability.ts'

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const shownOf = (cuts: Cut[]) => cuts.flatMap(({ decoded }) => ('shown' in decoded ? [decoded.shown] : []))

/** Field captures and computed frames. */
const VECTORS: [string, Shown][] = [
  ['02 2B 30 30 30 30 30 30 30 31 42 03', { digits: 0, decimals: 0 }],
  ['02 2B 30 30 31 35 36 30 30 31 39 03', { digits: 1_560, decimals: 0 }],
  ['02 2B 30 33 38 34 32 30 30 31 36 03', { digits: 38_420, decimals: 0 }],
  ['02 2D 30 30 30 31 32 30 30 31 45 03', { digits: -120, decimals: 0 }],
  ['02 2B 30 31 32 33 34 35 32 31 38 03', { digits: 12_345, decimals: 2 }],
]
const shown = fc.record({ digits: fc.integer({ min: -999_999, max: 999_999 }), decimals: fc.integer({ min: 0, max: 4 }) })
const split = (bytes: Uint8Array, sizes: number[]) => {
  const parts: Uint8Array[] = []
  for (let at = 0, i = 0; at < bytes.length; at += sizes[i++ % sizes.length]!) parts.push(bytes.subarray(at, at + sizes[i % sizes.length]!))
  return parts
}
const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 10 })

describe('continuous frames', () => {
  test.each(VECTORS)('%s', (text, expected) => {
    expect(decode(hex(text), 'continuous')).toEqual({ shown: expected })
    expect(Buffer.from(encodeContinuous(expected)).toString('hex')).toBe(text.replaceAll(' ', '').toLowerCase())
  })

  test('what is encoded is decoded again', () => {
    fc.assert(
      fc.property(shown, (value) => {
        expect(decode(encodeContinuous(value), 'continuous')).toEqual({ shown: value })
      }),
    )
  })

  test('no single changed byte goes unnoticed', () => {
    for (const [text, expected] of VECTORS) {
      const good = hex(text)
      for (let i = 0; i < good.length; i++) {
        for (let byte = 0; byte < 256; byte++) {
          if (byte === good[i]) continue
          const result = decode(
            good.map((b, k) => (k === i ? byte : b)),
            'continuous',
          )
          expect('shown' in result, `${text}: byte ${i} as ${byte.toString(16)} was read as ${JSON.stringify(expected)}`).toBe(false)
        }
      }
    }
  })

  test('letters with a right check are no number', () => {
    const body = Buffer.from('+   OL 0', 'latin1')
    const xor = body.reduce((a, b) => a ^ b, 0)
    const digit = (n: number) => n + (n <= 9 ? 0x30 : 0x37)
    expect(decode(Uint8Array.from([2, ...body, digit(xor >> 4), digit(xor & 15), 3]), 'continuous')).toEqual({ unreadable: true })
  })

  test('what six digits cannot show is refused', () => {
    for (const digits of [1_000_000, -1_000_000, 1.5, Number.NaN])
      expect(() => encodeContinuous({ digits, decimals: 0 })).toThrow(RangeError)
    for (const decimals of [-1, 5, 0.5]) expect(() => encodeContinuous({ digits: 1, decimals })).toThrow(RangeError)
  })

  test('kilograms', () => {
    expect(kilograms({ digits: 12_345, decimals: 2 }, 'kg')).toBe(123.45)
    expect(kilograms({ digits: 38_420, decimals: 3 }, 't')).toBe(38_420)
    expect(kilograms({ digits: -120, decimals: 0 }, 'kg')).toBe(-120)
  })
})

describe('command mode', () => {
  test.each([
    ['B', '02 41 42 30 33 03'],
    ['D', '02 41 44 30 35 03'],
    ['A', '02 41 41 30 30 03'],
  ] as const)('command %s', (command, text) => {
    expect(encodeCommand('A', command)).toEqual(hex(text))
    expect(decodeCommand(hex(text))).toEqual({ address: 'A', command })
  })

  test('a reply has 14 bytes and says whom it is from', () => {
    fc.assert(
      fc.property(shown, fc.constantFrom('A', 'K', 'Z'), (value, address) => {
        const reply = encodeReply(address, 'B', value)
        expect(reply.length).toBe(14)
        expect(decode(reply, 'reply')).toEqual({ shown: value, address, command: 'B' })
      }),
    )
  })

  test('broken commands are none', () => {
    for (const text of ['02 41 42 30 34 03', '02 41 42 30 33', '03 41 42 30 33 03', '']) expect(decodeCommand(hex(text))).toBeNull()
  })
})

describe.each(['continuous', 'reply'] as const)('cutting a stream of %s frames', (format) => {
  const encode = (value: Shown) => (format === 'reply' ? encodeReply('A', 'B', value) : encodeContinuous(value))

  test('finds every frame, however it is split and merged', () => {
    fc.assert(
      fc.property(fc.array(shown, { maxLength: 20 }), sizes, (values, cuts) => {
        const cutter = new FrameCutter(format)
        const seen = split(Buffer.concat(values.map(encode)), cuts).flatMap((part) => shownOf(cutter.push(part)))
        expect(seen).toEqual(values)
        expect(cutter.skipped).toBe(0)
      }),
    )
  })

  test('is in step again at the first whole frame after any garbage, and holds less than a frame', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), sizes, shown, shown, (garbage, cuts, first, second) => {
        const cutter = new FrameCutter(format)
        for (const part of split(garbage, cuts)) {
          cutter.push(part)
          expect(cutter.held).toBeLessThan(14)
        }
        const seen = shownOf(cutter.push(Buffer.concat([encode(first), encode(second)])))
        expect(seen.slice(-2)).toEqual([first, second])
      }),
    )
  })

  test('a frame cut short does not swallow the next one', () => {
    fc.assert(
      fc.property(shown, shown, fc.integer({ min: 1, max: 11 }), (lost, value, length) => {
        const cutter = new FrameCutter(format)
        const seen = shownOf(cutter.push(Buffer.concat([encode(lost).subarray(0, length), encode(value)])))
        expect(seen).toEqual([value])
      }),
    )
  })

  test('a flood of STX is worked off and forgotten', () => {
    const cutter = new FrameCutter(format)
    expect(cutter.push(new Uint8Array(200_000).fill(2))).toEqual([])
    expect(cutter.held).toBeLessThan(14)
  })
})

test('a frame with a wrong check is reported, and the one after it found', () => {
  const cutter = new FrameCutter('continuous')
  const bad = hex(VECTORS[1]![0]).map((b, i) => (i === 5 ? b ^ 1 : b))
  const cuts = cutter.push(Buffer.concat([bad, hex(VECTORS[2]![0])]))
  expect(cuts.map(({ decoded }) => decoded)).toEqual([{ bad: 'check' }, { shown: { digits: 38_420, decimals: 0 } }])
  expect(cutter.skipped).toBe(12)
})

describe('stability', () => {
  const options = { divisionKg: 20, stableMs: 1_000, readings: 5 }
  const run = (weights: number[], step = 100) => {
    const stability = new Stability(options)
    return weights.map((kg, i) => stability.take(kg, i * step))
  }

  test('equal readings for long enough', () => {
    expect(run(Array(12).fill(38_420))).toEqual([...Array(10).fill(false), true, true])
  })

  test('one division of sway is allowed, two are not', () => {
    expect(
      run([
        ...Array(10)
          .fill(0)
          .map((_, i) => 38_420 + (i % 2) * 20),
        38_420,
      ]).at(-1),
    ).toBe(true)
    expect(
      run([
        ...Array(10)
          .fill(0)
          .map((_, i) => 38_420 + (i % 2) * 40),
        38_420,
      ]).at(-1),
    ).toBe(false)
  })

  test('too few readings are not enough, however long they took', () => {
    expect(run([0, 0, 0, 0, 0], 5_000)).toEqual([false, false, false, false, true])
  })

  test('stable means: all readings of the last stableMs within one division of each other, both ways', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 60 }), (steps) => {
        const weights = steps.map((n) => n * 20)
        for (const [i, stable] of run(weights).entries()) {
          if (!stable) continue
          const window = weights.slice(i - 10, i + 1)
          expect(Math.max(...window) - Math.min(...window)).toBeLessThanOrEqual(40)
        }
      }),
    )
  })
})
