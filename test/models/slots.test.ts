import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { givenPlate, type Looked, mean } from '../../models/slots.ts'

const ALPHABET = [...'-0123456789ABC']
const SLOTS = 9
/** A plate of `length` characters, each `sure`; the rest of the probability is spread over the other characters. */
function plate(length: number, sure: number): number[][] {
  return Array.from({ length: SLOTS }, (_, i) => {
    const own = i < length ? 1 + (i % 10) : 0
    return ALPHABET.map((_, k) => (k === own ? sure : i < length && k === 0 ? 0 : (1 - sure) / (ALPHABET.length - (i < length ? 2 : 1))))
  })
}
const flat = (rows: readonly number[][]) => ({ slots: SLOTS, alphabet: ALPHABET, data: Float32Array.from(rows.flat()) })
/** What a reader says that takes it for nothing with the probability `nothing`: then all slots are empty. */
const doubting = (rows: readonly number[][], nothing: number) =>
  rows.map((row) => row.map((p, k) => p * (1 - nothing) + (k === 0 ? nothing : 0)))

describe('what is read, given that it is a plate', () => {
  it('is what it was where there is no doubt', () => {
    const probs = flat(plate(8, 0.97))
    const given = givenPlate(probs, 0.99)
    expect(given.plate).toBe(0.99)
    given.probs.data.forEach((p, i) => {
      expect(p).toBeCloseTo(probs.data[i]!, 5)
    })
  })

  it('is freed from the doubt, which is told once', () => {
    const cases = fc.record({
      length: fc.integer({ min: 7, max: 9 }),
      sure: fc.double({ min: 0.3, max: 1, noNaN: true }),
      nothing: fc.double({ min: 0, max: 0.85, noNaN: true }),
    })
    fc.assert(
      fc.property(cases, ({ length, sure, nothing }) => {
        const rows = plate(length, sure)
        const given = givenPlate(flat(doubting(rows, nothing)), 1)
        expect(given.plate).toBeCloseTo(1 - nothing, 4)
        rows.flat().forEach((p, i) => {
          expect(given.probs.data[i]).toBeCloseTo(p, 3)
        })
      }),
    )
  })

  it('stays a probability, whatever the slots hold', () => {
    const row = fc
      .array(fc.double({ min: 1e-6, max: 1, noNaN: true }), { minLength: ALPHABET.length, maxLength: ALPHABET.length })
      .map((w) => w.map((x) => x / w.reduce((a, b) => a + b, 0)))
    fc.assert(
      fc.property(fc.array(row, { minLength: SLOTS, maxLength: SLOTS }), fc.double({ min: 0, max: 1, noNaN: true }), (rows, whole) => {
        const { probs, plate } = givenPlate(flat(rows), whole)
        expect(plate).toBeLessThanOrEqual(whole)
        expect(plate).toBeGreaterThanOrEqual(-1e-6)
        for (let i = 0; i < SLOTS; i++) {
          const slot = probs.data.subarray(i * ALPHABET.length, (i + 1) * ALPHABET.length)
          expect(slot.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 3)
          for (const p of slot) expect(p).toBeGreaterThanOrEqual(0)
        }
      }),
    )
  })
})

describe('the mean of several looks', () => {
  const look = (rows: number[][], plate: number): Looked => ({
    probs: flat(rows),
    plate,
    present: plate,
    twoLines: plate,
    colours: new Float32Array([plate, 0]),
  })
  it('is the one look', () => {
    const one = look(plate(8, 0.9), 0.8)
    expect(mean([one])).toBe(one)
  })
  it('weighs each by how much of a plate it sees', () => {
    const both = mean([look(plate(8, 1), 0.9), look(plate(7, 1), 0.1)])
    expect(both.plate).toBeCloseTo(0.5)
    expect(both.twoLines).toBeCloseTo(0.5)
    // The eighth slot: a character in one, empty in the other.
    expect(both.probs.data[7 * ALPHABET.length + 8]).toBeCloseTo(0.9)
    expect(both.probs.data[7 * ALPHABET.length]).toBeCloseTo(0.1)
    expect(both.colours[0]).toBeCloseTo(0.9 * 0.9 + 0.1 * 0.1)
  })
  it('is no number gone wrong where none sees a plate', () => {
    const both = mean([look(plate(8, 1), 0), look(plate(8, 0.5), 0)])
    expect(both.plate).toBe(0)
    expect(both.probs.data.every((p) => Number.isFinite(p))).toBe(true)
  })
})
