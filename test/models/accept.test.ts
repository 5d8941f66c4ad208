import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AcceptRule, doubtAbout, type Judged } from '../../models/accept.ts'
import { PATTERNS, parsePlate } from '../../models/grammar/grammar.ts'
import type { Spelled } from '../../models/spell.ts'

const RULE: AcceptRule = { weakest: 0.9, confidence: 0.8, rival: 0.1 }
const pattern = (text: string) => PATTERNS.find((p) => p.kind === parsePlate(text)!.kind && p.country === parsePlate(text)!.country)!
function spelled(text: string, more: Partial<Spelled> = {}): Spelled {
  return { text, pattern: pattern(text), chars: [], confidence: 0.95, weakest: 0.97, substitutions: 0, score: 0, rival: 0, ...more }
}
const good: Judged = {
  spelled: spelled('24C12345'),
  confidence: 0.95,
  colour: 'white',
  whole: true,
  confirmed: true,
  agreed: true,
  enough: true,
  nearest: true,
  large: true,
}

describe('a reading is good enough to open on', () => {
  it('when nothing speaks against it', () => {
    expect(doubtAbout(good, RULE)).toBeUndefined()
  })

  it.each([
    ['edge', { whole: false }],
    ['unclear', { spelled: spelled('24C12345', { weakest: 0.89 }) }],
    ['unclear', { confidence: 0.79 }],
    ['unclear', { spelled: spelled('24C12345', { substitutions: 1 }) }],
    ['looks-differ', { confirmed: false }],
    ['looks-differ', { agreed: false }],
    ['one-look', { enough: false }],
    ['rival', { spelled: spelled('24C12345', { rival: 0.11 }) }],
    ['colour', { colour: 'green' }],
    ['colour', { colour: 'red' }],
    // A green plate has eight characters: one is hidden.
    ['colour', { spelled: spelled('云GD8200'), colour: 'green' }],
    // No locality has 13.
    ['farther', { nearest: false, whole: false, large: false }],
    ['tiny', { large: false }],
    ['issuer', { spelled: spelled('13C12345') }],
  ] as const)('unless: %s (%j)', (doubt, wrong) => {
    expect(doubtAbout({ ...good, ...wrong }, RULE)).toBe(doubt)
  })

  it('only when all of it is so, however probable', () => {
    const flags = fc.record({
      whole: fc.boolean(),
      confirmed: fc.boolean(),
      agreed: fc.boolean(),
      enough: fc.boolean(),
      nearest: fc.boolean(),
    })
    const number = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(flags, number, number, number, fc.nat(2), (seen, confidence, weakest, rival, substitutions) => {
        const fine = Object.values(seen).every(Boolean) && confidence >= 0.8 && weakest >= 0.9 && rival <= 0.1 && substitutions === 0
        const judged = { ...good, ...seen, confidence, spelled: spelled('24C12345', { weakest, rival, substitutions }) }
        expect(doubtAbout(judged, RULE) === undefined).toBe(fine)
      }),
    )
  })
})
