/** Finds one's way in the site's JSON Schema: which keys a place knows, and every setting there is. */
import type { JsonNode } from './json-schema.ts'

export const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The value at `path`, undefined when there is none. */
export function at(data: unknown, path: readonly PropertyKey[]): unknown {
  let value = data
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = Reflect.get(value, step)
  }
  return value
}

/** The alternatives of a node; with `value`, only those whose fixed keys (`kind`, `driver`) agree with it, where any does. */
export function branches(node: JsonNode, value?: unknown): JsonNode[] {
  const options = node.anyOf ?? node.oneOf
  if (!options) return [node]
  // What is said of the whole is truer than what is said of one of its forms.
  const { title, description, unit } = node
  const whole = Object.fromEntries(Object.entries({ title, description, unit }).filter(([, text]) => text !== undefined))
  const all = options.flatMap((option) => branches({ ...option, ...whole }, value))
  if (!isMap(value)) return all
  const fits = all.filter((b) => {
    const fixed = Object.entries(b.properties ?? {}).filter(([, p]) => p.const !== undefined)
    return fixed.length > 0 && fixed.every(([key, p]) => value[key] === p.const)
  })
  return fits.length > 0 ? fits : all
}

/** The schemas that may hold at `path` of `data`. */
export function nodesAt(schema: JsonNode, path: readonly PropertyKey[], data: unknown): JsonNode[] {
  let nodes = branches(schema, data)
  let value = data
  for (const step of path) {
    value = typeof value === 'object' && value !== null ? Reflect.get(value, step) : undefined
    nodes = nodes.flatMap((node) => {
      const child = typeof step === 'number' ? node.items : (node.properties?.[String(step)] ?? rest(node))
      return child ? branches(child, value) : []
    })
  }
  return nodes
}

const rest = (node: JsonNode): JsonNode | undefined =>
  typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined

/** The keys that the map at `path` of `data` may have. */
export function knownKeys(schema: JsonNode, path: readonly PropertyKey[], data: unknown): string[] {
  return [...new Set(nodesAt(schema, path, data).flatMap((node) => Object.keys(node.properties ?? {})))]
}

export interface Setting {
  /** `lanes.<lane>.sensors.presence`; in alternatives `links.<serial>.baud`. */
  readonly path: string
  readonly node: JsonNode
  readonly required: boolean
  /** Needed in the form of its map that has it; other forms do without. */
  readonly either: boolean
}

/**
 * Every setting, parents before children. The properties of all alternatives are told; an alternative
 * that is picked by a fixed key stands in the path as `<key value>`.
 */
export function* settings(schema: JsonNode, prefix = ''): Generator<Setting> {
  const forms = branches(schema)
  for (const branch of forms) {
    const fixed = Object.entries(branch.properties ?? {}).find(([, p]) => p.const !== undefined)
    const here = fixed && /<\w+>$/.test(prefix) ? prefix.replace(/<\w+>$/, `<${String(fixed[1].const)}>`) : prefix
    for (const [key, node] of Object.entries(branch.properties ?? {})) {
      const path = here === '' ? key : `${here}.${key}`
      const either = fixed === undefined && forms.some((form) => form.properties && !Object.hasOwn(form.properties, key))
      yield { path, node, required: branch.required?.includes(key) ?? false, either }
      yield* settings(node, path)
    }
    const each = rest(branch)
    if (each && Object.keys(each).length > 0) {
      const last = prefix.split('.').at(-1) ?? ''
      yield* settings(each, `${prefix}.<${last.replace(/s$/, '')}>`)
    }
    if (branch.items) yield* settings(branch.items, `${prefix}[]`)
  }
}
