/**
 * Characters that readers take for one another on plates (dirt, bolts, low resolution). Used only to give the
 * other one a small share of the probability where the grammar needs it; never as a plain text replacement.
 */
const STRONG = ['0OQD', '1I', '2Z', '5S', '8B', '6G', '7T', '4A']
const WEAK = [
  '0C',
  '0U',
  '1L',
  '1T',
  '1J',
  '17',
  '38',
  '3B',
  '6B',
  '68',
  '9G',
  '56',
  'CG',
  'VYU',
  'PR',
  'EF',
  'KX',
  'MN',
  'HN',
  'HK',
  'DB',
  '挂桂',
  'LT',
  'FP',
]

/** Share of a character's probability that its look-alike gets. Measured as harmless on the calibration rows (docs/plates.md). */
export const STRONG_SHARE = 0.02
export const WEAK_SHARE = 0.004

export interface Lookalike {
  readonly char: string
  readonly share: number
}

const table = new Map<string, Lookalike[]>()
for (const [sets, share] of [
  [STRONG, STRONG_SHARE],
  [WEAK, WEAK_SHARE],
] as const) {
  for (const set of sets) {
    for (const a of set) {
      for (const b of set) {
        const row = table.get(a) ?? []
        if (a !== b && !row.some((l) => l.char === b)) table.set(a, [...row, { char: b, share }])
      }
    }
  }
}

/** What `char` may really be. */
export function lookalikes(char: string): readonly Lookalike[] {
  return table.get(char) ?? []
}
