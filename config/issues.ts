/** Words for what zod finds, for a technician: what is wrong with the value, in which bounds it must be, what was probably meant. */
import type { z } from 'zod'
import { didYouMean } from '../gateway/kernel/problems.ts'
import type { JsonNode } from './json-schema.ts'
import { at, isMap, knownKeys, nodesAt } from './schema-walk.ts'

/** A complaint about a place in the data, not yet in a file. */
export interface Complaint {
  readonly path: readonly PropertyKey[]
  readonly message: string
  readonly hint?: string
  /** Point at the key, not at its value. */
  readonly key?: boolean
}

type Issue = z.core.$ZodIssue
type Path = readonly PropertyKey[]

export interface IssueContext {
  readonly schema: JsonNode
  /** The whole data that `schema` is about. */
  readonly data: unknown
  /** Where in `data` the issues' paths begin. */
  readonly prefix?: Path
}

/** Turns zod's issues into complaints; a key that is missing because it is misspelt is told once. */
export function complaints(issues: readonly Issue[], context: IssueContext): Complaint[] {
  const all = issues.flatMap((issue) => explain(issue, [...(context.prefix ?? []), ...issue.path], context))
  const misspelt = new Set(all.flatMap((c) => (c.meant === undefined ? [] : [pathKey([...c.path.slice(0, -1), c.meant])])))
  return all.filter((c) => !(c.missing && misspelt.has(pathKey(c.path)))).map(({ meant: _, missing: __, ...c }) => c)
}

const pathKey = (path: Path) => JSON.stringify(path.map(String))

type Found = Complaint & { meant?: string; missing?: boolean }

function explain(issue: Issue, path: Path, context: IssueContext): Found[] {
  const value = at(context.data, path)
  const nodes = nodesAt(context.schema, path, context.data)
  const node = nodes[0]
  const say = (message: string, hint?: string): Found[] => [{ path, message, ...(hint === undefined ? {} : { hint }) }]
  const missing = () => [{ ...say('is missing', choice(nodes) ?? purpose(node))[0]!, missing: true }]
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(key, path, context))
    case 'invalid_union': {
      if ('discriminator' in issue && issue.errors.length === 0) {
        const options = ('options' in issue ? (issue.options as unknown[]) : []).map(String)
        return value === undefined ? [{ ...oneOf(options, undefined, path), missing: true }] : [oneOf(options, value, path)]
      }
      if (value === undefined) return missing()
      return union(issue.errors, value, path, context)
    }
    case 'invalid_type':
      if (value === undefined) return missing()
      return say(
        `must be ${TYPES[issue.expected] ?? issue.expected}, not ${show(value, path)}`,
        hidden(path) ? undefined : typeHint(value, issue.expected, node),
      )
    case 'invalid_value':
      if (value === undefined) return missing()
      return [oneOf(issue.values.map(String), value, path)]
    case 'too_small':
      return say(small(issue.origin, Number(issue.minimum), node, value, path), bounds(node))
    case 'too_big':
      return say(big(issue.origin, Number(issue.maximum), node, value, path), bounds(node))
    case 'invalid_key':
      return [{ path, message: `this name cannot be used: ${issue.issues[0]?.message ?? issue.message}`, key: true }]
    default:
      // invalid_format and custom carry the schema's own words
      return say(issue.message, typeof value === 'string' && !hidden(path) && value !== '' ? `it is ${show(value, path)}` : undefined)
  }
}

function unknownKey(key: string, path: Path, context: IssueContext): Found {
  const known = knownKeys(context.schema, path, context.data)
  const value = at(context.data, path)
  const free = known.filter((k) => !isMap(value) || !Object.hasOwn(value, k))
  const hint = didYouMean(key, free)
  const meant = hint === undefined ? undefined : free.find((k) => hint === `did you mean ${k}?`)
  const otherwise = known.length === 0 ? 'remove it' : `known here: ${known.join(', ')}`
  return { path: [...path, key], message: 'unknown key', hint: hint ?? otherwise, key: true, ...(meant === undefined ? {} : { meant }) }
}

function oneOf(options: readonly string[], value: unknown, path: Path): Found {
  const list = options.length > 1 ? `one of ${options.join(', ')}` : String(options[0])
  if (value === undefined) return { path, message: 'is missing', hint: `write ${list}` }
  const hint = typeof value === 'string' && !hidden(path) ? didYouMean(value, options) : undefined
  return { path, message: `must be ${list}, not ${show(value, path)}`, ...(hint === undefined ? {} : { hint }) }
}

/** Of the alternatives of a union, the one that was most probably meant tells its complaints. */
function union(errors: readonly (readonly Issue[])[], value: unknown, path: Path, context: IssueContext): Found[] {
  const top = errors.map((issues) => issues.find((i) => i.path.length === 0 && (i.code === 'invalid_type' || i.code === 'invalid_value')))
  if (top.every((i) => i !== undefined)) {
    const options = top.flatMap((i) =>
      i.code === 'invalid_type' ? [TYPES[i.expected] ?? i.expected] : i.code === 'invalid_value' ? i.values.map(String) : [],
    )
    const keys = isMap(value) ? [] : knownKeys(context.schema, path, context.data)
    const wanted = [...new Set(options)].join(' or ')
    return [
      {
        path,
        message: `must be ${wanted}, not ${show(value, path)}`,
        ...(keys.length > 0 ? { hint: `write {${keys.join(': …} or {')}: …}` } : {}),
      },
    ]
  }
  const best = errors
    .filter((_, i) => top[i] === undefined)
    .map((issues) => ({ issues, cost: issues.reduce((sum, i) => sum + cost(i, value), 0) }))
    .sort((a, b) => a.cost - b.cost)[0]!
  return best.issues.flatMap((issue) => explain(issue, [...path, ...issue.path], context))
}

function cost(issue: Issue, value: unknown): number {
  if (issue.code === 'unrecognized_keys' && issue.path.length === 0) return 10 * issue.keys.length
  const absent = issue.path.length === 1 && isMap(value) && value[String(issue.path[0])] === undefined
  return absent ? 10 : 1
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a map',
  record: 'a map',
  array: 'a list',
}

function typeHint(value: unknown, expected: string, node: JsonNode | undefined): string | undefined {
  const numeric = expected === 'int' || expected === 'number'
  if (numeric && typeof value === 'string' && /^\s*-?\d/.test(value))
    return node?.unit ? `a bare number, in ${node.unit}` : 'a bare number, without quotes'
  if (expected === 'boolean' && typeof value === 'string' && /^(yes|no|on|off)$/i.test(value)) return 'YAML 1.2 knows true and false only'
  if (expected === 'array' && (typeof value === 'string' || typeof value === 'number')) return `write [${value}]`
  if (expected === 'string' && typeof value === 'number') return 'put it in quotes'
  return numeric ? bounds(node) : purpose(node)
}

/** Where each form of a map has its own fixed value. */
function choice(nodes: readonly JsonNode[]): string | undefined {
  const fixed = nodes.flatMap((n) => (n.const === undefined ? [] : [String(n.const)]))
  return fixed.length > 1 && fixed.length === nodes.length ? `write one of ${fixed.join(', ')}` : undefined
}

/** What a setting is for, as a hint. */
function purpose(node: JsonNode | undefined): string | undefined {
  return node?.title ? `${node.title}: ${node.description?.replace(/\.$/, '') ?? ''}` : undefined
}

/** `500 to 120000 ms; 8000 when left out` */
export function bounds(node: JsonNode | undefined): string | undefined {
  if (node?.minimum === undefined || node.maximum === undefined) return undefined
  const unit = node.unit ? ` ${node.unit}` : ''
  const fallback = typeof node.default === 'number' ? `; ${node.default} when left out` : ''
  return `${node.minimum} to ${node.maximum}${unit}${fallback}`
}

const unitOf = (node: JsonNode | undefined) => (node?.unit ? ` ${node.unit}` : '')
const entries = (n: number) => `${n} ${n === 1 ? 'entry' : 'entries'}`

function small(origin: string, minimum: number, node: JsonNode | undefined, value: unknown, path: Path): string {
  if (origin === 'string') return minimum === 1 ? 'must not be empty' : `must have at least ${minimum} characters`
  if (origin === 'array' || origin === 'set') return `needs at least ${entries(minimum)}`
  return `must be at least ${minimum}${unitOf(node)}, not ${show(value, path)}`
}

function big(origin: string, maximum: number, node: JsonNode | undefined, value: unknown, path: Path): string {
  if (origin === 'string') return `must have at most ${maximum} characters`
  if (origin === 'array' || origin === 'set') return `must have at most ${entries(maximum)}`
  return `must be at most ${maximum}${unitOf(node)}, not ${show(value, path)}`
}

/** Where a value may be a password typed in by mistake, it is not repeated. */
const hidden = (path: Path) => path.some((step) => /passw|secret|token|key|pin/i.test(String(step)))

function show(value: unknown, path: Path): string {
  if (value === null) return 'empty'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a map'
  if (typeof value !== 'string') return String(value)
  if (hidden(path)) return 'text'
  // An address with a password in it is refused; the password is not repeated either.
  if (/\/\/[^/]*@/.test(value)) return 'text with a user name or password in it'
  const short = value.length > 40 ? `${value.slice(0, 40)}…` : value
  return JSON.stringify(short)
}
