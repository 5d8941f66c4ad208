/** The characters plates are made of, and what the recogniser's thousands of classes mean for them. */
import { CN_PROVINCES, CN_SUFFIXES } from './grammar/cn.ts'
import { DIGITS, LETTERS } from './grammar/pattern.ts'

/** Class 0 is the blank (with dots, dashes and spaces), the last is everything that is on no plate. */
export const BLANK = 0
export const CHARS: readonly string[] = ['', ...DIGITS, ...LETTERS, ...CN_PROVINCES, ...CN_SUFFIXES]
export const CLASSES = CHARS.length
const index = new Map(CHARS.map((c, i) => [c, i]))

/** Index in {@link CHARS}, or undefined. */
export function classOf(char: string): number | undefined {
  return index.get(char)
}

/** Signs between a plate's groups: they say nothing and count as blank. */
const SIGNS = new Set(' .-·•・:,\'’`"_|—–~。．、°')
/** Read for another because the alphabet lacks it or writes it differently. */
const SAME: ReadonlyMap<string, string> = new Map([
  ['Đ', 'D'],
  ['Ð', 'D'],
  ['雲', '云'],
  ['滬', '沪'],
  ['蘇', '苏'],
  ['粵', '粤'],
  ['貴', '贵'],
  ['寧', '宁'],
  ['學', '学'],
])

/** For each class of the model its class here; −1 for what is on no plate. */
export function mapAlphabet(alphabet: readonly string[]): Int16Array {
  const map = new Int16Array(alphabet.length + 1).fill(-1)
  map[0] = BLANK
  alphabet.forEach((raw, i) => {
    const char = SAME.get(raw) ?? raw.toUpperCase()
    map[i + 1] = SIGNS.has(raw) ? BLANK : (index.get(char) ?? -1)
  })
  return map
}
