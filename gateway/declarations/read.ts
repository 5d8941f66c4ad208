/** A file of declarations, read row by row: what is good comes out, what is wrong is gathered with its place. */
import { type FileHandle, open } from 'node:fs/promises'
import type { z } from 'zod'
import { type Declaration, declaration } from '../identity/declaration.ts'
import { LuongError, messageOf } from '../kernel/errors.ts'
import { didYouMean, type Problem } from '../kernel/problems.ts'
import { csvRows } from './csv.ts'
import { namesAt, nodeAt } from './fields.ts'
import { jsonRows } from './json.ts'
import type { Row, RowProblem } from './row.ts'
import { textOf } from './utf8.ts'

export type Format = 'csv' | 'json'

/** More declarations than this in one file are a mistake. */
export const MAX_ROWS = 500_000
/** Problems kept with their words; the rest is only counted. */
export const MAX_PROBLEMS = 1_000

export interface Progress {
  readonly rows: number
  readonly bytes: number
  readonly total: number
}

/** Rows between two reports of progress, and two pauses for others on this thread. */
const PAUSE_ROWS = 250

/** By the name of the file. @throws BAD_USAGE when it says nothing */
export function formatOf(file: string): Format {
  if (/\.(csv|tsv|txt)$/i.test(file)) return 'csv'
  if (/\.(json|jsonl|ndjson)$/i.test(file)) return 'json'
  throw new LuongError('BAD_USAGE', `${file}: neither .csv nor .json`, {
    hint: 'Save a spreadsheet as "CSV UTF-8"; a file of another name needs --format csv or --format json.',
  })
}

interface Truck {
  readonly id: string
  readonly line: number
  readonly from: number
  readonly to: number
}

export class DeclarationFile {
  readonly file: string
  readonly #format: Format
  readonly #onProgress: (progress: Progress) => void
  readonly #problems: Problem[] = []
  readonly #ids = new Map<string, number>()
  readonly #trucks = new Map<string, Truck | Truck[]>()
  #errors = 0
  #warnings = 0
  #rows = 0
  #bytes = 0
  #total = 0

  constructor(file: string, options: { format?: Format; onProgress?: (progress: Progress) => void } = {}) {
    this.file = file
    this.#format = options.format ?? formatOf(file)
    this.#onProgress = options.onProgress ?? (() => {})
  }

  /** Rows that were looked at. */
  get rows(): number {
    return this.#rows
  }
  get errors(): number {
    return this.#errors
  }
  get warnings(): number {
    return this.#warnings
  }
  /** In the order of the file; at most {@link MAX_PROBLEMS}. */
  get problems(): readonly Problem[] {
    return [...this.#problems].sort((a, b) => a.line - b.line || a.column - b.column)
  }

  /** Every declaration that is right in itself. Look at {@link errors} when it is over. @throws BAD_USAGE when there is no such file */
  async *declarations(): AsyncGenerator<Declaration> {
    const handle = await this.#open()
    try {
      const before = await handle.stat()
      if (!before.isFile()) throw new LuongError('BAD_USAGE', `${this.file}: is not a file`)
      this.#total = before.size
      const tell = (p: RowProblem) => this.#tell(p)
      const pieces = textOf(
        handle,
        (finding) => tell({ ...finding, path: '' }),
        (bytes) => {
          this.#bytes += bytes
        },
      )
      yield* this.#good((this.#format === 'csv' ? csvRows : jsonRows)(pieces, tell))
      const after = await handle.stat()
      if (after.size !== before.size || after.mtimeMs !== before.mtimeMs)
        tell({
          line: 1,
          column: 1,
          path: '',
          message: 'the file changed while it was read',
          hint: 'wait until it is written, and import it again',
        })
      if (this.#rows === 0 && this.#errors === 0)
        tell({
          line: 1,
          column: 1,
          path: '',
          message: 'there is no declaration in this file',
          hint: 'check that it is the right one, and written to the end',
        })
    } finally {
      await handle.close()
    }
  }

  async #open(): Promise<FileHandle> {
    try {
      return await open(this.file, 'r')
    } catch (error) {
      const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : `cannot be read: ${messageOf(error)}`
      throw new LuongError('BAD_USAGE', `${this.file}: ${why}`, {
        hint: 'Check name and permissions.',
        cause: error,
      })
    }
  }

  async *#good(rows: AsyncGenerator<Row>): AsyncGenerator<Declaration> {
    for await (const row of rows) {
      this.#rows++
      if (this.#rows > MAX_ROWS) {
        this.#tell({ ...at(row), path: '', message: `more than ${MAX_ROWS} declarations`, hint: 'split the file' })
        return
      }
      const good = this.#check(row)
      if (good) yield good
      if (this.#rows % PAUSE_ROWS === 0) {
        this.#report()
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    this.#report()
  }

  #report(): void {
    this.#onProgress({ rows: this.#rows, bytes: this.#bytes, total: this.#total })
  }

  #check(row: Row): Declaration | null {
    for (const problem of row.problems) this.#tell(problem)
    if (row.value === undefined) return null
    const parsed = declaration.safeParse(row.value)
    // A cell that is no number was told already, and is not missing.
    const told = new Set(row.problems.map((p) => p.path))
    if (!parsed.success)
      for (const issue of parsed.error.issues) if (issue.path.length === 0 || !told.has(row.place(issue.path).path)) this.#issue(row, issue)
    // An id can be told even where something else is wrong.
    let id = ''
    const said = parsed.success ? parsed.data.id : (row.value as { id?: unknown } | null)?.id
    if (typeof said === 'string') {
      // A copy: what is kept must not hold on to the whole piece of the file that it was cut from.
      id = Buffer.from(said).toString()
      const before = this.#ids.get(id)
      if (before === undefined) this.#ids.set(id, row.line)
      else this.#tell({ ...row.place(['id']), message: `${id} stands on line ${before} already`, hint: 'remove one of the two' })
      if (before !== undefined) return null
    }
    if (!parsed.success || row.problems.length > 0) return null
    this.#sameTruck(row, { ...parsed.data, id })
    return parsed.data
  }

  #issue(row: Row, issue: z.core.$ZodIssue): void {
    const { path } = issue
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys)
        this.#tell({ ...row.place([...path, key]), message: `unknown key "${key}"`, hint: didYouMean(key, namesAt(path)) ?? 'remove it' })
      return
    }
    const node = nodeAt(path)
    this.#tell({
      ...row.place(path),
      message: messageOfIssue(issue, valueAt(row.value, path)),
      ...(node?.description ? { hint: node.description } : {}),
    })
  }

  /** Two declarations for one truck, one way, at one time: the lane could not tell which is meant. Not an error: one may be withdrawn. */
  #sameTruck(row: Row, d: Declaration): void {
    const truck: Truck = { id: d.id, line: row.line, from: Date.parse(d.valid_from), to: Date.parse(d.valid_to) }
    const key = `${d.direction} ${d.plate}`
    const known = this.#trucks.get(key)
    const others = known === undefined ? [] : Array.isArray(known) ? known : [known]
    const other = others.find((t) => t.from <= truck.to && truck.from <= t.to)
    // One is enough to compare with, and most trucks have but one.
    this.#trucks.set(key, known === undefined ? truck : [...others.slice(-20), truck])
    if (!other) return
    this.#tell(
      {
        ...row.place(['plate']),
        message: `${d.plate} is declared for ${d.direction} on line ${other.line} as well (${other.id}), at the same time`,
        hint: 'the lane cannot tell which is meant and refers the truck, until one of the two is withdrawn',
      },
      'warning',
    )
  }

  #tell(p: RowProblem, severity: Problem['severity'] = 'error'): void {
    if (severity === 'error') this.#errors++
    else this.#warnings++
    const { line, column, path, message, hint } = p
    // Errors matter more than warnings where there is no room for all.
    if (this.#problems.length >= MAX_PROBLEMS) {
      const spare = severity === 'error' ? this.#problems.findLastIndex((x) => x.severity === 'warning') : -1
      if (spare < 0) return
      this.#problems.splice(spare, 1)
    }
    this.#problems.push({ file: this.file, line, column, path, message, ...(hint === undefined ? {} : { hint }), severity })
  }
}

/** For whoever made the file: what stands there, and what may. */
function messageOfIssue(issue: z.core.$ZodIssue, given: unknown): string {
  if (given === undefined && (issue.code === 'invalid_type' || issue.code === 'invalid_value')) return 'is missing'
  if (issue.code === 'invalid_value') return `${JSON.stringify(given)?.slice(0, 40)} is none of ${issue.values.join(', ')}`
  if (issue.code === 'invalid_format' && issue.format === 'datetime')
    return 'is no time with its offset: write it as 2026-11-21T08:00:00+07:00'
  return issue.message
}

const at = ({ line, column }: Row) => ({ line, column })

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (v, key) => (typeof v === 'object' && v !== null ? (v as Record<PropertyKey, unknown>)[key] : undefined),
    value,
  )
}
