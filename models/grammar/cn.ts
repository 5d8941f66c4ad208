/** Chinese plates: GA 36-2018. */
import { DIGITS, type Pattern, times } from './pattern.ts'

export type CnKind =
  | 'ordinary'
  | 'trailer'
  | 'learner'
  | 'police'
  | 'hong-kong'
  | 'macau'
  | 'test'
  | 'oversize'
  | 'consulate'
  | 'embassy'
  | 'new-energy'
  | 'old-police'

export const CN_PROVINCES = '京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼'
/** Letters without I and O. */
export const CN_LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZ'
const SERIAL = CN_LETTERS + DIGITS
/** D A B C E: battery electric; F G H J K: other new energy. */
const NEV = 'ABCDEFGHJK'
const SUFFIXES: readonly (readonly [string, CnKind, number])[] = [
  ['挂', 'trailer', 0.6],
  ['学', 'learner', 0.1],
  ['警', 'police', 0.1],
  ['试', 'test', 0.02],
  ['超', 'oversize', 0.02],
  ['领', 'consulate', 0.05],
]
/** Every character that may end a plate, for the recogniser's alphabet. */
export const CN_SUFFIXES = `${SUFFIXES.map((s) => s[0]).join('')}港澳使`

const p = (kind: CnKind, cells: readonly string[], breaks: readonly number[], weight: number): Pattern => ({
  country: 'cn',
  kind,
  cells,
  breaks,
  weight,
})

/** Precedence of meaning: the first that matches says the kind. */
export const CN_PATTERNS: readonly Pattern[] = [
  p('ordinary', [CN_PROVINCES, CN_LETTERS, ...times(5, SERIAL)], [2], 1),
  p('new-energy', [CN_PROVINCES, CN_LETTERS, NEV, SERIAL, ...times(4, DIGITS)], [], 0.5),
  p('new-energy', [CN_PROVINCES, CN_LETTERS, ...times(5, DIGITS), NEV], [], 0.5),
  ...SUFFIXES.map(([end, kind, weight]) => p(kind, [CN_PROVINCES, CN_LETTERS, ...times(4, SERIAL), end], [2], weight)),
  p('hong-kong', ['粤', 'Z', ...times(4, SERIAL), '港'], [2], 0.1),
  p('macau', ['粤', 'Z', ...times(4, SERIAL), '澳'], [2], 0.1),
  p('embassy', ['使', ...times(6, DIGITS)], [], 0.05),
  p('embassy', [...times(6, DIGITS), '使'], [], 0.05),
  // Seldom, but one letter: the ordinary ones' weight is shared by 24 of them, and Q is often like O.
  p('old-police', [CN_PROVINCES, 'O', ...times(5, SERIAL)], [2], 0.5),
]
