/** What a text can be as a plate, and which texts a row of uncertain characters allows. Pure. */
import type { CharRead, PlateCountry } from '../plate.ts'
import { CN_PATTERNS, type CnKind } from './cn.ts'
import { compile, matches, type Pattern } from './pattern.ts'
import { VN_PATTERNS, type VnKind, vnKnownIssuer } from './vn.ts'

export type PlateKind = VnKind | CnKind

export interface ParsedPlate {
  readonly country: PlateCountry
  readonly kind: PlateKind
  /** Locality digits (vn) or province and letter (cn); '' where the syntax has none. */
  readonly issuer: string
  /** False where the locality or army code is not known to be issued: possible, but let a person look. */
  readonly known: boolean
}

export const PATTERNS: readonly Pattern[] = [...VN_PATTERNS, ...CN_PATTERNS]
/** Both countries at once: which one it is, is part of the reading. */
export const AUTOMATON = compile(PATTERNS)

/** Upper case, Đ as D, without dots, dashes, spaces and the middle dot. */
export function normalisePlate(text: string): string {
  return text
    .toUpperCase()
    .replace(/[Đ]/g, 'D')
    .replace(/[\s.\-·•_:]/g, '')
}

/** What `text` (already without dots and dashes) is, or null when it is no plate of either country. */
export function parsePlate(text: string): ParsedPlate | null {
  const pattern = PATTERNS.find((p) => matches(p, text))
  if (!pattern) return null
  const kind = pattern.kind as PlateKind
  if (pattern.country === 'cn') {
    const issuer = kind === 'embassy' ? '' : [...text].slice(0, 2).join('')
    return { country: 'cn', kind, issuer, known: true }
  }
  const issuer = kind === 'military' ? text.slice(0, 2) : kind === 'temporary' ? text.slice(1, 3) : text.slice(0, 2)
  return { country: 'vn', kind, issuer, known: vnKnownIssuer(kind as VnKind, text) }
}

/** Whether `text` is a plate of `country`. */
export function fits(text: string, country: PlateCountry): boolean {
  return PATTERNS.some((p) => p.country === country && matches(p, text))
}

/**
 * All texts that the characters and their alternatives allow within the grammar, likeliest first, at most `limit`.
 * An alternative counts when its probability is at least `floor`. The beam is bounded, so is the work:
 * length × beam × alternatives.
 */
export function readings(chars: readonly CharRead[], limit: number, floor = 0.01): string[] {
  const beamSize = Math.max(64, limit * 4)
  let beam: { text: string; score: number; open: readonly Pattern[] }[] = [
    { text: '', score: 0, open: PATTERNS.filter((p) => p.cells.length === chars.length) },
  ]
  chars.forEach((read, i) => {
    const seen = new Set<string>()
    const options = [{ char: read.char, p: read.p }, ...read.others.filter((o) => o.p >= floor)].filter(
      (o) => !seen.has(o.char) && seen.add(o.char),
    )
    const grown: typeof beam = []
    for (const row of beam) {
      for (const option of options) {
        const open = row.open.filter((p) => p.cells[i]!.includes(option.char))
        if (open.length > 0) {
          grown.push({ text: row.text + option.char, score: row.score + Math.log(Math.max(option.p, 1e-9)), open })
        }
      }
    }
    grown.sort((a, b) => b.score - a.score)
    beam = grown.slice(0, beamSize)
  })
  return chars.length === 0 ? [] : beam.slice(0, Math.max(0, limit)).map((row) => row.text)
}
