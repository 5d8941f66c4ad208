import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { declaration } from '../../../gateway/identity/declaration.ts'
import { checkDigit, containerOf, containerProblem, isContainer } from '../../../gateway/identity/iso6346.ts'

const letter = fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZ')
const first = fc
  .tuple(letter, letter, letter, fc.constantFrom('U', 'J', 'Z'), fc.integer({ min: 0, max: 999_999 }))
  .map(([a, b, c, d, n]) => `${a}${b}${c}${d}${String(n).padStart(6, '0')}`)

/** The standard's own table, written out. */
const VALUES: Record<string, number> = Object.fromEntries(
  'A10 B12 C13 D14 E15 F16 G17 H18 I19 J20 K21 L23 M24 N25 O26 P27 Q28 R29 S30 T31 U32 V34 W35 X36 Y37 Z38'
    .split(' ')
    .map((p) => [p[0]!, Number(p.slice(1))]),
)

describe('ISO 6346', () => {
  it.each(['CSQU3054383', 'MWCU6059784', 'TCLU1234568', 'TEMU1000090'])('%s has its check digit', (text) => {
    expect(checkDigit(text.slice(0, 10))).toBe(Number(text[10]))
    expect(containerProblem(text)).toBeNull()
  })

  it('is the sum of the values times powers of two, modulo 11, 10 as 0', () => {
    fc.assert(
      fc.property(first, (text) => {
        const sum = [...text].reduce((s, c, i) => s + (VALUES[c] ?? Number(c)) * 2 ** i, 0)
        expect(checkDigit(text)).toBe((sum % 11) % 10)
      }),
    )
  })

  it('finds every single wrong digit, but for 10 and 0, which it cannot tell apart', () => {
    fc.assert(
      fc.property(first, fc.integer({ min: 4, max: 9 }), fc.integer({ min: 1, max: 9 }), (text, at, by) => {
        const digit = (Number(text[at]) + by) % 10
        const other = `${text.slice(0, at)}${digit}${text.slice(at + 1)}`
        const raw = (t: string) => [...t].reduce((s, c, i) => s + (VALUES[c] ?? Number(c)) * 2 ** i, 0) % 11
        if (checkDigit(other) === checkDigit(text)) expect([raw(text), raw(other)].sort((a, b) => a - b)).toEqual([0, 10])
      }),
    )
  })

  it('of ten check digits one is right, and the message names it', () => {
    fc.assert(
      fc.property(first, (text) => {
        const right = Array.from({ length: 10 }, (_, d) => `${text}${d}`).filter(isContainer)
        expect(right).toEqual([`${text}${checkDigit(text)}`])
        const wrong = `${text}${(checkDigit(text)! + 1) % 10}`
        expect(containerProblem(wrong)).toContain(`it is ${checkDigit(text)}, not ${wrong[10]}`)
      }),
    )
  })

  it('never throws, and takes only what has the form', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(isContainer(text)).toBe(/^[A-Z]{3}[UJZ]\d{7}$/.test(text) && checkDigit(text) === Number(text[10]))
      }),
    )
    expect(checkDigit('CSQ305438')).toBeNull()
    expect(containerOf('csqu 305438-3')).toBe('CSQU3054383')
  })
})

const base = {
  id: 'D1',
  plate: '24C-123.45',
  direction: 'import',
  valid_from: '2026-11-20T00:00:00+07:00',
  valid_to: '2026-11-23T00:00:00+07:00',
}
const issues = (over: object) =>
  declaration.safeParse({ ...base, ...over }).error?.issues.map((i) => `${i.path.join('.')}: ${i.message}`) ?? []

describe('a declaration', () => {
  it('as it was before still fits', () => {
    expect(
      declaration.parse({ ...base, goods: 'durian', weight_kg: 30_000, tare_kg: 15_000, firm: 'A', driver: 'B', tag: 'E280' }),
    ).toMatchObject({
      plate: '24C12345',
      traffic: 'loaded',
      channel: 'green',
      goods: 'durian',
    })
  })

  it('takes goods, codes, links and quarantine, and writes them one way', () => {
    const parsed = declaration.parse({
      ...base,
      container: 'csqu 305438-3',
      cargo: [
        {
          hs: '0810.60.00',
          kind: 'durian',
          net_kg: 18_000,
          value: 2.5e9,
          origin: 'VN',
          growing_area: 'vn-đlor 0123',
          packing_house: 'VN-DLPH-054',
        },
      ],
      currency: 'VND',
      firm_id: '5300123456',
      two_way: 'D2',
      transship_with: '云G·12345',
      quarantine: 'passed',
      priority: true,
      perishable: true,
    })
    expect(parsed).toMatchObject({ container: 'CSQU3054383', transship_with: '云G12345' })
    expect(parsed.cargo![0]).toMatchObject({ hs: '08106000', growing_area: 'VN-DLOR0123' })
  })

  it('says what contradicts itself, all of it', () => {
    expect(
      issues({
        container: 'CSQU3054384',
        trailer: '24C12345',
        two_way: 'D1',
        transship_with: '24C12345',
        valid_to: base.valid_from,
        tare_kg: 9,
        weight_kg: 8,
        cargo: [{ value: 1 }],
      }).map((i) => i.split(':')[0]),
    ).toEqual(['container', 'valid_to', 'trailer', 'two_way', 'transship_with', 'tare_kg', 'currency'])
    expect(issues({ container: 'CSQU3054384' })[0]).toMatch(/it is 3, not 4/)
    expect(issues({ cargo: [{}] })[0]).toMatch(/cargo\.0: says nothing/)
    expect(issues({ cargo: [{ hs: '081' }] })[0]).toMatch(/cargo\.0\.hs/)
  })
})
