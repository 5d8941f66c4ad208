import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fits, normalisePlate, PATTERNS, parsePlate, readings } from '../../../models/grammar/grammar.ts'
import type { CharRead } from '../../../models/plate.ts'

const valid: readonly [text: string, country: 'vn' | 'cn', kind: string, issuer: string][] = [
  ['24C12345', 'vn', 'civil', '24'],
  ['29A1234', 'vn', 'civil', '29'],
  ['61T32222', 'vn', 'civil', '61'],
  ['50LD15321', 'vn', 'special', '50'],
  ['51LD4396', 'vn', 'special', '51'],
  ['50R05132', 'vn', 'special', '50'],
  ['60R0501', 'vn', 'special', '60'],
  ['50RM02323', 'vn', 'special', '50'],
  ['29KT11361', 'vn', 'special', '29'],
  ['36HC00186', 'vn', 'special', '36'],
  ['60CD00051', 'vn', 'special', '60'],
  ['29MK01234', 'vn', 'special', '29'],
  ['74LB00123', 'vn', 'special', '74'],
  ['38CT0123', 'vn', 'special', '38'],
  ['50LA2823', 'vn', 'two-letter', '50'],
  ['29AA12345', 'vn', 'two-letter', '29'],
  ['29J1234', 'vn', 'old', '29'],
  ['80NG63670', 'vn', 'diplomatic', '80'],
  ['80QT54642', 'vn', 'diplomatic', '80'],
  ['80NN38135', 'vn', 'diplomatic', '80'],
  ['80011NG01', 'vn', 'diplomatic', '80'],
  ['80631CV01', 'vn', 'diplomatic', '80'],
  ['TM1234', 'vn', 'military', 'TM'],
  ['QB1234', 'vn', 'military', 'QB'],
  ['T2412345', 'vn', 'temporary', '24'],
  ['云G12345', 'cn', 'ordinary', '云G'],
  ['桂FA1B2C', 'cn', 'ordinary', '桂F'],
  ['云G1234挂', 'cn', 'trailer', '云G'],
  ['云A1234学', 'cn', 'learner', '云A'],
  ['云A1234警', 'cn', 'police', '云A'],
  ['粤ZA123港', 'cn', 'hong-kong', '粤Z'],
  ['粤ZA123澳', 'cn', 'macau', '粤Z'],
  ['沪A1234领', 'cn', 'consulate', '沪A'],
  ['使224001', 'cn', 'embassy', ''],
  ['224001使', 'cn', 'embassy', ''],
  ['云AD12345', 'cn', 'new-energy', '云A'],
  ['云AFB1234', 'cn', 'new-energy', '云A'],
  ['云A12345D', 'cn', 'new-energy', '云A'],
  ['粤OA9112', 'cn', 'old-police', '粤O'],
]

describe('what a text is', () => {
  it.each(valid)('%s is %s, %s, of %s', (text, country, kind, issuer) => {
    expect(parsePlate(text)).toEqual({ country, kind, issuer, known: true })
    expect(fits(text, country)).toBe(true)
    expect(fits(text, country === 'vn' ? 'cn' : 'vn')).toBe(false)
  })

  it.each([
    '',
    '0912345678',
    '2020-1-13',
    '24C123',
    '24C123456',
    '04C12345',
    '24W12345',
    '24J12345',
    'CSQU3054383',
    'PLATESMANIA',
    '云G1234',
    '云I12345',
    '云GO2345',
    '云G1234I',
    '美A12345',
    '粤AA123港',
    '云AL12345',
    '云A123456',
    'RM12345',
    'DM1234',
    '24c12345',
    '24C-123.45',
  ])('%s is no plate', (text) => {
    expect(parsePlate(text)).toBeNull()
    expect(fits(text, 'vn') || fits(text, 'cn')).toBe(false)
  })

  it('says when the issuer is not one that exists', () => {
    expect(parsePlate('13C12345')).toMatchObject({ kind: 'civil', known: false })
    expect(parsePlate('96C12345')).toMatchObject({ known: false })
    expect(parsePlate('CX1234')).toMatchObject({ kind: 'military', known: false })
  })

  it('writes plates in one way', () => {
    expect(normalisePlate('24c - 123.45')).toBe('24C12345')
    expect(normalisePlate('29MĐ-123.45')).toBe('29MD12345')
    expect(normalisePlate('云G·12345')).toBe('云G12345')
  })
})

/** Any text of any syntax. */
const plateText = fc
  .constantFrom(...PATTERNS)
  .chain((p) => fc.tuple(...p.cells.map((cell) => fc.constantFrom(...cell))).map((chars) => ({ text: chars.join(''), country: p.country })))

describe('the syntaxes', () => {
  it('each text made from one is a plate of its country, and of no other', () => {
    fc.assert(
      fc.property(plateText, ({ text, country }) => {
        expect(parsePlate(text)?.country).toBe(country)
        expect(fits(text, country === 'vn' ? 'cn' : 'vn')).toBe(false)
        expect(normalisePlate(text)).toBe(text)
      }),
    )
  })

  it('parse and fits agree on any text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), (text) => {
        const parsed = parsePlate(text)
        expect(fits(text, 'vn')).toBe(parsed?.country === 'vn')
        expect(fits(text, 'cn')).toBe(parsed?.country === 'cn')
      }),
    )
  })
})

const read = (char: string, p: number, ...others: [string, number][]): CharRead => ({
  char,
  p,
  others: others.map(([c, q]) => ({ char: c, p: q })),
})

describe('what uncertain characters may mean', () => {
  const row = [...'24C1234'].map((c) => read(c, 0.99))
  it('gives the likeliest first and only what is a plate', () => {
    const chars = [...row, read('5', 0.6, ['6', 0.3], ['S', 0.25], ['8', 0.05])]
    expect(readings(chars, 10)).toEqual(['24C12345', '24C12346', '24C12348'])
    expect(readings(chars, 2)).toEqual(['24C12345', '24C12346'])
    expect(readings(chars, 10, 0.1)).toEqual(['24C12345', '24C12346'])
  })
  it('orders by the product over all characters', () => {
    const chars = [read('2', 0.9, ['7', 0.1]), read('4', 0.99), read('C', 0.5, ['G', 0.45]), ...[...'1234'].map((c) => read(c, 1))]
    expect(readings(chars, 4)).toEqual(['24C1234', '24G1234', '74C1234', '74G1234'])
  })
  it('is empty where nothing fits', () => {
    expect(readings([], 5)).toEqual([])
    expect(
      readings(
        [...'HELLO'].map((c) => read(c, 1)),
        5,
      ),
    ).toEqual([])
    expect(readings(row, 0)).toEqual([])
  })

  it('holds for any characters: within the grammar, distinct, bounded, the own reading among them', () => {
    const others = fc.array(
      fc.tuple(fc.constantFrom(...'0123456789ABCDEFGHKLMNPRSTUVXYZ云挂'), fc.double({ min: 0.011, max: 0.4, noNaN: true })),
      {
        maxLength: 5,
      },
    )
    fc.assert(
      fc.property(
        plateText.chain(({ text }) => fc.tuple(fc.constant(text), fc.tuple(...[...text].map(() => others)))),
        fc.integer({ min: 1, max: 30 }),
        ([text, rows], limit) => {
          const chars = [...text].map((c, i) => read(c, 0.9, ...rows[i]!.filter(([o]) => o !== c)))
          const found = readings(chars, limit)
          expect(found.length).toBeLessThanOrEqual(limit)
          expect(found[0]).toBe(text)
          expect(new Set(found).size).toBe(found.length)
          expect(found.every((t) => parsePlate(t) !== null)).toBe(true)
        },
      ),
      { numRuns: 60 },
    )
  })
})
