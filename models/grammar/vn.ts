/** Vietnamese plates: Circulars 58/2020, 24/2023 and 79/2024 of the Ministry of Public Security, 169/2021 of the Ministry of Defence. */
import { DIGITS, LETTERS, type Pattern, times } from './pattern.ts'

export type VnKind = 'civil' | 'old' | 'special' | 'two-letter' | 'diplomatic' | 'military' | 'temporary'

/** The 20 series letters (no I J O Q R W). */
export const VN_SERIES = 'ABCDEFGHKLMNPSTUVXYZ'
/** Two-letter series with a meaning: foreign invested, projects, military firms, trailers, tractors, pilot, restricted, … */
export const VN_SPECIAL = ['LD', 'DA', 'KT', 'RM', 'MK', 'TD', 'HC', 'CD', 'MD'] as const
/** Special and border economic zones (yellow plate, red letters): Lao Bảo, Cầu Treo, Khu kinh tế … */
export const VN_ZONES = ['LB', 'CT', 'KL'] as const
export const VN_DIPLOMATIC = ['NG', 'QT', 'NN', 'CV'] as const

const FIRST = '123456789'
const locality = [FIRST, DIGITS]
const p = (kind: VnKind, cells: readonly string[], breaks: readonly number[], weight: number): Pattern => ({
  country: 'vn',
  kind,
  cells,
  breaks,
  weight,
})
const pair = (kind: VnKind, letters: string, digits: number, weight: number): Pattern =>
  p(kind, [...locality, letters[0]!, letters[1]!, ...times(digits, DIGITS)], [4], weight)

/** Precedence of meaning: the first that matches says the kind. */
export const VN_PATTERNS: readonly Pattern[] = [
  // Broken after four: a motorcycle's series is a letter and a digit (61-T3 / 222.22), the text is the same.
  p('civil', [...locality, VN_SERIES, ...times(5, DIGITS)], [3, 4], 1),
  p('civil', [...locality, VN_SERIES, ...times(4, DIGITS)], [3], 0.7),
  ...VN_DIPLOMATIC.flatMap((d) => [
    pair('diplomatic', d, 5, 0.1),
    p('diplomatic', [...locality, ...times(3, DIGITS), d[0]!, d[1]!, ...times(2, DIGITS)], [5], 0.05),
  ]),
  ...[...VN_SPECIAL, ...VN_ZONES].flatMap((s) => [pair('special', s, 5, 0.5), pair('special', s, 4, 0.3)]),
  // Every articulated truck carries one at its rear.
  p('special', [...locality, 'R', ...times(5, DIGITS)], [3], 1),
  p('special', [...locality, 'R', ...times(4, DIGITS)], [3], 0.7),
  // Building machines on the road.
  pair('two-letter', 'LA', 4, 0.3),
  p('two-letter', [...locality, VN_SERIES, VN_SERIES, ...times(5, DIGITS)], [4], 0.05),
  p('two-letter', [...locality, VN_SERIES, VN_SERIES, ...times(4, DIGITS)], [4], 0.1),
  p('old', [...locality, 'IJOQR', ...times(4, DIGITS)], [3], 0.02),
  p('military', ['ABCHKPQTV', LETTERS, ...times(4, DIGITS)], [2], 0.1),
  p('temporary', ['T', ...locality, ...times(5, DIGITS)], [3], 0.1),
]

/** Codes of localities that have never been issued to road vehicles: such a text is possible but suspicious. */
const UNUSED = new Set(['10', '13', '42', '44', '45', '46', '87', '91', '96'])
/** Letter pairs of Circular 169/2021 (army). */
const ARMY = new Set(
  (
    'TM TC TH TT TK TN KA KB KC KD KV KP KK KT AA AB AC AD QA QH QB QC QM BL BB BC BK BP BH BT HA HB HC HE HD HH HT HQ HN ' +
    'PA PG PK PQ PM PX PP VT CA CB CD CH CM CN CP CT CV AV AT AN AX AM'
  ).split(' '),
)

/** Whether locality code or army pair is one that is issued. */
export function vnKnownIssuer(kind: VnKind, text: string): boolean {
  if (kind === 'military') return ARMY.has(text.slice(0, 2))
  return !UNUSED.has(kind === 'temporary' ? text.slice(1, 3) : text.slice(0, 2))
}
