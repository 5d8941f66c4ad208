import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ProblemsError } from '../../../gateway/kernel/problems.ts'
import { compile } from '../../../gateway/rules/cel.ts'
import { checkExamples, decide } from '../../../gateway/rules/decide.ts'
import { type Facts, facts } from '../../../gateway/rules/facts.ts'
import { loadRules, type RuleSet } from '../../../gateway/rules/load.ts'
import { wordsIn } from '../../../gateway/rules/snapshot.ts'
import { vocabularyWords } from '../../../gateway/rules/vocabulary.ts'

const SHIPPED = new URL('../../../config/rules/basic.yaml', import.meta.url).pathname
let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'luong-rules-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

const head = 'version: 1\nrules:\n'
function one(when: string, extra = ''): string {
  return `${head}  - id: a\n    when: ${when}\n    then: pass\n    reasons: { vi: v, zh: z, en: e }\n${extra}    examples:\n      - { name: x, expect: pass }\n`
}

async function load(text: string): Promise<RuleSet | string> {
  const file = join(dir, 'r.yaml')
  await writeFile(file, text)
  try {
    return await loadRules([file])
  } catch (error) {
    if (!(error instanceof ProblemsError)) throw error
    return error.message.replaceAll(file, 'r.yaml')
  }
}

describe('shipped rules', () => {
  it('agree with their own examples', async () => {
    const set = await loadRules([SHIPPED])
    const { problems, examples } = checkExamples(set)
    expect(problems).toEqual([])
    expect(examples).toBeGreaterThanOrEqual(set.rules.length)
  })

  it('pass an ordinary declared vehicle and nothing that is listed, unread, ambiguous or undeclared', async () => {
    const set = await loadRules([SHIPPED])
    const ordinary = facts.parse({})
    expect(decide(set, ordinary)).toMatchObject({ outcome: 'pass', rule: 'declared' })
    fc.assert(
      fc.property(
        fc.record({
          detained: fc.boolean(),
          read: fc.boolean(),
          match: fc.constantFrom('exact', 'near', 'ambiguous', 'undeclared', 'unread'),
          found: fc.boolean(),
          inDate: fc.boolean(),
          direction: fc.constantFrom('import', 'export'),
          traffic: fc.constantFrom('loaded', 'empty', 'agricultural'),
          disagreements: fc.subarray(['trailer', 'weight', 'second-plate', 'tag']),
          channel: fc.constantFrom('green', 'red'),
        }),
        (x) => {
          const f: Facts = {
            ...ordinary,
            vehicle: { ...ordinary.vehicle, read: x.read, match: x.match },
            declaration: {
              ...ordinary.declaration,
              found: x.found,
              in_date: x.inDate,
              direction: x.direction,
              traffic: x.traffic,
              channel: x.channel,
            },
            lists: { ...ordinary.lists, detained: x.detained },
            disagreements: x.disagreements,
          }
          const passes = decide(set, f).outcome === 'pass'
          const may =
            !x.detained &&
            x.read &&
            (x.match === 'exact' || x.match === 'near') &&
            x.found &&
            x.inDate &&
            x.direction === 'import' &&
            x.traffic === 'loaded' &&
            x.disagreements.length === 0 &&
            x.channel !== 'red'
          expect(passes).toBe(may)
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('give reasons in three languages with every word filled in', async () => {
    const set = await loadRules([SHIPPED])
    for (const rule of set.rules)
      for (const e of rule.examples) {
        const { reasons } = decide(set, facts.parse(e.given))
        for (const r of reasons) for (const text of [r.vi, r.zh, r.en]) expect(text).not.toMatch(/[{}]/)
      }
  })
})

describe('a rules file that is wrong', () => {
  const cases: [string, string, string][] = [
    ['unknown variable', one('vehicel.read'), 'r.yaml:4:11 rules.0.when: Unknown variable: vehicel (did you mean vehicle?)'],
    ['unknown field', one('vehicle.raed'), 'r.yaml:4:19 rules.0.when: No such key: raed (did you mean read?)'],
    ['leading !', one('!vehicle.read'), 'is empty (put a condition that begins with ! in quotes'],
    ['not a bool', one('weight.kg'), 'r.yaml:4:11 rules.0.when: the condition is of type double, it must be bool'],
    ['syntax', one('weight.kg >'), 'r.yaml:4:22 rules.0.when: Unexpected token: EOF'],
    ['wrong types', one('vehicle.plate > 5'), 'no such overload: string > int'],
    ['unknown key', one('vehicle.read', '    soruce: x\n'), 'r.yaml:7:5 rules.0.soruce: unknown key "soruce" (did you mean source?)'],
    ['unknown word', one('vehicle.read').replace('en: e', 'en: "{plaet}"'), 'unknown word {plaet} (did you mean plate?)'],
    ['no examples', one('vehicle.read').replace(/ {4}examples:[\s\S]*/, ''), 'rules.0.examples'],
    ['bad outcome', one('vehicle.read').replace('then: pass', 'then: open'), 'rules.0.then'],
    [
      'unknown fact',
      one('vehicle.read').replace('name: x,', 'name: x, given: { vehicle: { reed: true } },'),
      'unknown key "reed" (did you mean read?)',
    ],
    ['same id twice', one('vehicle.read') + one('vehicle.read').slice(head.length), 'rule "a" is there already'],
    ['not YAML', 'version: 1\nrules: [', 'r.yaml:2:9'],
    ['empty', '', 'r.yaml:1:1'],
  ]
  it.each(cases)('%s: names file, line, key and what to do', async (_name, text, expected) => {
    expect(await load(text)).toContain(expected)
  })

  it('tells all problems at once', async () => {
    const text = await load(`${one('foo')}${one('bar').slice(head.length).replace('id: a', 'id: b')}`)
    expect(String(text).split('\n')).toHaveLength(2)
  })

  it('names a file that is not there', async () => {
    await expect(loadRules([join(dir, 'nowhere.yaml')])).rejects.toThrow(/nowhere\.yaml:1:1 cannot be read/)
  })

  it('never crashes on any text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: fc.constantFrom(...'rules: -{}[]"\'\n  when|>&*!'), maxLength: 80 }), async (text) => {
        await load(text)
      }),
      { numRuns: 200 },
    )
  })
})

it('an example that another rule decides is a problem with its place', async () => {
  const set = await load(one("'!vehicle.read'"))
  if (typeof set === 'string') throw new Error(set)
  expect(checkExamples(set).problems[0]).toMatchObject({
    line: 8,
    severity: 'error',
    message: expect.stringContaining('default says refer'),
  })
})

it('a rule that decides none of its own examples is warned of', async () => {
  const first = one('vehicle.read')
  const shadowed = first.slice(head.length).replace('id: a', 'id: b').replace('expect: pass }', 'expect: pass, by: a }')
  const set = await load(first + shadowed)
  if (typeof set === 'string') throw new Error(set)
  expect(checkExamples(set).problems).toMatchObject([
    { line: 9, severity: 'warning', message: expect.stringContaining('no example shows rule "b" deciding') },
  ])
})

it('a condition that fails while it runs refers the vehicle', async () => {
  const set = await load(one('disagreements[3] == "x"'))
  if (typeof set === 'string') throw new Error(set)
  expect(decide(set, facts.parse({}))).toMatchObject({ outcome: 'refer', rule: 'a' })
})

it('every word of the vocabulary is described, with an example that is a condition', () => {
  for (const w of vocabularyWords()) {
    expect(w.description).not.toBe('')
    expect(wordsIn(w.example)).toContain(w.name)
    expect(compile(w.example)).toHaveProperty('evaluate')
  }
})
