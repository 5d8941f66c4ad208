/** Problems as text for people and as JSON lines for programs. */
import pc from 'picocolors'
import { type Problem, problemLine } from '../gateway/kernel/problems.ts'

export interface ExplainOptions {
  /** ANSI colours; off unless asked for. */
  readonly colour?: boolean
}

/** One line a problem: `file:line:column key.path: message (hint)`; warnings say so. */
export function explain(problem: Problem, options: ExplainOptions = {}): string {
  if (!options.colour) return problemLine(problem)
  const c = pc.createColors(true)
  const place = c.bold(`${problem.file}:${problem.line}:${problem.column}`)
  const kind = problem.severity === 'warning' ? c.yellow('warning: ') : ''
  const path = problem.path ? `${c.cyan(problem.path)}: ` : ''
  const message = problem.severity === 'warning' ? problem.message : c.red(problem.message)
  return `${place} ${kind}${path}${message}${problem.hint ? c.dim(` (${problem.hint})`) : ''}`
}

/** One JSON object, for `--json`. */
export function problemJson(problem: Problem): string {
  const { severity, file, line, column, path, message, hint } = problem
  return JSON.stringify({ severity, file, line, column, path, message, ...(hint === undefined ? {} : { hint }) })
}

/** `2 errors, 1 warning` */
export function tally(problems: readonly Problem[]): string {
  const errors = problems.filter((p) => p.severity === 'error').length
  const warnings = problems.length - errors
  const parts = [count(errors, 'error'), ...(warnings > 0 ? [count(warnings, 'warning')] : [])]
  return parts.join(', ')
}

/** `1 lane`, `2 lanes` */
export const count = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`
