/** What all benches share: what machine this is, medians and percentiles, and a table that a person can read. */
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { percentile } from '../../gateway/journal/stats.ts'

export interface Row {
  readonly what: string
  /** With its unit. */
  readonly value: string
  readonly note?: string
}

export interface Report {
  readonly bench: string
  /** What was measured, in a sentence. */
  readonly title: string
  readonly command: string
  readonly rows: readonly Row[]
  /** The numbers behind the rows. */
  readonly data: Readonly<Record<string, unknown>>
}

/** Options of a bench: `--json`, `--only NAME…` and numbers by name. */
export interface BenchOptions {
  readonly json: boolean
  /** See `edge`. */
  readonly realtime: boolean
  readonly names: readonly string[]
  /** A number given as `--name N`, or the bench's own default. */
  number(name: string, fallback: number): number
  text(name: string): string | undefined
}

const NUMBERS = [
  'runs',
  'seconds',
  'decisions',
  'frames',
  'passages',
  'entries',
  'read',
  'percent',
  'seed',
  'busy',
  'events',
  'kills',
  'faults',
  'hours',
] as const
const TEXTS = ['pictures', 'node', 'trace', 'data'] as const

/** Reads the command line. Throws a TypeError on an unknown option. */
export function benchOptions(argv: readonly string[]): BenchOptions {
  const strings = Object.fromEntries([...NUMBERS, ...TEXTS].map((name) => [name, { type: 'string' as const }]))
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: { ...strings, json: { type: 'boolean' as const }, realtime: { type: 'boolean' as const } },
    allowPositionals: true,
  })
  const given = values as Record<string, string | boolean | undefined>
  return {
    json: given.json === true,
    realtime: given.realtime === true,
    names: positionals,
    number(name, fallback) {
      const n = given[name] === undefined ? fallback : Number(given[name])
      if (!(n > 0)) throw new TypeError(`--${name} takes a number above 0, not ${given[name]}`)
      return n
    },
    text: (name) => (typeof given[name] === 'string' ? given[name] : undefined),
  }
}

export interface Spread {
  readonly n: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** Nearest-rank percentiles; zeros of no values. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  return { n: sorted.length, p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99), max: sorted.at(-1) ?? 0 }
}

export const median = (values: readonly number[]): number => spread(values).p50

export const ms = (x: number): string => `${x < 10 ? x.toFixed(2) : x.toFixed(1)} ms`
export const mb = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(0)} MB`
export const inWords = (s: Spread): string => `p50 ${ms(s.p50)}   p99 ${ms(s.p99)}   max ${ms(s.max)}   (${s.n})`

/** How busy the machine is with everything, ours included: runnable threads over the last minute. */
export const load = (): number => Math.round(loadavg()[0]! * 10) / 10

export function machine(): string {
  const all = cpus()
  return `${all[0]?.model.trim() ?? 'unknown CPU'}, ${all.length} cores, Node ${process.version}`
}

/** Prints a report: a table, or one JSON object a line. */
export function print(report: Report, json: boolean, loadBefore: number): void {
  const date = new Date().toISOString().slice(0, 16).replace('T', ' ')
  const loads = [loadBefore, load()]
  if (json) {
    process.stdout.write(`${JSON.stringify({ ...report, machine: machine(), date, load: loads })}\n`)
    return
  }
  const width = Math.max(...report.rows.map((r) => r.what.length))
  const lines = report.rows.map((r) => `  ${r.what.padEnd(width)}   ${r.value}${r.note ? `   ${r.note}` : ''}`)
  process.stdout.write(
    `${[
      '',
      `${report.bench}: ${report.title}`,
      `  ${machine()}; ${date} UTC; load ${loads[0]} before, ${loads[1]} after; ${report.command}`,
      ...lines,
    ].join('\n')}\n`,
  )
}
