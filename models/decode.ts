/**
 * Best plate texts that a line's (or two stacked lines') probabilities allow within the grammar: a beam of paths
 * through CTC steps × grammar automaton. Dots and dashes count as blank; signs that are on no plate (a bolt, a
 * screw, a frame's rim) may be passed over before and after the text, at a price. Pure.
 */
import { BLANK, CHARS, CLASSES } from './alphabet.ts'
import { lookalikes } from './grammar/confusion.ts'
import { AUTOMATON } from './grammar/grammar.ts'
import type { Pattern } from './grammar/pattern.ts'
import type { CharRead } from './plate.ts'
import type { LineProbs } from './recognise.ts'

export interface Decoded {
  readonly text: string
  readonly pattern: Pattern
  readonly chars: readonly CharRead[]
  /** Product and lowest of the characters' probabilities. */
  readonly confidence: number
  readonly weakest: number
  /** Characters taken against the recogniser's first choice. */
  readonly substitutions: number
  /** Steps with signs passed over. */
  readonly junk: number
  /** Log-probability of the whole path: what was passed over or left out costs, too. */
  readonly path: number
  /** `path` with the syntax's weight, for comparing texts of the same lines. */
  readonly score: number
}

/** A vehicle's plate differs from another's by one character: more than two repairs is guessing. */
const MAX_SUBSTITUTIONS = 2
const MAX_JUNK = 3
const JUNK_PRICE = Math.log(0.08)
/** Mean log-probability a character under which a text is no reading but noise forced into the grammar. */
const NOISE = -1.5
const BEAM = 80
/** Paths that much worse than the best one never win, log. */
const BEHIND = 25
const FLOOR = 1e-3
const ALTERNATIVES = 4
/** More steps than any line has: a step's number says which line it is of. */
const LINE_STEPS = 1000

/** For each state, which classes lead into it. */
const ENTERED_BY: readonly Uint8Array[] = AUTOMATON.states.map((state) =>
  Uint8Array.from(CHARS, (c) => (c && state.cell.includes(c) ? 1 : 0)),
)
/** For each class, the classes it may really be. */
const LOOKALIKES = CHARS.map((c) => lookalikes(c).map((l) => ({ cls: CHARS.indexOf(l.char), share: l.share })))

interface Sign {
  readonly cls: number
  readonly step: number
  readonly p: number
  readonly state: number
  readonly before: Sign | null
}

interface Path {
  readonly state: number
  readonly cls: number
  /** Ends in a blank: the same character may come again as a new one. */
  readonly blank: boolean
  readonly score: number
  readonly substitutions: number
  readonly junk: number
  readonly last: Sign | null
}

/** One step's characters worth a try, with their own and their look-alikes' probability. */
interface Step {
  readonly probs: Float32Array
  readonly options: readonly { readonly cls: number; readonly p: number; readonly log: number; readonly substituted: boolean }[]
  readonly junk: number
}

/** At most `limit` texts, best score first. Two elements in `lines` are an upper and a lower line. */
export function decode(lines: readonly LineProbs[], limit = 3): Decoded[] {
  let paths: Path[] = [{ state: 0, cls: BLANK, blank: true, score: 0, substitutions: 0, junk: 0, last: null }]
  lines.forEach((line, i) => {
    if (i > 0) paths = paths.filter((p) => AUTOMATON.states[p.state]!.breaks).map((p) => ({ ...p, blank: true }))
    for (const [t, step] of stepsOf(line).entries()) paths = advance(paths, step, i * LINE_STEPS + t)
  })
  const smoothed = lines.map(stepsOf)
  const found = new Map<string, Decoded>()
  for (const path of paths) {
    const pattern = AUTOMATON.states[path.state]!.accepts.find((p) => lines.length === 1 || p.breaks.includes(firstLine(path.last)))
    if (!pattern) continue
    const result = finish(path, pattern, smoothed)
    const known = found.get(result.text)
    if (result.score / result.chars.length < NOISE) continue
    if (!known || known.score < result.score) found.set(result.text, result)
  }
  return [...found.values()].sort((a, b) => b.score - a.score).slice(0, limit)
}

const cache = new WeakMap<LineProbs, Step[]>()
/** A line takes part in several readings (alone, above, below): its steps are prepared once. */
function stepsOf(line: LineProbs): Step[] {
  const known = cache.get(line)
  if (known) return known
  const steps: Step[] = []
  for (let t = 0; t < line.steps; t++) {
    const own = line.data.subarray(t * CLASSES, (t + 1) * CLASSES)
    const probs = Float32Array.from(own)
    let best = 0
    let sum = 0
    for (let c = 0; c < CLASSES; c++) {
      const p = own[c]!
      sum += p
      if (c === BLANK || p < 0.01) continue
      best = Math.max(best, p)
      for (const l of LOOKALIKES[c]!) probs[l.cls]! += p * l.share
    }
    const options: { cls: number; p: number; log: number; substituted: boolean }[] = []
    for (let cls = 1; cls < CLASSES; cls++) {
      const p = probs[cls]!
      if (p > FLOOR) options.push({ cls, p, log: Math.log(p), substituted: own[cls]! < best })
    }
    steps.push({ probs, options, junk: Math.max(1 - own[BLANK]!, 1 - sum) })
  }
  cache.set(line, steps)
  return steps
}

function advance(paths: readonly Path[], step: Step, at: number): Path[] {
  const next = new Map<number, Path>()
  const offer = (path: Path): void => {
    const key = ((path.state * CLASSES + path.cls) * 2 + (path.blank ? 1 : 0)) * 4 + path.substitutions
    const known = next.get(key)
    if (!known || known.score < path.score) next.set(key, path)
  }
  const blankCost = Math.log(Math.max(step.probs[BLANK]!, 1e-9))
  const junkCost = step.junk > 0.05 ? Math.log(step.junk) + JUNK_PRICE : Number.NEGATIVE_INFINITY
  for (const path of paths) {
    const state = AUTOMATON.states[path.state]!
    offer({ ...path, blank: true, score: path.score + blankCost })
    if ((path.state === 0 || state.accepts.length > 0) && path.junk < MAX_JUNK && junkCost > blankCost) {
      offer({ ...path, blank: true, score: path.score + junkCost, junk: path.junk + 1 })
    }
    if (!path.blank) stay(path, step, at, offer)
    if (step.options.length > 0) for (const to of state.next) grow(path, to, step, at, offer)
  }
  let best = Number.NEGATIVE_INFINITY
  for (const path of next.values()) best = Math.max(best, path.score)
  const kept = [...next.values()].filter((path) => path.score > best - BEHIND)
  return kept.length > BEAM ? kept.sort((a, b) => b.score - a.score).slice(0, BEAM) : kept
}

/** The same character goes on over one more step. */
function stay(path: Path, step: Step, at: number, offer: (p: Path) => void): void {
  const p = step.probs[path.cls]!
  if (p < FLOOR || !path.last) return
  const last = p > path.last.p ? { ...path.last, p, step: at } : path.last
  offer({ ...path, score: path.score + Math.log(p), last })
}

/** A new character begins. */
function grow(path: Path, to: number, step: Step, at: number, offer: (p: Path) => void): void {
  const enteredBy = ENTERED_BY[to]!
  for (const { cls, p, log, substituted } of step.options) {
    if (!enteredBy[cls] || (!path.blank && cls === path.cls)) continue
    const substitutions = path.substitutions + (substituted ? 1 : 0)
    if (substitutions > MAX_SUBSTITUTIONS) continue
    const last = { cls, step: at, p, state: to, before: path.last }
    offer({ state: to, cls, blank: false, score: path.score + log, substitutions, junk: path.junk, last })
  }
}

/** Characters on the first of two lines. */
function firstLine(last: Sign | null): number {
  let n = 0
  for (let sign = last; sign; sign = sign.before) if (sign.step < LINE_STEPS) n++
  return n
}

function finish(path: Path, pattern: Pattern, lines: readonly (readonly Step[])[]): Decoded {
  const chars: CharRead[] = []
  for (let sign: Sign | null = path.last; sign; sign = sign.before) {
    const { probs } = lines[Math.floor(sign.step / LINE_STEPS)]![sign.step % LINE_STEPS]!
    const others: { char: string; p: number }[] = []
    for (let cls = 1; cls < CLASSES; cls++) {
      const p = probs[cls]!
      if (cls !== sign.cls && p >= 0.001 && ENTERED_BY[sign.state]![cls]) others.push({ char: CHARS[cls]!, p: Math.min(1, p) })
    }
    others.sort((a, b) => b.p - a.p)
    chars.unshift({ char: CHARS[sign.cls]!, p: Math.min(1, sign.p), others: others.slice(0, ALTERNATIVES) })
  }
  return {
    text: chars.map((c) => c.char).join(''),
    pattern,
    chars,
    confidence: chars.reduce((product, c) => product * c.p, 1),
    weakest: Math.min(...chars.map((c) => c.p)),
    substitutions: path.substitutions,
    junk: path.junk,
    path: path.score,
    score: path.score + Math.log(pattern.weight),
  }
}
