/** May it pass? First rule whose condition holds decides; none means *refer*: unknown is not yes. */
import type { Problem } from '../kernel/problems.ts'
import { type Facts, words } from './facts.ts'
import { exampleFacts, type RuleSet } from './load.ts'
import type { RuleOutcome } from './schema.ts'

export interface Reason {
  readonly vi: string
  readonly zh: string
  readonly en: string
}

export interface Decision {
  readonly outcome: RuleOutcome
  /** Id of the rule, or `default`. */
  readonly rule: string
  readonly reasons: readonly Reason[]
  readonly alarm?: 'detained-vehicle'
  /** Hash of the rules in force. */
  readonly config: string
}

const NO_RULE: Reason = {
  vi: 'Không có quy tắc nào áp dụng cho xe {plate}: chuyển cán bộ trực',
  zh: '车辆 {plate} 没有适用的规则：转值班员处理',
  en: 'No rule applies to vehicle {plate}: to the officer',
}
const BROKEN: Reason = {
  vi: 'Quy tắc không tính được: chuyển cán bộ trực',
  zh: '规则无法计算：转值班员处理',
  en: 'A rule could not be evaluated: to the officer',
}

function fill(text: string, values: Record<string, string>): string {
  return text.replace(/\{(\w+)\}/g, (whole, word: string) => values[word] ?? whole)
}

function say(reason: Reason, f: Facts): Reason {
  const values = words(f)
  return { vi: fill(reason.vi, values), zh: fill(reason.zh, values), en: fill(reason.en, values) }
}

/** Applies the rules. Pure; never throws: a condition that fails while it runs refers the vehicle. */
export function decide(set: RuleSet, f: Facts): Decision {
  for (const rule of set.rules) {
    let holds: boolean
    try {
      holds = rule.condition.evaluate(f)
    } catch {
      return { outcome: 'refer', rule: rule.id, reasons: [say(BROKEN, f)], config: set.hash }
    }
    if (holds)
      return {
        outcome: rule.then,
        rule: rule.id,
        reasons: [say(rule.reasons, f)],
        ...(rule.alarm ? { alarm: rule.alarm } : {}),
        config: set.hash,
      }
  }
  return { outcome: 'refer', rule: 'default', reasons: [say(NO_RULE, f)], config: set.hash }
}

/** Runs every rule's own examples against the whole set: the rule must be the one that decides, with that outcome. */
export function checkExamples(set: RuleSet): { problems: Problem[]; examples: number } {
  const problems: Problem[] = []
  let examples = 0
  for (const rule of set.rules)
    rule.examples.forEach((e, i) => {
      examples++
      const got = decide(set, exampleFacts(e.given))
      const by = e.by ?? rule.id
      if (got.outcome === e.expect && got.rule === by) return
      problems.push(
        rule.source_.yaml.problem(
          [...rule.source_.path, 'examples', i],
          `example "${e.name}" expects ${e.expect} by ${by}, but ${got.rule} says ${got.outcome}`,
          { hint: 'change the rule, its place in the order, or the example' },
        ),
      )
    })
  return { problems, examples }
}
