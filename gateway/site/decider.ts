/** From what was seen to a decision: identity, facts, rules. */
import type { DeclarationIndex } from '../identity/declarations.ts'
import type { ListIndex } from '../identity/lists.ts'
import { identify, WEIGHT_TOLERANCE } from '../identity/match.ts'
import { type Decision, decide } from '../rules/decide.ts'
import type { Facts } from '../rules/facts.ts'
import { factsOf } from '../rules/facts-of.ts'
import type { RuleSet } from '../rules/load.ts'
import type { Findings } from './identifier.ts'
import type { Passage } from './passage.ts'

export interface Deciding {
  readonly findings: Findings
  readonly lane: Facts['lane']
  readonly rules: RuleSet
  readonly declarations: DeclarationIndex
  readonly lists: ListIndex
  /** Why no new vehicle may be let through just now, or null. */
  readonly inhibited: string | null
  /** Wall clock, ms. */
  readonly now: number
}

/** Fills in plates, identity and decision of the passage. Unknown is not yes: what the rules don't know is referred. */
export function decidePassage(p: Passage, d: Deciding): Decision {
  p.plates = d.findings.plates
  p.identity = identify({
    plates: d.findings.plates,
    declarations: d.declarations,
    weight_kg: d.findings.weight_kg,
    direction: d.lane.direction === 'export' ? 'export' : 'import',
    now: d.now,
    tolerance: WEIGHT_TOLERANCE,
  })
  const facts = factsOf({
    lane: d.lane,
    identity: p.identity,
    declared: p.identity.declaration ? d.declarations.get(p.identity.declaration.id) : undefined,
    lists: d.lists,
    now: d.now,
  })
  p.decision = d.inhibited === null ? decide(d.rules, facts) : outOfOrder(d.inhibited, d.rules.hash)
  return p.decision
}

function outOfOrder(why: string, config: string): Decision {
  return {
    outcome: 'refer',
    rule: 'journal-unavailable',
    reasons: [
      {
        vi: `Hệ thống chưa ghi được nhật ký: chuyển cán bộ trực (${why})`,
        zh: `系统暂时无法写入日志：转值班员处理（${why}）`,
        en: `The journal cannot be written: to the officer (${why})`,
      },
    ],
    config,
  }
}
