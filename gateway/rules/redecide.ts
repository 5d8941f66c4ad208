/** Other rules over a vehicle that was decided before: what would they say now? */
import { type Decision, decide } from './decide.ts'
import type { RuleSet } from './load.ts'
import { recall, unrecorded } from './snapshot.ts'

/** same: same outcome by the same rule; rule: same outcome by another rule; outcome: another outcome; unknown: can't be told. */
export type Change = 'same' | 'rule' | 'outcome' | 'unknown'

export interface Redecided {
  readonly change: Change
  /** null when it can't be told. */
  readonly now: Decision | null
  /** Why it can't be told. */
  readonly why: string | null
}

const unknown = (why: string): Redecided => ({ change: 'unknown', now: null, why })

/**
 * Asks these rules about recorded facts. Nothing is guessed: where the record lacks what a rule asks about, the answer is that it
 * can't be told.
 * @param record as the journal keeps it beside the decision ({@link DecisionRecord}), null when there is none
 */
export function redecide(
  set: RuleSet,
  then: { readonly rule: string; readonly outcome: string },
  record: Readonly<Record<string, unknown>> | null,
): Redecided {
  if (record === null) return unknown('the journal holds no facts of this decision: an older version made it, or the disk refused them')
  if (record.why === 'not-asked') return unknown('no rule was asked: the journal could not be written')
  if (record.why === 'too-large') return unknown('its facts were too large to keep')
  const recalled = recall(record.facts)
  if (recalled === null) return unknown('its recorded facts cannot be read by this version')
  const gap = unrecorded(set, recalled)
  if (gap) return unknown(`rule ${gap.rule.id} asks about ${gap.word}, which was not recorded then`)
  const now = decide(set, recalled.facts)
  return { change: now.outcome !== then.outcome ? 'outcome' : now.rule !== then.rule ? 'rule' : 'same', now, why: null }
}
