import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Declaration, declaration } from '../../../gateway/identity/declaration.ts'
import { DeclarationIndex } from '../../../gateway/identity/declarations.ts'
import type { Seen, VotedPlate } from '../../../gateway/identity/identity.ts'
import { ListIndex } from '../../../gateway/identity/lists.ts'
import { identify, WEIGHT_TOLERANCE } from '../../../gateway/identity/match.ts'
import { addReads, emptyVote, tally } from '../../../gateway/identity/vote.ts'
import { fits } from '../../../models/grammar/grammar.ts'
import type { PlateRead } from '../../../models/plate.ts'

const NOW = Date.parse('2026-11-21T08:00:00+07:00')
const OPTIONS = { minFrames: 2, minWeakest: 0.6 }

function read(text: string, p = 0.95, others: Record<number, [string, number][]> = {}, accepted = true): PlateRead {
  const chars = [...text].map((char, i) => ({
    char,
    p: others[i] ? 1 - others[i].reduce((s, [, q]) => s + q, 0) : p,
    others: (others[i] ?? []).map(([c, q]) => ({ char: c, p: q })),
  }))
  return {
    text,
    country: /^\d/.test(text) ? 'vn' : 'cn',
    lines: 1,
    colour: 'yellow',
    confidence: chars.reduce((a, c) => a * c.p, 1),
    weakest: Math.min(...chars.map((c) => c.p)),
    accepted,
    quad: [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ],
    chars,
  }
}

function declared(over: Partial<Declaration> & { id: string; plate: string }): Declaration {
  return declaration.parse({ direction: 'import', valid_from: '2026-11-20T00:00:00+07:00', valid_to: '2026-11-23T00:00:00+07:00', ...over })
}

function index(...all: Declaration[]): DeclarationIndex {
  const out = new DeclarationIndex()
  for (const d of all) out.put(d)
  return out
}

function voted(...frames: PlateRead[][]): VotedPlate[] {
  return tally(
    frames.reduce((v, plates) => addReads(v, 'front', plates), emptyVote),
    OPTIONS,
  )
}

function who(plates: VotedPlate[], declarations: DeclarationIndex, weight_kg: number | null = null) {
  return identify({ plates, declarations, weight_kg, direction: 'import', now: NOW, tolerance: WEIGHT_TOLERANCE })
}

describe('vote', () => {
  it('needs enough frames before a plate is sure', () => {
    expect(voted([read('24C12345')])[0]).toMatchObject({ text: '24C12345', sure: false, frames: 1 })
    expect(voted([read('24C12345')], [read('24C12345')])[0]).toMatchObject({ sure: true, frames: 2 })
  })

  it('a character read differently in one of three frames is outvoted', () => {
    const plates = voted([read('24C12345')], [read('24C12346')], [read('24C12345')])
    expect(plates).toHaveLength(1)
    expect(plates[0]).toMatchObject({ text: '24C12345', frames: 3 })
    expect(plates[0]!.readings).toContain('24C12346')
  })

  it('frames of a standing truck repeat an error and do not make it surer', () => {
    const weak = () => [read('24C12345', 0.95, { 7: [['6', 0.45]] })]
    const plates = voted(...Array.from({ length: 50 }, weak))
    expect(plates[0]!.weakest).toBeCloseTo(0.55)
    expect(plates[0]!.sure).toBe(false)
  })

  it('text that only a minority of pictures shows is never sure', () => {
    const plates = voted([read('24C12345')], [read('24C12345')], [], [], [])
    expect(plates[0]!.sure).toBe(false)
  })

  it('keeps the plates of both countries apart', () => {
    const both = [read('24C12345'), read('云GA1234')]
    expect(voted(both, both).map((p) => p.text)).toEqual(['24C12345', '云GA1234'])
  })

  it('front and rear are different plates', () => {
    let vote = addReads(emptyVote, 'front', [read('24C12345')])
    vote = addReads(vote, 'rear', [read('24R01234')])
    expect(tally(vote, OPTIONS).map((p) => p.position)).toEqual(['front', 'rear'])
  })

  it('leaves out the plates of vehicles behind: a declared one must not stand for the one whose plate is dirty', () => {
    const behind = { ...read('29H98765', 0.99, {}, false), doubt: 'farther' as const }
    expect(voted([behind], [behind])).toEqual([])
    expect(voted([read('24C12345'), behind], [read('24C12345'), behind]).map((p) => p.text)).toEqual(['24C12345'])
    const known = index(declared({ id: 'D-1', plate: '29H98765' }))
    expect(who(voted([behind], [behind]), known)).toMatchObject({ match: 'unread', declaration: null })
    // The same reading, unsure for another reason, may stand for it; but not when it was seen behind another vehicle half of the time.
    const unclear = { ...behind, doubt: 'unclear' as const }
    expect(voted([unclear], [behind])).toEqual([])
    expect(voted([unclear], [behind], [unclear]).map((p) => p.text)).toEqual(['29H98765'])
    expect(who(voted([unclear], [unclear]), known)).toMatchObject({ match: 'near', declaration: { id: 'D-1' } })
  })

  it('stays bounded on a truck painted with numbers', () => {
    let vote = emptyVote
    for (let i = 0; i < 200; i++)
      vote = addReads(vote, 'front', [
        read(
          `${10 + (i % 80)}C${String(i * 7919)
            .padStart(5, '0')
            .slice(0, 5)}`,
        ),
      ])
    expect(vote.clusters.length).toBeLessThanOrEqual(12)
  })

  it('readings always fit the grammar and hold the text first', () => {
    const char = fc.constantFrom(...'0123456789ABCDEFGHKLMNPSTUVXYZ')
    fc.assert(
      fc.property(
        fc.array(fc.tuple(char, char, fc.double({ min: 0.05, max: 0.49, noNaN: true })), { minLength: 7, maxLength: 8 }),
        (cells) => {
          const r = read(cells.map((c) => c[0]).join(''), 0.9, Object.fromEntries(cells.map((c, i) => [i, [[c[1], c[2]]]])))
          const [plate] = voted([{ ...r, country: 'vn' }])
          expect(plate!.readings[0]).toBe(plate!.text)
          for (const t of plate!.readings.slice(1)) expect(fits(t, 'vn') || fits(t, 'cn')).toBe(true)
        },
      ),
      { numRuns: 100 },
    )
  })
})

describe('identity', () => {
  const sure = (text: string, position: 'front' | 'rear' = 'front'): VotedPlate => ({ ...voted([read(text)], [read(text)])[0]!, position })
  const d1 = declared({ id: 'D1', plate: '24C-123.45' })

  it('a sure plate equals the declared one', () => {
    expect(who([sure('24C12345')], index(d1))).toMatchObject({
      match: 'exact',
      plate: '24C12345',
      declaration: { id: 'D1' },
      disagreements: [],
    })
  })

  it('a sure plate is never bent to a declared one', () => {
    expect(who([sure('24C12346')], index(d1))).toMatchObject({ match: 'undeclared', plate: '24C12346', declaration: null })
  })

  const unsure = voted([read('24C12346', 0.95, { 7: [['5', 0.45]] })])
  it('an unsure plate may stand for exactly one declared vehicle', () => {
    expect(who(unsure, index(d1))).toMatchObject({ match: 'near', plate: '24C12345', candidates: ['D1'] })
    const d2 = declared({ id: 'D2', plate: '24C12346' })
    expect(who(unsure, index(d1, d2))).toMatchObject({
      match: 'ambiguous',
      declaration: null,
      candidates: expect.arrayContaining(['D1', 'D2']),
    })
    expect(who(unsure, index())).toMatchObject({ match: 'undeclared', plate: '24C12346' })
  })

  it('nothing read is unread', () => {
    expect(who([], index(d1))).toMatchObject({ match: 'unread', plate: null })
  })

  it('the declaration meant here and now is chosen; another one says what is wrong', () => {
    const out = declared({ id: 'OUT', plate: '24C12345', direction: 'export' })
    const old = declared({ id: 'OLD', plate: '24C12345', valid_to: '2026-11-20T10:00:00+07:00' })
    expect(who([sure('24C12345')], index(out, old, d1)).declaration?.id).toBe('D1')
    expect(who([sure('24C12345')], index(out)).disagreements.map((x) => x.code)).toEqual(['direction'])
    expect(who([sure('24C12345')], index(old)).disagreements.map((x) => x.code)).toEqual(['validity'])
    expect(who([sure('24C12345')], index(d1, declared({ id: 'D9', plate: '24C12345' }))).match).toBe('ambiguous')
  })

  it('names a swapped trailer, an undeclared one and a wrong weight', () => {
    const withTrailer = declared({ id: 'T', plate: '24C12345', trailer: '24R-012.34', weight_kg: 22_000 })
    const codes = (i: ReturnType<typeof who>) => i.disagreements.map((x) => x.code)
    expect(codes(who([sure('24C12345'), sure('24R01234', 'rear')], index(withTrailer), 22_400))).toEqual([])
    expect(codes(who([sure('24C12345'), sure('24R99999', 'rear')], index(withTrailer)))).toEqual(['trailer'])
    expect(codes(who([sure('24C12345'), sure('24R99999', 'rear')], index(d1)))).toEqual(['trailer'])
    expect(codes(who([sure('24C12345'), sure('24C12345', 'rear')], index(d1)))).toEqual([])
    expect(codes(who([sure('24C12345')], index(withTrailer), 31_000))).toEqual(['weight'])
  })

  describe('tags and codes', () => {
    const seen = (...texts: string[]): Seen[] => texts.map((text) => ({ text, reader: 'r', count: 3, rssi: null }))
    const withTag = (tag: string | undefined, tags: Seen[], codes: Seen[] = []) => {
      const d = declared({ id: 'T', plate: '24C12345', ...(tag === undefined ? {} : { tag }) })
      const input = { plates: [sure('24C12345')], declarations: index(d), weight_kg: null, direction: 'import' as const, now: NOW }
      return identify({ ...input, tags, codes, tolerance: WEIGHT_TOLERANCE })
    }
    const EPC = 'E28068940000500012345678'
    const OTHER = '30751FEB705C5904E3D50D70'

    it.each<[string, string | undefined, Seen[], Seen[], 'same' | 'other' | null]>([
      ['the declared tag', EPC, seen(EPC), [], 'same'],
      ['the declared tag as a person wrote it', 'e280 6894-0000 5000 1234 5678', seen(EPC), [], 'same'],
      ['the declared tag among those of the neighbours', EPC, seen(OTHER, EPC), [], 'same'],
      ['the declared EPC printed as a code', EPC, [], seen(EPC.toLowerCase()), 'same'],
      ['another tag', EPC, seen(OTHER), [], 'other'],
      ['no tag', EPC, [], [], null],
      ['some code, where a tag was declared', EPC, [], seen('TK-1'), null],
      ['the declared code', ' TK-2026/1 ', [], seen('TK-2026/1'), 'same'],
      ['the declared code in other letters', 'TK-2026/1', [], seen('tk-2026/1'), 'other'],
      ['a tag, where a code was declared', 'TK-2026/1', seen(OTHER), [], null],
      ['nothing declared', undefined, seen(OTHER), seen('TK-1'), null],
    ])('%s', (_, tag, tags, codes, says) => {
      const i = withTag(tag, tags, codes)
      expect(i).toMatchObject({ match: 'exact', tag: says, tags, codes })
      expect(i.disagreements.map((x) => x.code)).toEqual(says === 'other' ? ['tag'] : [])
    })

    it('names both tags', () => {
      expect(withTag(EPC.toLowerCase(), seen(OTHER, 'E2000001')).disagreements).toEqual([{ code: 'tag', expected: EPC, seen: OTHER }])
      const long = withTag('TK-1', [], seen('x'.repeat(4_096))).disagreements[0]!
      expect(long.seen).toHaveLength(120)
    })

    it('a tag makes no vehicle out of a plate that nobody read or declared', () => {
      const d = declared({ id: 'T', plate: '24C12345', tag: EPC })
      const input = { declarations: index(d), weight_kg: null, direction: 'import' as const, now: NOW, tolerance: WEIGHT_TOLERANCE }
      expect(identify({ ...input, plates: [], tags: seen(EPC) })).toMatchObject({ match: 'unread', declaration: null, tag: null })
      expect(identify({ ...input, plates: [sure('29H00001')], tags: seen(EPC) })).toMatchObject({ match: 'undeclared', declaration: null })
    })
  })

  it('two declared vehicles in front of one camera are ambiguous', () => {
    const i = who([sure('24C12345'), sure('24C99999')], index(d1, declared({ id: 'D2', plate: '24C99999' })))
    expect(i.match).toBe('ambiguous')
  })
})

describe('indexes', () => {
  it('replace and withdraw without leaving anything behind', () => {
    const i = index(declared({ id: 'A', plate: '24C11111' }))
    i.put(declared({ id: 'A', plate: '24C22222' }))
    expect(i.withPlate('24C11111')).toEqual([])
    expect(i.withPlate('24C22222')).toHaveLength(1)
    i.delete('A')
    expect([i.size, i.withPlate('24C22222')]).toEqual([0, []])
  })

  it('list entries ignore dots and dashes and end in time', () => {
    const l = new ListIndex()
    l.put('detained', { key: '24C-123.45', until: '2026-11-22T00:00:00+07:00' })
    expect(l.has('detained', '24C12345', NOW)).toBe(true)
    expect(l.has('detained', '24C12345', NOW + 48 * 3600_000)).toBe(false)
    l.delete('detained', '24C12345')
    expect(l.has('detained', '24C12345', NOW)).toBe(false)
  })
})
