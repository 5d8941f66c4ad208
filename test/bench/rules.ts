/** From what a lane saw to a decision: identity, facts and 200 rules, with 100,000 declarations and 10,000 detained plates in memory. */

import { loadSite } from '../../config/load.ts'
import { declaration } from '../../gateway/identity/declaration.ts'
import { DeclarationIndex } from '../../gateway/identity/declarations.ts'
import { ListIndex } from '../../gateway/identity/lists.ts'
import { identify, WEIGHT_TOLERANCE } from '../../gateway/identity/match.ts'
import { compile } from '../../gateway/rules/cel.ts'
import { decide } from '../../gateway/rules/decide.ts'
import { factsOf } from '../../gateway/rules/facts-of.ts'
import { exampleFacts, loadRules, type RuleSet } from '../../gateway/rules/load.ts'
import { votedPlate } from '../harness/plates.ts'
import { type BenchOptions, inWords, type Report, spread } from './report.ts'

const NOW = Date.parse('2026-11-22T08:00:00+07:00')
const DECLARED = 100_000
const DETAINED = 10_000
const RULES = 200
const plateOf = (i: number) =>
  `${['24', '12', '29', '15', '88'][i % 5]}${'CDEHK'[Math.floor(i / 5) % 5]}${String(Math.floor(i / 25)).padStart(5, '0')}`

/** The shipped rules, with rules that never fit before them: every one is asked, which is the most that can be. */
async function manyRules(): Promise<RuleSet> {
  const { rules: files } = await loadSite('config/sites/kim-thanh.yaml', { env: {} })
  const set = await loadRules(files)
  const last = set.rules.at(-1)!
  const more = Array.from({ length: RULES - set.rules.length }, (_, i) => {
    const when = `declaration.goods.contains("no such goods ${i}") || (weight.kg > ${90_000 + i} && "kind-${i}" in goods.kinds)`
    const condition = compile(when)
    if (!('evaluate' in condition)) throw new Error(condition.message)
    return { ...last, id: `more-${i}`, when, condition, then: 'refer' as const }
  })
  return { ...set, rules: [...more, ...set.rules] }
}

export async function rules(o: BenchOptions): Promise<Report> {
  const wanted = o.number('decisions', 20_000)
  const set = await manyRules()
  const declarations = new DeclarationIndex()
  const lists = new ListIndex()
  for (let i = 0; i < DECLARED; i++)
    declarations.put(
      declaration.parse({
        id: `D${i}`,
        plate: plateOf(i),
        direction: 'import',
        cargo: [{ hs: '1006.30', kind: 'rice', net_kg: 18_000 }],
        weight_kg: 33_000,
        valid_from: '2026-11-21T00:00:00Z',
        valid_to: '2026-11-24T00:00:00Z',
      }),
    )
  for (let i = 0; i < DETAINED; i++) lists.put('detained', { key: plateOf(DECLARED + i) })
  const { lane } = exampleFacts({})
  const times: number[] = []
  const cpu: number[] = []
  let passed = 0
  for (let n = 0; n < wanted; n++) {
    // Every tenth is declared by nobody.
    const text = plateOf((n * 7_919) % Math.round(DECLARED * 1.1))
    const plate = votedPlate(text)
    const used = process.cpuUsage()
    const since = performance.now()
    const detained = (key: string) => lists.has('detained', key, NOW)
    const identity = identify({
      plates: [plate],
      declarations,
      weight_kg: 33_100,
      direction: 'import',
      now: NOW,
      tolerance: WEIGHT_TOLERANCE,
      lookalikes: { detained },
    })
    const declared = identity.declaration ? declarations.get(identity.declaration.id) : undefined
    const decision = decide(set, factsOf({ lane, identity, declared, declarations, lists, now: NOW }))
    times.push(performance.now() - since)
    const { user, system } = process.cpuUsage(used)
    cpu.push((user + system) / 1_000)
    if (decision.outcome === 'pass') passed++
  }
  const [all, own] = [spread(times), spread(cpu)]
  return {
    bench: 'rules',
    title: `identity, facts and ${set.rules.length} rules, ${DECLARED} declarations, ${DETAINED} detained plates`,
    command: `npm run bench -- rules --decisions ${wanted}`,
    rows: [
      { what: 'seen → decision', value: inWords(all), note: `${wanted} vehicles, ${passed} of them passed` },
      {
        what: "… of the program's own CPU time",
        value: inWords(own),
        note: 'its other threads included; what others take of the machine is not',
      },
    ],
    data: { all, own, passed },
  }
}
