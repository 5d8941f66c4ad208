/** May it pass? First rule whose condition holds decides; none means *refer*: unknown is not yes. */
import type { Problem } from '../kernel/problems.ts'
import { toAsk } from './cel.ts'
import { type Facts, words } from './facts.ts'
import { exampleFacts, type RuleSet } from './load.ts'
import { type Draw, withDraws } from './sampling.ts'
import type { Rule, RuleOutcome } from './schema.ts'
import { unlessStale } from './stale.ts'

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
  readonly alarm?: NonNullable<Rule['alarm']>
  /** Where a redirected vehicle should go; absent when no lane of this site takes it. */
  readonly lane?: string
  /** Hash of the rules in force. */
  readonly config: string
  /** Draws that the rules asked for on the way to the decision; absent when there were none. For the record, not for publishing. */
  readonly draws?: readonly Draw[]
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
const NOT_KNOWN: Reason = {
  vi: 'Quy tắc cho qua, nhưng xe {plate} không rõ là xe khai báo nào: chuyển cán bộ trực',
  zh: '规则放行，但无法确认车辆 {plate} 对应哪份申报单：转值班员处理',
  en: 'A rule says pass, but vehicle {plate} is not known to be a declared one: to the officer',
}

const listed = (ids: readonly string[]) => ids.join(', ')

/**
 * A redirect with its lane, which the facts name. Where the lane that takes the vehicle is not open, or has sent it away before, sending
 * it on would help nobody: it goes to the officer. Where no lane of the site takes it, it is sent away as the rule says.
 */
function sentOn(decision: Decision, { elsewhere }: Facts): Decision {
  if (decision.outcome !== 'redirect') return decision
  const [lane] = elsewhere.open
  if (lane !== undefined) {
    const where: Reason = { vi: `Mời sang làn ${lane}`, zh: `请走 ${lane} 车道`, en: `Please use lane ${lane}` }
    return { ...decision, lane, reasons: [...decision.reasons, where] }
  }
  const why = noLane(listed(elsewhere.been), listed(elsewhere.closed))
  return why === null ? decision : { ...decision, outcome: 'refer', reasons: [...decision.reasons, why] }
}

function noLane(been: string, closed: string): Reason | null {
  if (been !== '')
    return {
      vi: `Xe đã được chuyển đi từ làn ${been}: không chuyển vòng, chuyển cán bộ trực`,
      zh: `车辆已从 ${been} 车道转来：不再来回转道，转值班员处理`,
      en: `The vehicle was already sent here from lane ${been}: not sent in circles, to the officer`,
    }
  if (closed === '') return null
  return {
    vi: `Làn nhận xe này hiện không mở (${closed}): chuyển cán bộ trực`,
    zh: `接收该车的车道未开放（${closed}）：转值班员处理`,
    en: `The lane that takes this vehicle is not open (${closed}): to the officer`,
  }
}

/**
 * Whatever a rule file says: nothing passes that is not exactly one declared vehicle, and nothing that is detained. A mistake in a
 * rule must not open a lane.
 */
function mayPass(f: Facts): boolean {
  const { match } = f.vehicle
  const known = match === 'exact' || match === 'near' || (match === 'lookalike' && f.disagreements.every((code) => code === 'plate'))
  return f.declaration.found && known && !f.lists.detained
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
  const { result, draws } = withDraws(() => firstThatHolds(set, f))
  return draws.length === 0 ? result : { ...result, draws }
}

function firstThatHolds(set: RuleSet, f: Facts): Decision {
  const asked = toAsk(f)
  for (const rule of set.rules) {
    let holds: boolean
    try {
      holds = rule.condition.evaluate(asked)
    } catch {
      return { outcome: 'refer', rule: rule.id, reasons: [say(BROKEN, f)], config: set.hash }
    }
    if (holds && rule.then === 'pass' && !mayPass(f))
      return { outcome: 'refer', rule: rule.id, reasons: [say(NOT_KNOWN, f)], config: set.hash }
    if (holds) {
      const decision: Decision = {
        outcome: rule.then,
        rule: rule.id,
        reasons: [say(rule.reasons, f)],
        ...(rule.alarm ? { alarm: rule.alarm } : {}),
        config: set.hash,
      }
      return unlessStale(sentOn(decision, f), f)
    }
  }
  return { outcome: 'refer', rule: 'default', reasons: [say(NO_RULE, f)], config: set.hash }
}

/**
 * Runs every rule's own examples against the whole set: the rule must be the one that decides, with that outcome. A rule that decides
 * none of its own examples is warned of: the ones before it may leave it nothing.
 */
export function checkExamples(set: RuleSet): { problems: Problem[]; examples: number } {
  const problems: Problem[] = []
  let examples = 0
  for (const rule of set.rules) {
    let reached = false
    rule.examples.forEach((e, i) => {
      examples++
      const got = decide(set, exampleFacts(e.given))
      reached ||= got.rule === rule.id
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
    if (!reached)
      problems.push(
        rule.source_.yaml.problem(rule.source_.path, `no example shows rule "${rule.id}" deciding: it may never be reached`, {
          hint: 'add an example that this rule decides; where none can be found, a rule before it takes all its vehicles',
          severity: 'warning',
        }),
      )
  }
  return { problems, examples }
}
