/** Whatever the facts: no rule set that is shipped opens for a vehicle that nobody declared, nor for a detained one. */
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadSite } from '../../../config/load.ts'
import { decide } from '../../../gateway/rules/decide.ts'
import { type Facts, facts } from '../../../gateway/rules/facts.ts'
import { type CompiledRule, loadRules } from '../../../gateway/rules/load.ts'
import { wordsIn } from '../../../gateway/rules/snapshot.ts'
import { vocabularyWords, type Word } from '../../../gateway/rules/vocabulary.ts'

const CONFIG = fileURLToPath(new URL('../../../config/', import.meta.url))
const yaml = (dir: string) => readdirSync(`${CONFIG}${dir}`).filter((f) => f.endsWith('.yaml'))

/** Values that conditions compare with, and some that they don't. */
const TEXTS = [
  '',
  'import',
  'export',
  'loaded',
  'empty',
  'agricultural',
  'two-way',
  'border-resident',
  'green',
  'yellow',
  'red',
  'exact',
  'near',
]
const MORE = ['ambiguous', 'undeclared', 'failed', 'VND', 'CNY', 'VN', 'CN', 'trailer', 'weight', 'durian', 'D120']
const text = fc.constantFrom(...TEXTS, ...MORE)
const value: Record<Word['type'], fc.Arbitrary<unknown>> = {
  string: text,
  bool: fc.boolean(),
  double: fc.constantFrom(0, 1, 2, 500, 15_000, 50_000, 3_000_000),
  'list<string>': fc.array(text, { maxLength: 3 }),
}

/** Any facts, those that cannot be among them. */
const anyFacts: fc.Arbitrary<Facts> = fc
  .tuple(...vocabularyWords().map((w) => value[w.type].map((v) => [w.name.split('.'), v] as const)))
  .map((all) => {
    const out: Record<string, unknown> = {}
    for (const [[group, field], v] of all) {
      if (field === undefined) out[group!] = v
      else out[group!] = { ...(out[group!] as object | undefined), [field]: v }
    }
    return facts.parse(out)
  })

/** The ordinary vehicle, with a few words changed: near to what passes. */
const nearlyOrdinary: fc.Arbitrary<Facts> = fc.tuple(anyFacts, fc.subarray(vocabularyWords().map((w) => w.name))).map(([other, keep]) => {
  const out = structuredClone(facts.parse({})) as unknown as Record<string, Record<string, unknown>>
  for (const name of keep.slice(0, 4)) {
    const [group, field] = name.split('.') as [string, string | undefined]
    const from = other as unknown as Record<string, Record<string, unknown>>
    if (field !== undefined) out[group]![field] = from[group]![field]
    else out[group] = from[group]!
  }
  return out as unknown as Facts
})

const sets = [
  ...yaml('sites').map((f) => [`sites/${f}`, async () => (await loadSite(`${CONFIG}sites/${f}`, { env: {} })).rules] as const),
  ['rules/basic.yaml', async () => [`${CONFIG}rules/basic.yaml`]] as const,
]

describe.each(sets)('%s', (_name, files) => {
  it('opens for nobody without a declaration, and for no detained vehicle', async () => {
    const set = await loadRules(await files())
    let passed = 0
    fc.assert(
      fc.property(fc.oneof(anyFacts, nearlyOrdinary), (f) => {
        if (decide(set, f).outcome === 'pass') passed++
        const nobody = { ...f, declaration: { ...f.declaration, found: false } }
        expect(decide(set, nobody).outcome).not.toBe('pass')
        const detained = { ...f, lists: { ...f.lists, detained: true } }
        expect(decide(set, detained).outcome).not.toBe('pass')
      }),
      { numRuns: 1_500 },
    )
    // The facts came near enough to what passes.
    expect(passed).toBeGreaterThan(10)
  })

  it('does not lean on the last bar alone: every rule that passes asks for the declaration itself', async () => {
    const set = await loadRules(await files())
    const passing = set.rules.filter((r: CompiledRule) => r.then === 'pass')
    expect(passing.length).toBeGreaterThan(0)
    for (const rule of passing) expect(wordsIn(rule.when), rule.id).toContain('declaration.found')
  })
})

it('a rule that passes everybody passes no undeclared, ambiguous or detained vehicle all the same', async () => {
  const set = await loadRules([`${CONFIG}rules/basic.yaml`])
  const open = { ...set, rules: [{ ...set.rules.at(-1)!, id: 'open', condition: { evaluate: () => true } }] }
  const f = facts.parse({})
  expect(decide(open, f).outcome).toBe('pass')
  for (const wrong of [
    { ...f, declaration: { ...f.declaration, found: false } },
    { ...f, vehicle: { ...f.vehicle, match: 'ambiguous' } },
    { ...f, lists: { ...f.lists, detained: true } },
  ]) {
    const d = decide(open, wrong)
    expect(d).toMatchObject({ outcome: 'refer', rule: 'open' })
    expect(d.reasons[0]!.en).toMatch(/not known to be a declared one/)
  }
})
