import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PATTERNS, parsePlate } from '../../models/grammar/grammar.ts'
import { type SlotProbs, spell } from '../../models/spell.ts'

const ALPHABET = [
  ...'-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼挂学警港澳试超领使',
]
const SLOTS = 9
type Slot = Readonly<Record<string, number>>

/** What a slot's probabilities lack to 1 is spread over nothing. */
function probs(slots: readonly Slot[]): SlotProbs {
  const data = new Float32Array(SLOTS * ALPHABET.length)
  for (let i = 0; i < SLOTS; i++)
    for (const [c, p] of Object.entries(slots[i] ?? { '-': 0.999 })) data[i * ALPHABET.length + ALPHABET.indexOf(c)] = p
  return { slots: SLOTS, alphabet: ALPHABET, data }
}
const sure = (text: string): Slot[] => [...text].map((c) => ({ [c]: 0.99, '-': 0.01 }))
const best = (...slots: Slot[]) => spell(probs(slots))

describe('spelling within the grammar', () => {
  it('reads any plate of any syntax', () => {
    const texts = fc
      .constantFrom(...PATTERNS.filter((p) => p.cells.length <= SLOTS))
      .chain((p) => fc.tuple(...p.cells.map((cell) => fc.constantFrom(...cell))).map((c) => c.join('')))
    fc.assert(
      fc.property(texts, (text) => {
        const found = best(...sure(text))
        expect(found?.text).toBe(text)
        expect(found?.pattern.country).toBe(parsePlate(text)?.country)
        expect(found?.weakest).toBeCloseTo(0.99, 4)
        expect(found?.confidence).toBeCloseTo(0.99 ** [...text].length * 0.999 ** (SLOTS - [...text].length), 3)
        expect(found?.substitutions).toBe(0)
      }),
    )
  })
  it('no syntax is longer than the slots', () => {
    expect(PATTERNS.every((p) => p.cells.length <= SLOTS)).toBe(true)
  })
  it('takes what the grammar wants where the reader doubts, and says so', () => {
    expect(best(...sure('24'), { 0: 0.6, D: 0.35 }, ...sure('12345'))).toMatchObject({ text: '24D12345', substitutions: 1 })
    expect(best(...sure('24C123'), { S: 0.7, 5: 0.2 }, ...sure('4'))).toMatchObject({ text: '24C12354', substitutions: 1 })
    expect(best(...sure('云'), { 6: 0.6, G: 0.3 }, ...sure('12345'))).toMatchObject({ text: '云G12345', substitutions: 1 })
  })
  it('an unsure last slot lowers the confidence: one digit more would be another plate', () => {
    const found = best(...sure('24C1234'), { '-': 0.6, 5: 0.4 })
    expect(found).toMatchObject({ text: '24C1234', substitutions: 0 })
    expect(found?.weakest).toBeCloseTo(0.6, 4)
    expect(found!.confidence).toBeLessThan(0.6)
  })
  it('tells how probable another syntax is: a series nobody has beside one that many have is doubtful, however clear its letter', () => {
    const doubtful = best(...sure('68H'), { G: 0.94, C: 0.05 }, ...sure('00002'))
    expect(doubtful).toMatchObject({ text: '68HG00002', substitutions: 0 })
    expect(doubtful!.rival).toBeGreaterThan(0.1)
    const known = best(...sure('68H'), { C: 0.94, G: 0.05 }, ...sure('00002'))
    expect(known).toMatchObject({ text: '68HC00002' })
    // The same text as two letters of any series is no rival.
    expect(known!.rival).toBeLessThan(0.01)
    expect(best(...sure('68H'), { G: 0.8, C: 0.15 }, ...sure('00002'))).toMatchObject({ text: '68HC00002', substitutions: 1 })
    // Among characters of one syntax the slots alone decide.
    expect(best(...sure('68C'), { 3: 0.6, 8: 0.4 }, ...sure('0002'))!.rival).toBeLessThan(0.01)
  })
  it.each(['0912345678'.slice(0, 9), 'PLATESMAN', 'CSQU30543', 'STOP', '12', ''])('finds no plate in %j', (text) => {
    expect(best(...sure(text))).toBeNull()
  })
  it('gives the alternatives that fit the place, likeliest first', () => {
    const found = best(...sure('24C1234'), { 5: 0.6, 6: 0.3, S: 0.05, 7: 0.0005 })
    expect(found?.chars[7]).toEqual({ char: '5', p: expect.closeTo(0.6, 3), others: [{ char: '6', p: expect.closeTo(0.3, 3) }] })
  })
  it('never gives anything but plates, whatever the probabilities', () => {
    const slot = fc.dictionary(fc.constantFrom(...ALPHABET), fc.double({ min: 0, max: 1, noNaN: true }), { maxKeys: 5 })
    fc.assert(
      fc.property(fc.array(slot, { maxLength: SLOTS }), (slots) => {
        const found = best(...slots)
        if (!found) return
        expect(parsePlate(found.text)?.country).toBe(found.pattern.country)
        expect(found.confidence).toBeLessThanOrEqual(found.weakest + 1e-6)
        expect(found.chars.map((c) => c.char).join('')).toBe(found.text)
      }),
    )
  })
})
