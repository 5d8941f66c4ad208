/** What can still be read of settings that are wrong somewhere, so that the rest is checked all the same. */
import type { z } from 'zod'
import { isMap } from './schema-walk.ts'

const ROUNDS = 5

/** Parses without the keys that are wrong; null when what is left makes no sense. */
export function salvage<T>(schema: z.ZodType<T>, value: unknown): T | null {
  let rest = value
  for (let round = 0; round < ROUNDS; round++) {
    const parsed = schema.safeParse(rest)
    if (parsed.success) return parsed.data
    if (!isMap(rest)) return null
    for (const issue of parsed.error.issues) {
      const keys = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path]
      for (const path of keys) rest = without(rest, path)
    }
  }
  return null
}

/** A copy without the value at `path`; of a list with a wrong entry nothing is kept, so that no entry changes its place. */
function without(value: unknown, path: readonly PropertyKey[]): unknown {
  const [step, ...deeper] = path
  if (!isMap(value) || step === undefined || !Object.hasOwn(value, step)) return value
  const key = String(step)
  const { [key]: inner, ...others } = value
  return deeper.length > 0 && isMap(inner) ? { ...others, [key]: without(inner, deeper) } : others
}
