/** Reads rule files: all problems at once, each with its place; conditions are type-checked before anything runs. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { messageOf } from '../kernel/errors.ts'
import { didYouMean, type Problem, ProblemsError } from '../kernel/problems.ts'
import { parseYaml, type YamlSource, zodProblems } from '../kernel/yaml-source.ts'
import { type Condition, compile } from './cel.ts'
import { type Facts, facts, words } from './facts.ts'
import { example, type Rule, rule, rulesFile } from './schema.ts'
import { vocabulary } from './vocabulary.ts'

export interface CompiledRule extends Rule {
  readonly condition: Condition
  readonly source_: { readonly yaml: YamlSource; readonly path: readonly PropertyKey[] }
}

export interface RuleSet {
  readonly files: readonly string[]
  readonly rules: readonly CompiledRule[]
  /** sha256:… over the files' text, stands in every decision. */
  readonly hash: string
}

const EXAMPLE_KEYS = Object.keys(example.shape)
const RULE_KEYS = Object.keys(rule.shape)

function knownKeys(path: readonly PropertyKey[]): string[] {
  if (path.length === 0) return Object.keys(rulesFile.shape)
  if (path.includes('examples')) return EXAMPLE_KEYS
  return path.at(-1) === 'reasons' ? ['vi', 'zh', 'en'] : RULE_KEYS
}

function unknownWords(text: string): string[] {
  const known = words(facts.parse({}))
  return [...text.matchAll(/\{([^}]*)\}/g)].map((m) => m[1]!).filter((w) => !(w in known))
}

function compileRule(r: Rule, yaml: YamlSource, path: readonly PropertyKey[], problems: Problem[]): CompiledRule | null {
  const condition = compile(r.when)
  if (!('evaluate' in condition)) {
    const name = /(?:Unknown variable|No such key): ([\w.]+)/.exec(condition.message)?.[1]
    const names = vocabulary().flatMap((v) => (v.fields ? [v.name, ...v.fields.flatMap((f) => [f.name, f.name.split('.')[1]!])] : [v.name]))
    problems.push({
      ...yaml.problem([...path, 'when'], condition.message, { hint: name ? didYouMean(name, names) : undefined }),
      ...(condition.offset === null ? {} : yaml.inside([...path, 'when'], condition.offset)),
    })
  }
  for (const [lang, text] of Object.entries(r.reasons))
    for (const w of unknownWords(text))
      problems.push(
        yaml.problem([...path, 'reasons', lang], `unknown word {${w}}`, {
          hint: didYouMean(w, Object.keys(words(facts.parse({})))) ?? 'see the vocabulary in the docs',
        }),
      )
  r.examples.forEach((e, i) => {
    const given = facts.safeParse(e.given)
    if (!given.success)
      problems.push(...zodProblems(yaml, given.error.issues, { prefix: [...path, 'examples', i, 'given'], known: givenKeys }))
  })
  return 'evaluate' in condition ? { ...r, condition, source_: { yaml, path } } : null
}

function givenKeys(path: readonly PropertyKey[]): string[] {
  const words = vocabulary()
  const group = words.find((v) => v.name === path.at(-1))
  return group?.fields ? group.fields.map((f) => f.name.split('.')[1]!) : words.map((v) => v.name)
}

/** Loads files in order of precedence. Throws {@link ProblemsError} (RULES_INVALID) with everything that is wrong. */
export async function loadRules(files: readonly string[]): Promise<RuleSet> {
  const problems: Problem[] = []
  const rules: CompiledRule[] = []
  const seen = new Map<string, string>()
  const hash = createHash('sha256')
  for (const file of files) {
    let text: string
    try {
      text = await readFile(file, 'utf8')
    } catch (error) {
      problems.push({ file, line: 1, column: 1, path: '', message: `cannot be read: ${messageOf(error)}`, severity: 'error' })
      continue
    }
    hash.update(text).update('\0')
    const yaml = parseYaml(file, text)
    problems.push(...yaml.problems)
    if (yaml.problems.length > 0) continue
    const parsed = rulesFile.safeParse(yaml.data)
    if (!parsed.success) {
      problems.push(...zodProblems(yaml, parsed.error.issues, { known: knownKeys }))
      continue
    }
    parsed.data.rules.forEach((r, i) => {
      const path = ['rules', i]
      const before = seen.get(r.id)
      if (before) problems.push(yaml.problem([...path, 'id'], `rule "${r.id}" is there already`, { hint: `see ${before}` }))
      else seen.set(r.id, `${file}:${yaml.locate(path).line}`)
      const compiled = compileRule(r, yaml, path, problems)
      if (compiled) rules.push(compiled)
    })
  }
  if (problems.length > 0) throw new ProblemsError('RULES_INVALID', problems)
  return { files, rules, hash: `sha256:${hash.digest('hex')}` }
}

/** Facts of an example: an ordinary declared vehicle that fits the lane, but for what `given` says. */
export function exampleFacts(given: unknown): Facts {
  return facts.parse(given)
}
