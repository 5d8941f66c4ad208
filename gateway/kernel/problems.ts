/** What is wrong in a file a person wrote: where, what, and what to do. All of a file's problems are told at once. */
import { LuongError } from './errors.ts'

export interface Problem {
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
  /** Key path with dots: `rules.2.when`. */
  readonly path: string
  readonly message: string
  readonly hint?: string
  readonly severity: 'error' | 'warning'
}

/** `file:line:column key: message (hint)` */
export function problemLine(p: Problem): string {
  const kind = p.severity === 'warning' ? 'warning: ' : ''
  return `${p.file}:${p.line}:${p.column} ${kind}${p.path ? `${p.path}: ` : ''}${p.message}${p.hint ? ` (${p.hint})` : ''}`
}

/** An error that carries every problem found. */
export class ProblemsError extends LuongError {
  readonly problems: readonly Problem[]
  constructor(code: 'CONFIG_INVALID' | 'RULES_INVALID' | 'IMPORT_INVALID', problems: readonly Problem[]) {
    super(code, problems.map(problemLine).join('\n'))
    this.name = 'ProblemsError'
    this.problems = problems
  }
}

/** Edit distance (Levenshtein), for "did you mean". */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}

/** `did you mean X?` for the nearest of `known`, when one is near enough. */
export function didYouMean(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined
  let distance = Math.max(2, Math.floor(word.length / 3)) + 1
  for (const k of known) {
    const d = editDistance(word.toLowerCase(), k.toLowerCase())
    if (d < distance) {
      distance = d
      best = k
    }
  }
  return best === undefined ? undefined : `did you mean ${best}?`
}
