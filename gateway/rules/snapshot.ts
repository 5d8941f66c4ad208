/**
 * What a decision was made on, as the journal keeps it beside the decision: with it other rules can be asked about the same vehicle
 * later (`luong rules test`). It stays on site: nothing of it is published.
 */
import { type AskedFacts, toAsk } from './cel.ts'
import type { Decision } from './decide.ts'
import { type Facts, facts } from './facts.ts'
import type { CompiledRule, RuleSet } from './load.ts'
import { factOf, vocabularyWords } from './vocabulary.ts'

/** `body` of an input entry of the journal. */
export interface DecisionRecord {
  readonly kind: 'facts'
  /** As the rules saw them; null when they are too large to keep, or when no rule was asked. */
  readonly facts: Facts | null
  /** Why there are no facts. */
  readonly why?: 'too-large' | 'not-asked'
  readonly rule: string
  readonly outcome: Decision['outcome']
  readonly config: string
}

/** Facts with longer JSON are not kept: an ordinary vehicle has about 2,000. */
export const MAX_FACTS_CHARS = 32_768

/** @param asked false when the decision was made without the rules, because the journal could not be written */
export function recordOf(facts: Facts, { rule, outcome, config }: Decision, asked = true): DecisionRecord {
  const made = { kind: 'facts', rule, outcome, config } as const
  if (!asked) return { ...made, facts: null, why: 'not-asked' }
  return JSON.stringify(facts).length > MAX_FACTS_CHARS ? { ...made, facts: null, why: 'too-large' } : { ...made, facts }
}

/** Words of the vocabulary that a condition asks about. */
export function wordsIn(condition: string): string[] {
  return vocabularyWords()
    .map((w) => w.name)
    .filter((name) => new RegExp(`(?<![\\w.])${name.replace('.', '\\s*\\.\\s*')}(?![\\w])`).test(condition))
}

/** The recorded facts made whole for the rules of today, and the words of today that were not recorded then. */
export interface Recalled {
  readonly facts: Facts
  readonly missing: ReadonlySet<string>
}

/** Reads recorded facts; null when they are not facts at all. Words that are no longer in the vocabulary are left out. */
export function recall(recorded: unknown): Recalled | null {
  if (typeof recorded !== 'object' || recorded === null) return null
  const missing = new Set<string>()
  const known: Record<string, unknown> = {}
  for (const { name } of vocabularyWords()) {
    const value = factOf(recorded, name)
    const [group, field] = name.split('.') as [string, string | undefined]
    if (value === undefined) missing.add(name)
    else if (field === undefined) known[group] = value
    else known[group] = { ...(known[group] as object | undefined), [field]: value }
  }
  const parsed = facts.safeParse(known)
  return parsed.success ? { facts: parsed.data, missing } : null
}

/** Facts that tell `asked` when a condition looks at a word that was not recorded. */
function watched({ facts: f, missing }: Recalled, asked: (word: string) => void): AskedFacts {
  const copy = toAsk(f)
  for (const name of missing) {
    const [group, field] = name.split('.') as [string, string | undefined]
    const holder = (field === undefined ? copy : factOf(copy, group)) as Record<string, unknown>
    const value = factOf(copy, name)
    const get = () => {
      asked(name)
      return value
    }
    Object.defineProperty(holder, field ?? group, { enumerable: true, get })
  }
  return copy
}

/**
 * The first rule that looks at something which was not recorded, before any rule decides; null: the decision rests on recorded facts
 * alone.
 */
export function unrecorded(set: RuleSet, recalled: Recalled): { rule: CompiledRule; word: string } | null {
  if (recalled.missing.size === 0) return null
  let asked: string | null = null
  const f = watched(recalled, (word) => {
    asked ??= word
  })
  for (const rule of set.rules) {
    const holds = holdsQuietly(rule, f)
    if (asked !== null) return { rule, word: asked }
    if (holds) return null
  }
  return null
}

/** A condition that fails while it runs decides too. */
function holdsQuietly(rule: CompiledRule, f: AskedFacts): boolean {
  try {
    return rule.condition.evaluate(f)
  } catch {
    return true
  }
}
