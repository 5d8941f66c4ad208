/** Which plate text the probabilities of a row of slots allow within the grammar of both countries. Pure. */
import { PATTERNS } from './grammar/grammar.ts'
import type { Pattern } from './grammar/pattern.ts'
import type { CharRead } from './plate.ts'

/** One plate's slots: rows of probabilities over the alphabet, whose class 0 is "no character here". */
export interface SlotProbs {
  readonly slots: number
  readonly alphabet: readonly string[]
  readonly data: Float32Array
}

export interface Spelled {
  readonly text: string
  readonly pattern: Pattern
  readonly chars: readonly CharRead[]
  /** Product of the characters' probabilities and of the empty slots' after them. */
  readonly confidence: number
  /** Lowest of them. */
  readonly weakest: number
  /** Characters taken against the reader's first choice. */
  readonly substitutions: number
  /** Log of `confidence` with the syntax's weight: for comparing readings. */
  readonly score: number
  /** How probable the likeliest text of another syntax is beside this one, both with their syntaxes' weights; 0…1. */
  readonly rival: number
}

const ALTERNATIVES = 4
/** Others less probable than this are not worth telling. */
const TOLD = 0.001
/** Below this log-probability nothing was read but noise forced into the grammar. */
const NOISE = -16
const FLOOR = 1e-9

interface Cells {
  readonly pattern: Pattern
  /** Classes allowed at each position. */
  readonly classes: readonly Uint16Array[]
}
const prepared = new WeakMap<readonly string[], readonly Cells[]>()

function cellsOf(alphabet: readonly string[]): readonly Cells[] {
  let cells = prepared.get(alphabet)
  if (!cells) {
    const classesOf = (cell: string) => Uint16Array.from([...cell].map((c) => alphabet.indexOf(c)).filter((k) => k > 0))
    cells = PATTERNS.map((pattern) => ({ pattern, classes: pattern.cells.map(classesOf) }))
    prepared.set(alphabet, cells)
  }
  return cells
}

/** The likeliest plate text, or null when none has a chance. */
export function spell(probs: SlotProbs): Spelled | null {
  const { slots, alphabet, data } = probs
  const n = alphabet.length
  // What comes after the last character: empty slots only.
  const rest = new Float64Array(slots + 1)
  for (let i = slots - 1; i >= 0; i--) rest[i] = rest[i + 1]! + Math.log(Math.max(data[i * n]!, FLOOR))
  const fitting: Fit[] = []
  for (const cells of cellsOf(alphabet)) {
    const { pattern, classes } = cells
    if (classes.length > slots) continue
    let log = rest[classes.length]!
    for (let i = 0; i < classes.length && log > NOISE; i++) {
      log += Math.log(Math.max(data[i * n + likeliest(classes[i]!, data, i * n)]!, FLOOR))
    }
    if (log > NOISE) fitting.push({ cells, log, score: log + Math.log(pattern.weight) })
  }
  // Of equals the one that stands first in PATTERNS: it says the kind.
  fitting.sort((a, b) => b.score - a.score)
  const best = fitting[0]
  if (!best) return null
  const spelled = finish(probs, best)
  // Another syntax may allow the same text: 29HC… is a special series and two letters.
  const other = fitting.find((f) => textOf(probs, f.cells) !== spelled.text)
  return { ...spelled, rival: other ? Math.exp(other.score - best.score) : 0 }
}

interface Fit {
  readonly cells: Cells
  readonly log: number
  readonly score: number
}

function textOf({ alphabet, data }: SlotProbs, { classes }: Cells): string {
  return classes.map((allowed, i) => alphabet[likeliest(allowed, data, i * alphabet.length)]!).join('')
}

function likeliest(allowed: Uint16Array, data: Float32Array, row: number): number {
  let best = allowed[0]!
  for (const k of allowed) if (data[row + k]! > data[row + best]!) best = k
  return best
}

function finish({ slots, alphabet, data }: SlotProbs, { cells: { pattern, classes }, log, score }: Fit): Omit<Spelled, 'rival'> {
  const n = alphabet.length
  const chars: CharRead[] = []
  let substitutions = 0
  let weakest = 1
  classes.forEach((allowed, i) => {
    const row = i * n
    const chosen = likeliest(allowed, data, row)
    const p = data[row + chosen]!
    if (data.subarray(row, row + n).some((other) => other > p)) substitutions++
    weakest = Math.min(weakest, p)
    const others = [...allowed]
      .filter((k) => k !== chosen && data[row + k]! >= TOLD)
      .map((k) => ({ char: alphabet[k]!, p: data[row + k]! }))
      .sort((a, b) => b.p - a.p)
    chars.push({ char: alphabet[chosen]!, p, others: others.slice(0, ALTERNATIVES) })
  })
  for (let i = classes.length; i < slots; i++) weakest = Math.min(weakest, data[i * n]!)
  return { text: chars.map((c) => c.char).join(''), pattern, chars, confidence: Math.exp(log), weakest, substitutions, score }
}
