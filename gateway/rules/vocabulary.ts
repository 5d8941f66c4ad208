/** The words of a condition, read out of the schema of the facts: for CEL, `luong rules explain` and the docs. */
import { z } from 'zod'
import { type Facts, facts } from './facts.ts'

/** One word of the vocabulary. */
export interface Word {
  /** As a condition writes it: `vehicle.plate`. */
  readonly name: string
  readonly type: 'string' | 'bool' | 'double' | 'list<string>'
  /** kg, h, … or empty. */
  readonly unit: string
  readonly description: string
  /** How a condition may use it. */
  readonly example: string
}

/** What a condition may call beside the words of CEL. */
export const FUNCTIONS = [
  {
    name: 'sampled',
    signature: 'sampled(id: string, seed: string, rate: double): bool',
    description:
      'Drawn for inspection at this rate (0 none, 1 all). The draw hangs on id and seed alone, so whoever knows the seed can repeat it: first 48 bits of SHA-256 over seed, a zero byte and id, divided by 2^48, is below the rate.',
    example: 'sampled(declaration.id, "2026-11", 0.02)',
  },
] as const

type Schema = {
  type: string
  description?: string
  unit?: string
  examples?: unknown[]
  properties?: Record<string, Schema>
}

function celType(schema: Schema): Word['type'] {
  if (schema.type === 'array') return 'list<string>'
  return schema.type === 'boolean' ? 'bool' : schema.type === 'number' ? 'double' : 'string'
}

let known: { name: string; fields: Word[] | null; word: Word | null }[] | undefined

/** Top-level name → its CEL type, or the fields of the object behind it. */
export function vocabulary(): readonly { name: string; fields: Word[] | null; word: Word | null }[] {
  const schema = known ? null : (z.toJSONSchema(facts) as unknown as Schema)
  known ??= Object.entries(schema?.properties ?? {}).map(([name, s]) => {
    const word = (n: string, w: Schema): Word => ({
      name: n,
      type: celType(w),
      unit: w.unit ?? '',
      description: w.description ?? '',
      example: String(w.examples?.[0] ?? ''),
    })
    if (s.properties) return { name, word: null, fields: Object.entries(s.properties).map(([n, w]) => word(`${name}.${n}`, w)) }
    return { name, word: word(name, s), fields: null }
  })
  return known
}

/** All words, in order. */
export function vocabularyWords(): readonly Word[] {
  return vocabulary().flatMap((v) => v.fields ?? (v.word ? [v.word] : []))
}

/** What a word stands for in these facts; undefined where they do not hold it. */
export function factOf(f: Facts | object, name: string): unknown {
  return name
    .split('.')
    .reduce<unknown>((o, key) => (typeof o === 'object' && o !== null ? (o as Record<string, unknown>)[key] : undefined), f)
}
