/** From what was seen to a decision: identity, facts, rules; and to one that is durable. */

import type { Deciding as DecidingVehicle, History } from '../figures/history.ts'
import { type Load, loadOf } from '../figures/load.ts'
import type { DeclarationIndex } from '../identity/declarations.ts'
import type { Identity } from '../identity/identity.ts'
import type { ListIndex } from '../identity/lists.ts'
import { identify, WEIGHT_TOLERANCE } from '../identity/match.ts'
import type { Entry } from '../journal/journal.ts'
import type { Direction } from '../lane/model.ts'
import { type Decision, decide, type Reason } from '../rules/decide.ts'
import type { Facts } from '../rules/facts.ts'
import { factsOf } from '../rules/facts-of.ts'
import type { RuleSet } from '../rules/load.ts'
import { elsewhere, type OtherLane } from '../rules/redirect.ts'
import { type DecisionRecord, recordOf } from '../rules/snapshot.ts'
import type { Freshness } from './freshness.ts'
import type { Findings } from './identifier.ts'
import { alarmEvent, type EventContext, passageEvent } from './lane-events.ts'
import type { LaneRunnerOptions } from './lane-options.ts'
import type { Passage } from './passage.ts'
import type { SentOn } from './sent-on.ts'

/** What a lane knows of the others. */
export interface OtherLanes {
  readonly lanes: () => readonly OtherLane[]
  readonly sent: SentOn
}

/** What earlier passages say. */
export interface Earlier {
  history(vehicle: DecidingVehicle): History
  /** Whether a declaration has no passage left in this direction. */
  usedUp(declaration: string, trips: number, direction: 'import' | 'export', now: number): boolean
}

interface Deciding {
  readonly findings: Findings
  readonly lane: Facts['lane']
  readonly rules: RuleSet
  readonly declarations: DeclarationIndex
  readonly lists: ListIndex
  /** A sure plate that nobody declared may stand for the declared one it is a confusion away from. */
  readonly lookalikes?: boolean
  /** How old they are; absent: not looked at. */
  readonly age?: Freshness | undefined
  /** Absent: not looked at. */
  readonly earlier?: Earlier
  /** What the other half of a smart gate says of the vehicle; absent: there is none. */
  readonly peer?: ((identity: Identity, direction: Direction) => Facts['peer']) | undefined
  /** Why no new vehicle may be let through just now, or null. */
  readonly inhibited: string | null
  /** The lanes of the site, and who was sent between them; absent: a redirect names no lane. */
  readonly otherLanes?: OtherLanes | undefined
  /** Wall clock, ms. */
  readonly now: number
}

interface Decided {
  readonly identity: Identity
  readonly decision: Decision
  readonly facts: Facts
  /** What the decision was made on. */
  readonly record: DecisionRecord & { readonly load: Load }
}

/**
 * Who it is and what the rules say. Unknown is not yes: what the rules don't know is referred.
 * @param told what the other half said when the vehicle was first asked about: its answer is not to be had again
 */
function decisionOf(p: Passage, d: Deciding, told?: Facts['peer']): Decided {
  const { plates } = d.findings
  const direction = d.lane.direction === 'export' ? 'export' : 'import'
  const identity = identify({
    plates,
    declarations: d.declarations,
    weight_kg: d.findings.weight_kg,
    tags: d.findings.tags,
    codes: d.findings.codes,
    direction,
    usedUp: ({ id, trips = 1, direction }) => d.earlier?.usedUp(id, trips, direction, d.now) ?? false,
    now: d.now,
    tolerance: WEIGHT_TOLERANCE,
    lookalikes: d.lookalikes ? { detained: (plate) => d.lists.has('detained', plate, d.now) } : undefined,
  })
  const known = { plate: identity.plate, sure: plates.some((plate) => plate.sure), declaration: identity.declaration }
  const undecided = loadOf({ ...known, decision: { rule: '', outcome: '' } })
  const facts = factsOf({
    lane: d.lane,
    identity,
    declared: identity.declaration ? d.declarations.get(identity.declaration.id) : undefined,
    declarations: d.declarations,
    lists: d.lists,
    age: d.age,
    history: d.earlier?.history({ passage: p.id, lane: p.lane, direction: p.direction, load: undecided, now: d.now }),
    peer: told ?? d.peer?.(identity, direction),
    now: d.now,
  })
  const inhibited = d.inhibited === null ? null : outOfOrder(d.inhibited, d.rules.hash)
  const whole = inhibited ? facts : withElsewhere(facts, identity.declaration?.id ?? identity.plate, d)
  const decision = inhibited ?? decide(d.rules, whole)
  return { identity, decision, facts: whole, record: { ...recordOf(whole, decision, !inhibited), load: loadOf({ ...known, decision }) } }
}

/** Facts with the lanes that a vehicle may be sent to, when the rules send it away. */
function withElsewhere(facts: Facts, vehicle: string | null, { rules, otherLanes }: Deciding): Facts {
  if (!otherLanes) return facts
  const { lanes, sent } = otherLanes
  if (vehicle !== null) sent.arrived(vehicle)
  if (decide(rules, facts).outcome !== 'redirect') return facts
  return { ...facts, elsewhere: elsewhere(rules, facts, lanes(), vehicle === null ? [] : sent.from(vehicle)) }
}

/** What the other lanes must know of a decision that is durable. */
function remember(p: Passage, { lane, outcome }: Decision, sent: SentOn): void {
  const vehicle = p.identity?.declaration?.id ?? p.identity?.plate
  if (vehicle === undefined || vehicle === null) return
  if (lane !== undefined) sent.send(vehicle, p.lane, lane)
  else if (outcome === 'pass') sent.forget(vehicle)
}

export interface DecidingDurably
  extends Omit<Deciding, 'now' | 'age' | 'inhibited'>,
    Pick<LaneRunnerOptions, 'clock' | 'keep' | 'recorder' | 'onPassage'> {
  /** See {@link Deciding}: asked again when the decision is reviewed. */
  readonly age?: (() => Freshness) | undefined
  readonly inhibited: () => string | null
  readonly context: () => EventContext
  /** Raised in this lane; a decision may add one. */
  readonly alarms: Set<string>
}

/** A decision that is durable. */
export interface Durable {
  readonly decision: Decision
  /**
   * A declaration may be withdrawn, or a vehicle detained, while the decision is being written or while the vehicle waits for its turn.
   * Asked in the moment in which it counts. Null: the vehicle may pass as before; else it is referred, and this records why: it resolves
   * when that is durable.
   */
  readonly review: () => (() => Promise<void>) | null
}

const deciding = (d: DecidingDurably, now: number): Deciding => ({ ...d, now, age: d.age?.(), inhibited: d.inhibited() })

/** Decides and records it, with what it was made of: resolves when all of it is durable, rejects when it can't be. */
export async function decideDurably(p: Passage, d: DecidingDurably): Promise<Durable> {
  const stamp = () => ({ at: d.clock.now(), mono: d.clock.mono() })
  p.identified = stamp()
  const { identity, decision, facts, record } = decisionOf(p, deciding(d, p.identified.at))
  p.plates = d.findings.plates
  p.identity = identity
  p.decision = decision
  p.favour = { perishable: facts.declaration.perishable, marked: facts.mark.seen && facts.declaration.traffic === 'agricultural' }
  p.decided = stamp()
  const kept = Promise.all(d.findings.pictures.map(({ camera, image }) => d.keep(p.id, camera, image)))
  const noted = d.clock.track(kept.then((files) => void p.evidence.push(...files.filter((f) => f !== null))))
  // An officer wants to see the vehicle that is referred to him. One that is let through does not wait for the disk: its pictures
  // stand in the event that ends its passage.
  if (decision.outcome === 'pass') noted.catch(() => {})
  else await noted
  const context = d.context()
  const told = [passageEvent(context, 'identified', p), passageEvent(context, 'decided', p)]
  d.onPassage?.('luong.passage.decided.v1', p)
  await d.recorder.record([madeOf(p, record), ...told, ...alarmOf(p, decision, d)])
  if (d.otherLanes) remember(p, decision, d.otherLanes.sent)
  const review = () => {
    if (decision.outcome !== 'pass') return null
    const now = decisionOf(p, deciding(d, d.clock.now()), facts.peer)
    const same = now.identity.declaration?.id === identity.declaration?.id
    return now.decision.outcome === 'pass' && same ? null : () => refer(p, now, d)
  }
  return { decision, review }
}

const madeOf = (p: Passage, body: DecisionRecord): Entry => {
  return { kind: 'input', lane: p.lane, passage: p.id, at: p.decided!.at, body, actions: [] }
}

/** The alarm that a decision raises, unless it is raised already. */
function alarmOf(p: Passage, { alarm, reasons }: Decision, { alarms, context }: DecidingDurably): Entry[] {
  if (!alarm || alarms.has(alarm)) return []
  alarms.add(alarm)
  return [alarmEvent(context(), 'raised', alarm, { passage: p, why: reasons[0]?.en ?? '' })]
}

/** What was decided does not hold any more: an officer looks at the vehicle. *referred* follows, with the new reasons. */
async function refer(p: Passage, { identity, decision, record }: Decided, d: DecidingDurably): Promise<void> {
  const other = decision.outcome === 'pass' ? { ...decision, rule: 'declarations-changed', reasons: [CHANGED] } : decision
  p.identity = identity
  p.decision = { ...other, outcome: 'refer' }
  await d.recorder.record([madeOf(p, { ...record, rule: p.decision.rule, outcome: 'refer' }), ...alarmOf(p, p.decision, d)])
}

const CHANGED: Reason = {
  vi: 'Tờ khai thay đổi khi xe đang ở làn: chuyển cán bộ trực',
  zh: '车辆在车道内时申报单发生变化：转值班员处理',
  en: 'The declarations changed while the vehicle stood in the lane: to the officer',
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
