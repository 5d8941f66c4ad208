/** A sure plate that nobody declared, one confusion away from a declared one; and how far everything agrees. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compare, score, WEIGHTS } from '../../../gateway/identity/agreement.ts'
import { type Declaration, declaration } from '../../../gateway/identity/declaration.ts'
import { DeclarationIndex } from '../../../gateway/identity/declarations.ts'
import type { Seen, VotedPlate } from '../../../gateway/identity/identity.ts'
import { checkDigit } from '../../../gateway/identity/iso6346.ts'
import { oneConfusionAway } from '../../../gateway/identity/lookalike.ts'
import { identify, type MatchInput, WEIGHT_TOLERANCE } from '../../../gateway/identity/match.ts'
import { lookalikes } from '../../../models/grammar/confusion.ts'
import { fits } from '../../../models/grammar/grammar.ts'
import { votedPlate as plate } from '../../harness/plates.ts'

const NOW = Date.parse('2026-11-21T08:00:00+07:00')
const DAY = 86_400_000

const declared = (plate: string, over: Record<string, unknown> = {}): Declaration =>
  declaration.parse({
    id: `D-${[...plate].map((c) => c.codePointAt(0)!.toString(36)).join('')}`,
    plate,
    direction: 'import',
    valid_from: new Date(NOW - DAY).toISOString(),
    valid_to: new Date(NOW + DAY).toISOString(),
    ...over,
  })

interface Case extends Partial<Omit<MatchInput, 'plates' | 'declarations'>> {
  readonly plates: readonly VotedPlate[]
  readonly declarations: readonly Declaration[]
  readonly detained?: readonly string[]
}

function who({ plates, declarations, detained = [], ...more }: Case) {
  const index = new DeclarationIndex()
  for (const d of declarations) index.put(d)
  return identify({
    plates,
    declarations: index,
    weight_kg: null,
    direction: 'import',
    now: NOW,
    tolerance: WEIGHT_TOLERANCE,
    lookalikes: { detained: (key) => detained.includes(key) },
    ...more,
  })
}

const digit = fc.constantFrom(...'0123456789')
/** Plates of trucks: two digits, a series letter, five digits. */
const vnPlate = fc
  .tuple(fc.constantFrom('24', '12', '29', '88', '15'), fc.constantFrom(...'CDEHK'), fc.array(digit, { minLength: 5, maxLength: 5 }))
  .map(([place, letter, digits]) => `${place}${letter}${digits.join('')}`)
const code = (text: string): Seen => ({ text, reader: 'qr', count: 1, rssi: null })

describe('confusions', () => {
  it('one character apart, of that country, and mutual', () => {
    fc.assert(
      fc.property(vnPlate, (text) => {
        for (const other of oneConfusionAway(text, 'vn')) {
          expect(fits(other, 'vn')).toBe(true)
          const differs = [...text].flatMap((c, i) => (c === other[i] ? [] : [[c, other[i]!] as const]))
          expect(differs).toHaveLength(1)
          expect(lookalikes(differs[0]![0]).map((l) => l.char)).toContain(differs[0]![1])
          expect(oneConfusionAway(other, 'vn')).toContain(text)
        }
      }),
    )
  })

  it('hold to the place: a digit does not become a letter where only digits stand', () => {
    expect(oneConfusionAway('24C10000', 'vn')).not.toContain('24CI0000')
    expect(oneConfusionAway('24C10008', 'vn')).not.toContain('24C1000B')
    expect(oneConfusionAway('24C10008', 'vn')).toContain('24C10006')
  })
})

describe('a sure plate that nobody declared', () => {
  /** A declared plate, and one that is a confusion away from it. */
  const pair = vnPlate.chain((text) => {
    const near = oneConfusionAway(text, 'vn')
    return near.length === 0 ? fc.constant(null) : fc.constantFrom(...near).map((read) => ({ text, read }))
  })

  it('passes as the only declared vehicle it is a confusion away from, and says so', () => {
    fc.assert(
      fc.property(pair, (p) => {
        fc.pre(p !== null)
        const id = who({ plates: [plate(p.read)], declarations: [declared(p.text)] })
        expect(id).toMatchObject({
          match: 'lookalike',
          plate: p.text,
          declaration: { plate: p.text },
          disagreements: [{ code: 'plate', expected: p.text, seen: p.read }],
        })
        expect(id.score).toBeLessThan(1)
      }),
    )
  })

  it('never where the site does not allow it', () => {
    fc.assert(
      fc.property(pair, (p) => {
        fc.pre(p !== null)
        const id = who({ plates: [plate(p.read)], declarations: [declared(p.text)], lookalikes: undefined })
        expect(id).toMatchObject({ match: 'undeclared', declaration: null, plate: p.read, score: 0 })
      }),
    )
  })

  it('never when two declared vehicles are near, whatever way and day they are declared for', () => {
    fc.assert(
      fc.property(
        vnPlate,
        fc.array(fc.nat(), { minLength: 2, maxLength: 2 }),
        fc.constantFrom('import', 'export'),
        fc.boolean(),
        (read, picks, direction, later) => {
          const near = oneConfusionAway(read, 'vn')
          const [a, b] = picks.map((n) => near[n % near.length])
          fc.pre(a !== undefined && b !== undefined && a !== b)
          const tomorrow = { valid_from: new Date(NOW + DAY).toISOString(), valid_to: new Date(NOW + 2 * DAY).toISOString() }
          const id = who({ plates: [plate(read)], declarations: [declared(a), declared(b, { direction, ...(later ? tomorrow : {}) })] })
          expect(id.match).toBe('undeclared')
          expect(id.declaration).toBeNull()
        },
      ),
    )
  })

  it('never when it, the one it would be, or any other it may be is detained', () => {
    fc.assert(
      fc.property(pair, fc.nat(), (p, n) => {
        fc.pre(p !== null)
        const around = [p.read, p.text, ...oneConfusionAway(p.read, 'vn')]
        const id = who({ plates: [plate(p.read)], declarations: [declared(p.text)], detained: [around[n % around.length]!] })
        expect(id.declaration).toBeNull()
      }),
    )
  })

  const CASE = { plates: [plate('24C12346')], declarations: [declared('24C12345', { weight_kg: 20_000 })] }
  // 5 and 6 are taken for one another.
  it.each<[string, Partial<Case>]>([
    ['the weight', { weight_kg: 31_000 }],
    ['the direction', { direction: 'export' }],
    ['the trailer', { plates: [plate('24C12346'), plate('24R00817', { position: 'rear' })] }],
    ['a second plate', { plates: [plate('24C12346'), plate('24C77777')] }],
    ['the tag', { declarations: [declared('24C12345', { tag: 'E2801190200050A1' })], tags: [code('E2801190200050FF')] }],
    ['the container', { declarations: [declared('24C12345', { container: 'CSQU3054383' })], codes: [code('MSKU0000000')] }],
    ['the validity', { now: NOW + 2 * DAY }],
    ['a second declaration', { declarations: [declared('24C12345'), declared('24C12345', { id: 'D-again' })] }],
  ])('never when %s is against it', (_what, over) => {
    expect(who(CASE).match).toBe('lookalike')
    expect(who({ ...CASE, ...over })).toMatchObject({ match: 'undeclared', declaration: null })
  })

  it('an unsure plate stays as it was: near or nothing', () => {
    expect(who({ ...CASE, plates: [plate('24C12346', { sure: false })] })).toMatchObject({ match: 'undeclared' })
    expect(who({ ...CASE, plates: [plate('24C12346', { sure: false, readings: ['24C12346', '24C12345'] })] })).toMatchObject({
      match: 'near',
    })
  })
})

describe('the score', () => {
  const d = declared('24C12345', { trailer: '24R00817', tag: 'E2801190200050A1', container: 'CSQU3054383', weight_kg: 20_000 })
  const all = {
    plates: [plate('24C12345'), plate('24R00817', { position: 'rear' })],
    declarations: [d],
    weight_kg: 20_000,
    tags: [code('E2801190200050A1')],
    codes: [code('CSQU 305438-3')],
  }

  it('is 1 when everything agrees, and falls with each thing that does not by what that counts', () => {
    expect(who(all)).toMatchObject({ match: 'exact', score: 1, disagreements: [] })
    const sum = Object.entries(WEIGHTS).reduce((n, [what, w]) => n + (what === 'second-plate' ? 0 : w), 0)
    for (const [code_, over] of [
      ['trailer', { plates: [plate('24C12345'), plate('24R99999', { position: 'rear' })] }],
      ['tag', { tags: [code('E2801190200050FF')] }],
      ['container', { codes: [code('CSQU3054384')] }],
      ['weight', { weight_kg: 40_000 }],
      ['direction', { direction: 'export' }],
    ] as const) {
      const id = who({ ...all, ...over })
      expect(id.disagreements.map((x) => x.code)).toEqual([code_])
      expect(id.score).toBeCloseTo(1 - WEIGHTS[code_] / sum, 3)
    }
  })

  it('leaves out what was not seen', () => {
    expect(who({ plates: [plate('24C12345')], declarations: [d] }).score).toBe(1)
    expect(who({ plates: [plate('24C99999')], declarations: [d] }).score).toBe(0)
  })

  it('lies between 0 and 1, and another disagreement never raises it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60_000 }), fc.boolean(), fc.boolean(), fc.boolean(), (weight_kg, tag, trailer, box) => {
        const input: Case = {
          ...all,
          weight_kg,
          tags: [code(tag ? 'E2801190200050A1' : 'E2801190200050FF')],
          codes: box ? all.codes : [code('MSKU0000000')],
          plates: trailer ? all.plates : [plate('24C12345'), plate('24R99999', { position: 'rear' })],
        }
        const id = who(input)
        expect(id.score).toBeGreaterThanOrEqual(0)
        expect(id.score).toBeLessThanOrEqual(1)
        expect(who({ ...input, direction: 'export' }).score).toBeLessThan(id.score)
        expect(id.disagreements.length === 0).toBe(tag && trailer && box && Math.abs(weight_kg - 20_000) <= 1_000)
      }),
    )
    expect(score([])).toBe(0)
  })

  it('a container number counts only with its check digit, wherever the code came from', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999_999 }), fc.integer({ min: 1, max: 9 }), (n, off) => {
        const first = `CSQU${String(n).padStart(6, '0')}`
        const right = `${first}${checkDigit(first)}`
        const wrong = `${first}${(checkDigit(first)! + off) % 10}`
        const index = new DeclarationIndex()
        index.put(declared('24C12345', { container: right }))
        const about = {
          plates: [plate('24C12345')],
          declarations: index,
          weight_kg: null,
          direction: 'import' as const,
          now: NOW,
          tolerance: WEIGHT_TOLERANCE,
        }
        const said = (text: string) =>
          compare(index.withPlate('24C12345')[0]!, { match: 'exact', text: '24C12345' }, { ...about, codes: [code(text)] }).flatMap((c) =>
            c.differs ? [c.differs] : [],
          )
        expect(said(right)).toEqual([])
        expect(said(wrong)).toEqual([{ code: 'container', expected: right, seen: `${wrong} (check digit wrong)` }])
      }),
    )
  })
})
