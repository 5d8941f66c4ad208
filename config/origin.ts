/** A site file and the files it includes, merged into one, with the place of every value kept. */
import { readFile } from 'node:fs/promises'
import { dirname, isAbsolute, join, normalize, resolve } from 'node:path'
import type { Problem } from '../gateway/kernel/problems.ts'
import { parseYaml, type YamlSource } from '../gateway/kernel/yaml-source.ts'
import type { Complaint } from './issues.ts'
import { at, isMap } from './schema-walk.ts'

/** The file as named for people, and its text's places. */
interface Source {
  readonly yaml: YamlSource
  readonly lines: number
}

type Path = readonly PropertyKey[]

/** Merged data that knows where each value was written. */
export interface Merged {
  readonly data: Record<string, unknown>
  /** All files read, absolute, the site file first. */
  readonly files: readonly string[]
  /** What is wrong with the files themselves: unreadable, not YAML, includes in a circle. */
  readonly problems: readonly Problem[]
  problem(complaint: Complaint, severity?: Problem['severity']): Problem
  /** Name of the file in which the value at `path` is written. */
  fileOf(path: Path): string
}

const MAX_BYTES = 1_000_000
const MAX_FILES = 100
const pathKey = (path: Path) => JSON.stringify(path.map(String))

/** Reads `path` and what it includes. Never throws on what the files hold: see `problems`. */
export async function readMerged(path: string): Promise<Merged> {
  return new Reader().read(path)
}

class Reader {
  readonly #problems: Problem[] = []
  readonly #sources = new Map<string, Source>()
  readonly #origins = new Map<string, Source>()
  #merges = 0

  async read(path: string): Promise<Merged> {
    const data = (await this.#merge(path, [], undefined)) ?? {}
    const main = this.#sources.get(resolve(path)) ?? { yaml: parseYaml(path, ''), lines: 1 }
    const origin = (where: Path): Source => {
      for (let n = where.length; n > 0; n--) {
        const found = this.#origins.get(pathKey(where.slice(0, n)))
        if (found) return found
      }
      return main
    }
    return {
      data,
      files: [...this.#sources.keys()],
      problems: this.#problems,
      problem: ({ path: where, message, hint, key = false }, severity = 'error') => {
        const source = origin(where)
        return { ...source.yaml.problem(where, message, { hint, severity }), ...place(source, where, key), path: printPath(where) }
      },
      fileOf: (where) => origin(where).yaml.file,
    }
  }

  /** Data of one file with its includes merged in below it; undefined when it is unusable. */
  async #merge(file: string, stack: readonly string[], asked: (() => Pick<Problem, 'file' | 'line' | 'column' | 'path'>) | undefined) {
    const absolute = resolve(file)
    const fail = (message: string, hint?: string) => {
      const where = asked?.() ?? { file, line: 1, column: 1, path: '' }
      this.#problems.push({ ...where, message, ...(hint === undefined ? {} : { hint }), severity: 'error' })
    }
    if (stack.includes(absolute)) {
      const circle = [...stack.slice(stack.indexOf(absolute)), absolute].map((f) => f.slice(dirname(absolute).length + 1)).join(' → ')
      return fail('includes itself', circle)
    }
    this.#merges += 1
    if (this.#merges > MAX_FILES) {
      if (this.#merges === MAX_FILES + 1) fail(`more than ${MAX_FILES} includes`, 'merge some of the files')
      return undefined
    }
    const seen = this.#sources.get(absolute)
    const source = seen ?? (await this.#open(file, absolute, fail))
    if (!source) return undefined
    const own = source.yaml.data
    if (!isMap(own)) {
      if (!seen && source.yaml.problems.length === 0) {
        const what = own === null || own === undefined ? 'is empty' : 'must hold a map of settings'
        this.#problems.push({ file, line: 1, column: 1, path: '', message: what, hint: 'start with `version: 1`', severity: 'error' })
      }
      return undefined
    }
    let base: Record<string, unknown> = {}
    const includes = Array.isArray(own.include) ? own.include : []
    for (const [i, name] of includes.entries()) {
      if (typeof name !== 'string' || name === '') continue
      const where = () => ({ file, ...place(source, ['include', i], false), path: `include[${i}]` })
      const included = await this.#merge(isAbsolute(name) ? name : normalize(join(dirname(file), name)), [...stack, absolute], where)
      if (included) base = this.#overlay(base, omit(included, 'include'), [], undefined)
    }
    return this.#overlay(base, own, [], source)
  }

  async #open(file: string, absolute: string, fail: (message: string, hint?: string) => void): Promise<Source | undefined> {
    const text = await readText(file).catch((error: Error) => error)
    if (typeof text !== 'string') {
      fail(`${file} cannot be read: ${reason(text)}`)
      return undefined
    }
    const source = { yaml: parseYaml(file, text), lines: lineCount(text) }
    this.#sources.set(absolute, source)
    this.#problems.push(...firstOf(source.yaml.problems).map((p) => ({ ...p, line: Math.min(p.line, source.lines) })))
    return source
  }

  /** `top` over `below`: maps key by key, all else replaced. With `source`, notes it as the origin of what `top` brings. */
  #overlay(below: Record<string, unknown>, top: Record<string, unknown>, path: Path, source: Source | undefined): Record<string, unknown> {
    const out: Record<string, unknown> = Object.assign(Object.create(null), below)
    for (const [key, value] of Object.entries(top)) {
      const here = [...path, key]
      const old = out[key]
      if (value === null && isMap(old)) continue
      if (source) this.#origins.set(pathKey(here), source)
      out[key] = isMap(value) ? this.#overlay(isMap(old) ? old : {}, value, here, source) : value
    }
    return out
  }
}

const omit = (map: Record<string, unknown>, key: string) => Object.fromEntries(Object.entries(map).filter(([k]) => k !== key))

/** What is missing or empty is shown at the key it belongs to, everything else at its value (or its own key with `key`). */
function place(source: Source, path: Path, key: boolean): { line: number; column: number } {
  let n = path.length
  while (n > 0 && at(source.yaml.data, path.slice(0, n)) === undefined) n--
  const value = at(source.yaml.data, path.slice(0, n))
  const found = source.yaml.locate(path.slice(0, n), key || n < path.length || value === null)
  return { line: Math.min(found.line, source.lines), column: found.column }
}

/** After the first syntax error a parser mostly stumbles over its own confusion; keys written twice are independent of each other. */
function firstOf(problems: readonly Problem[]): readonly Problem[] {
  return problems.every((p) => p.message === problems[0]?.message) ? problems : problems.slice(0, 1)
}

/** `lanes.import-1.sensors.presence[0]` */
export function printPath(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`
    const name = /^[\w-]+$/.test(String(step)) ? String(step) : JSON.stringify(String(step))
    return text === '' ? name : `${text}.${name}`
  }, '')
}

async function readText(file: string): Promise<string> {
  const bytes = await readFile(file)
  if (bytes.length > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES} bytes`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Error('it is not UTF-8 text')
  }
}

function lineCount(text: string): number {
  const lines = text.split('\n')
  return Math.max(1, lines.at(-1) === '' ? lines.length - 1 : lines.length)
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'no permission to read it',
  EISDIR: 'it is a folder',
  ENOTDIR: 'there is no such folder',
  ELOOP: 'too many symbolic links',
}

/** Why a file could not be read, in words. */
export function reason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code
  return (code && REASONS[code]) || (error instanceof Error ? error.message : String(error))
}
