/** CEL, with exactly the words of the facts and nothing else: an unknown name is an error when the file is loaded. */
import { Environment } from '@marcbachmann/cel-js'
import type { Facts } from './facts.ts'
import { sampled } from './sampling.ts'
import { vocabulary } from './vocabulary.ts'

export interface Condition {
  evaluate(facts: AskedFacts): boolean
}

/**
 * Facts in the form in which conditions read them, a copy one level deep: see {@link toAsk}. CEL would else wrap every group of facts
 * in a map of its own for every condition that names it, which is nine tenths of all that a decision allocates.
 */
export type AskedFacts = Facts & { readonly [asked]: true }
declare const asked: unique symbol

/** Where and why an expression is wrong; `offset` counts characters from its start, null when not known. */
export interface CelProblem {
  readonly message: string
  readonly offset: number | null
}

const ARITHMETIC: readonly [string, (a: number, b: number) => number][] = [
  ['+', (a, b) => a + b],
  ['-', (a, b) => a - b],
  ['*', (a, b) => a * b],
  ['/', (a, b) => a / b],
]

type Group = new () => object

/** Makes the types of the words; each group of facts has a class by which CEL knows it. */
function environment(): { env: Environment; groups: ReadonlyMap<string, Group> } {
  const groups = new Map<string, Group>()
  const env = new Environment({ limits: { maxAstNodes: 2_000, maxDepth: 50 } })
  // A technician writes `weight.tare_kg * 1.1 + 500`: whole numbers in the text mix with measured ones.
  for (const [op, fn] of ARITHMETIC) {
    env.registerOperator(`double ${op} int`, (a: number, b: bigint) => fn(a, Number(b)))
    env.registerOperator(`int ${op} double`, (a: bigint, b: number) => fn(Number(a), b))
  }
  env.registerFunction('sampled(string, string, double): bool', sampled)
  env.registerFunction('sampled(string, string, int): bool', (id: string, seed: string, rate: bigint) => sampled(id, seed, Number(rate)))
  for (const { name, fields, word } of vocabulary()) {
    if (word) env.registerVariable(name, word.type)
    else {
      const schema = Object.fromEntries(fields!.map((f) => [f.name.slice(name.length + 1), f.type]))
      const ctor = class {}
      env.registerType(`$${name}`, { ctor, schema })
      env.registerVariable(name, `$${name}`)
      groups.set(name, ctor)
    }
  }
  return { env, groups }
}

let made: ReturnType<typeof environment> | undefined
const shared = () => {
  made ??= environment()
  return made
}

/** To be made once for all conditions that are asked about a vehicle. */
export function toAsk(facts: Facts): AskedFacts {
  const whole: Record<string, unknown> = { ...facts }
  for (const [name, Class] of shared().groups) whole[name] = Object.assign(new Class(), whole[name])
  return whole as unknown as AskedFacts
}

/** Parses and type-checks a condition. It must be a bool. */
export function compile(source: string): Condition | CelProblem {
  try {
    const run = shared().env.parse(source)
    const check = run.check()
    if (!check.valid) return problem(check.error)
    if (String(check.type) !== 'bool') return { message: `the condition is of type ${String(check.type)}, it must be bool`, offset: 0 }
    return { evaluate: (facts) => run(facts as unknown as Record<string, unknown>) === true }
  } catch (error) {
    return problem(error)
  }
}

function problem(error: unknown): CelProblem {
  const e = error as { message?: string; node?: { pos?: number }; pos?: number } | undefined
  const first = (e?.message ?? 'not valid CEL').split('\n')[0]!.trim()
  return { message: first, offset: e?.node?.pos ?? e?.pos ?? null }
}
