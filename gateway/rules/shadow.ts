/** Rules that are never reached: one before them fits whenever they do. Told from the conditions themselves, so only what is sure. */
import type { Problem } from '../kernel/problems.ts'
import type { RuleSet } from './load.ts'

/** Cuts a condition at an operator that stands outside brackets and texts. */
function cut(condition: string, operator: '&&' | '||'): string[] {
  const parts: string[] = []
  let depth = 0
  let quote = ''
  let from = 0
  for (let i = 0; i < condition.length; i++) {
    const char = condition[i]!
    if (quote !== '') {
      if (char === '\\') i++
      else if (char === quote) quote = ''
    } else if (char === '"' || char === "'") quote = char
    else if ('([{'.includes(char)) depth++
    else if (')]}'.includes(char)) depth--
    // `a ? b : c` binds weaker than both: such a condition is one part.
    else if (char === '?' && depth === 0) return [condition]
    else if (depth === 0 && condition.startsWith(operator, i)) {
      parts.push(condition.slice(from, i))
      from = i + 2
      i++
    }
  }
  return [...parts, condition.slice(from)]
}

/** White space outside texts means nothing, nor do brackets around all of it. */
function plain(part: string): string {
  const text = part
    .split(/("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')/)
    .map((piece, i) => (i % 2 === 1 ? piece : piece.replace(/\s+/g, ' ').replace(/ ?([^\w ]+) ?/g, '$1')))
    .join('')
    .trim()
  const inner = /^\((.*)\)$/s.exec(text)?.[1]
  if (inner === undefined) return text
  let depth = 0
  for (const char of inner) {
    depth += char === '(' ? 1 : char === ')' ? -1 : 0
    if (depth < 0) return text
  }
  return plain(inner)
}

/** The ways a condition can hold: of each, what must all be so. */
function waysOf(condition: string): ReadonlySet<string>[] {
  return cut(plain(condition), '||').map((way) => new Set(cut(plain(way), '&&').map(plain)))
}

/** Warns of every rule each of whose ways to fit is also one of a single rule before it. */
export function checkShadowed({ rules }: RuleSet): Problem[] {
  const ways = rules.map((rule) => waysOf(rule.when))
  return rules.flatMap((rule, i) => {
    const before = rules.findIndex((_, j) => j < i && ways[i]!.every((way) => ways[j]!.some((other) => covers(other, way))))
    if (before < 0) return []
    const { id, when, source_ } = rules[before]!
    const place = source_.yaml.locate(source_.path)
    return [
      rule.source_.yaml.problem(
        [...rule.source_.path, 'when'],
        `rule "${rule.id}" is never reached: "${id}" fits whenever it does (${when.trim()})`,
        {
          hint: `put it before "${id}" (line ${place.line} of its file), make that one narrower, or remove this one`,
          severity: 'warning',
        },
      ),
    ]
  })
}

/** What holds for `other` holds whenever all of `way` does. */
const covers = (other: ReadonlySet<string>, way: ReadonlySet<string>) => [...other].every((part) => part === 'true' || way.has(part))
