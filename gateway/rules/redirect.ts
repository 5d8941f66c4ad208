/** Sending a vehicle to another lane: which lane takes it, and that nobody is sent in circles. Pure. */
import type { Problem } from '../kernel/problems.ts'
import { decide } from './decide.ts'
import type { Facts } from './facts.ts'
import { exampleFacts, type RuleSet } from './load.ts'

/** Another lane of the site, as it is now. */
export interface OtherLane {
  readonly facts: Facts['lane']
  /** It is in service and works. */
  readonly open: boolean
  /** Vehicles in it, and on their way to it. */
  readonly queue: number
}

/**
 * Where a vehicle that is sent away may go. A lane counts only when the rules, asked about this vehicle there, do not send it on: that is
 * the one thing that keeps it from going in circles, whatever the rules say. Best first: where it would pass, then the shortest queue,
 * then the order of the site file.
 * @param from lanes that have sent it away before
 */
export function elsewhere(set: RuleSet, f: Facts, others: readonly OtherLane[], from: readonly string[]): Facts['elsewhere'] {
  const takers = others
    .filter((o) => o.facts.id !== f.lane.id)
    .map((o) => ({ ...o, outcome: decide(set, { ...f, lane: o.facts }).outcome }))
    .filter((o) => o.outcome === 'pass' || o.outcome === 'refer')
    .sort((a, b) => Number(b.outcome === 'pass') - Number(a.outcome === 'pass') || a.queue - b.queue)
  const ids = (those: typeof takers) => those.map((o) => o.facts.id)
  const fresh = takers.filter((o) => !from.includes(o.facts.id))
  return {
    open: ids(fresh.filter((o) => o.open)),
    closed: ids(fresh.filter((o) => !o.open)),
    been: ids(takers.filter((o) => from.includes(o.facts.id))),
  }
}

const CLASSES = ['loaded', 'empty', 'agricultural', 'two-way', 'parcel', 'border-resident'] as const

/** Declared vehicles of every kind, and those of the rules' own examples. */
function everyKind(set: RuleSet): Facts[] {
  const grid = (['import', 'export'] as const).flatMap((direction) =>
    CLASSES.flatMap((traffic) =>
      [true, false].map((seen) =>
        exampleFacts({ declaration: { direction, traffic, firm: 'F', resident: 'R' }, mark: { seen, by: seen ? 'tag' : '' } }),
      ),
    ),
  )
  return [...grid, ...set.rules.flatMap((r) => r.examples.map((e) => exampleFacts(e.given)))]
}

/**
 * Circles: a vehicle whose traffic some lane takes in its direction, and that every lane sends away. Each rule that sends it away from
 * such a lane is told once.
 */
export function checkRedirects(set: RuleSet, lanes: readonly Facts['lane'][]): Problem[] {
  const problems = new Map<string, Problem>()
  for (const f of everyKind(set)) {
    const { direction, traffic } = f.declaration
    const taker = lanes.find((lane) => lane.direction === direction && lane.takes.includes(traffic))
    if (!taker) continue
    const decided = lanes.map((lane) => ({ lane, decision: decide(set, { ...f, lane }) }))
    if (decided.some((d) => d.decision.outcome !== 'redirect')) continue
    const by = decided.find((d) => d.lane === taker)!.decision.rule
    const rule = set.rules.find((r) => r.id === by)
    if (!rule || problems.has(by)) continue
    const round = decided.map((d) => `${d.lane.id} (${d.decision.rule})`).join(' → ')
    const mark = f.mark.seen ? 'with a mark' : 'without a mark'
    problems.set(
      by,
      rule.source_.yaml.problem(
        [...rule.source_.path, 'then'],
        `sends a vehicle in circles: ${traffic}, ${direction}, ${mark}: every lane sends it to another: ${round}`,
        { hint: `lane ${taker.id} takes ${traffic}: one lane must pass or refer it; make the condition of this rule narrower` },
      ),
    )
  }
  return [...problems.values()]
}
