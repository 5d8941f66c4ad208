import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BLANK, CHARS, CLASSES, classOf, mapAlphabet } from '../../models/alphabet.ts'
import { decode } from '../../models/decode.ts'
import { PATTERNS, parsePlate } from '../../models/grammar/grammar.ts'
import type { LineProbs } from '../../models/recognise.ts'

type Step = Readonly<Record<string, number>>

/** '' is the blank; what the step's probabilities lack to 1 is on no plate. */
function line(steps: readonly Step[]): LineProbs {
  const data = new Float32Array(steps.length * CLASSES)
  steps.forEach((step, t) => {
    for (const [char, p] of Object.entries(step)) data[t * CLASSES + (classOf(char) ?? BLANK)] = p
  })
  return { steps: steps.length, data }
}
const blank: Step = { '': 0.999 }
/** The text as a sure recogniser gives it: each character two steps, a blank between. */
const sure = (text: string): Step[] => [...text].flatMap((c) => [{ [c]: 0.99, '': 0.01 }, { [c]: 0.7, '': 0.3 }, blank])
const best = (...lines: (readonly Step[])[]) => decode(lines.map(line))[0]

describe('decoding within the grammar', () => {
  it('reads any plate of any syntax from a sure line', () => {
    const texts = fc
      .constantFrom(...PATTERNS)
      .chain((p) => fc.tuple(...p.cells.map((cell) => fc.constantFrom(...cell))).map((c) => c.join('')))
    fc.assert(
      fc.property(texts, (text) => {
        const found = best([blank, ...sure(text), blank])
        expect(found?.text).toBe(text)
        expect(found?.pattern.country).toBe(parsePlate(text)?.country)
        expect(found?.weakest).toBeCloseTo(0.99, 4)
        expect(found?.confidence).toBeCloseTo(0.99 ** [...text].length, 3)
        expect(found?.substitutions).toBe(0)
        expect(found?.junk).toBe(0)
      }),
      { numRuns: 60 },
    )
  })

  it('tells a double character from a long one', () => {
    expect(best([...sure('29A'), { 1: 0.9 }, { 1: 0.9 }, blank, { 1: 0.9 }, blank, ...sure('23')])?.text).toBe('29A1123')
  })

  it('takes what the grammar wants where the recogniser doubts', () => {
    expect(best([...sure('24'), { 0: 0.6, D: 0.35 }, blank, ...sure('12345')])?.text).toBe('24D12345')
    expect(best([...sure('24C123'), { S: 0.7, 5: 0.2 }, blank, ...sure('4')])?.text).toBe('24C12354')
    expect(best([...sure('云'), { 6: 0.6, G: 0.3 }, blank, ...sure('12345')])?.text).toBe('云G12345')
  })

  it('gives a look-alike a small chance, and says so', () => {
    const found = best([...sure('24'), { 8: 0.98 }, blank, ...sure('12345')])
    expect(found).toMatchObject({ text: '24B12345', substitutions: 1 })
    expect(found?.weakest).toBeLessThan(0.05)
  })

  it('repairs at most two characters', () => {
    expect(best([...sure('2'), { A: 0.98 }, blank, ...sure('C1'), { S: 0.98 }, blank, ...sure('345')])).toMatchObject({
      text: '24C15345',
      substitutions: 2,
    })
    expect(best([{ Z: 0.98 }, blank, { A: 0.98 }, blank, ...sure('C1'), { S: 0.98 }, blank, ...sure('345')])).toBeUndefined()
  })

  it.each(['0912345678', 'PLATESMANIA', 'CSQU3054383', '20201131618', 'STOP', '12'])('finds no plate in %s', (text) => {
    expect(best(sure(text))).toBeUndefined()
  })

  it('passes over a bolt before and after the text, at a price', () => {
    const bolt: Step = { '': 0.01 }
    const found = best([bolt, blank, ...sure('24C12345'), bolt])
    expect(found).toMatchObject({ text: '24C12345', junk: 2 })
    expect(found!.path).toBeLessThan(best(sure('24C12345'))!.path - 1)
  })

  it('joins two lines where the syntax may break, and nowhere else', () => {
    expect(best(sure('24C'), sure('12345'))?.text).toBe('24C12345')
    expect(best(sure('50LD'), sure('15321'))?.text).toBe('50LD15321')
    expect(best(sure('云G'), sure('1234挂'))?.text).toBe('云G1234挂')
    expect(best(sure('61T3'), sure('2222'))?.text).toBe('61T32222')
    expect(best(sure('云G12'), sure('345'))).toBeUndefined()
    expect(best(sure('24'), sure('C12345'))).toBeUndefined()
  })

  it('a character on both sides of the break counts twice', () => {
    expect(best([{ 2: 0.99 }, blank, { 4: 0.99 }, blank, { C: 0.99 }], [{ 4: 0.99 }, blank, ...sure('4445')])?.text).toBe('24C44445')
  })

  it('gives the alternatives that fit the place, likeliest first', () => {
    const found = best([...sure('24C1234'), { 5: 0.6, 6: 0.3, S: 0.05 }])
    expect(found?.chars[7]).toMatchObject({ char: '5', p: expect.closeTo(0.6, 1) })
    expect(found?.chars[7]?.others[0]).toEqual({ char: '6', p: expect.closeTo(0.3, 1) })
    expect(found?.chars[7]?.others.every((o) => /\d/.test(o.char))).toBe(true)
  })

  it('answers other texts as well, best first', () => {
    const found = decode([line([...sure('24C1234'), { 5: 0.6, 6: 0.35 }])], 2)
    expect(found.map((f) => f.text)).toEqual(['24C12345', '24C12346'])
    expect(found[0]!.score).toBeGreaterThan(found[1]!.score)
  })

  it('never gives anything but plates, whatever the probabilities', () => {
    const step = fc.dictionary(fc.constantFrom(...CHARS), fc.double({ min: 0, max: 1, noNaN: true }), { maxKeys: 4 })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), fc.array(step, { maxLength: 12 }), (a, b) => {
        for (const found of [...decode([line(a)]), ...decode([line(a), line(b)])]) {
          expect(parsePlate(found.text)?.country).toBe(found.pattern.country)
          expect(found.confidence).toBeLessThanOrEqual(found.weakest)
          expect(found.substitutions).toBeLessThanOrEqual(2)
          expect(found.chars.map((c) => c.char).join('')).toBe(found.text)
        }
      }),
      { numRuns: 60 },
    )
  })
})

describe('the recogniser alphabet', () => {
  it('maps to the characters of plates', () => {
    const map = mapAlphabet(['a', 'A', '7', '云', 'Đ', '.', ' ', '的'])
    expect([...map]).toEqual([BLANK, classOf('A'), classOf('A'), classOf('7'), classOf('云'), classOf('D'), BLANK, BLANK, -1])
  })
})
