/** Breadth-first exploration of every reachable state of the lane core with every input. Used by the tests and by the table in the docs. */

import { alarmsOf, aspectOf, timersOf } from './derive.ts'
import type { Transition } from './invariants.ts'
import type { Answer, BarrierPosition, CommandDo, Direction, LaneInput, LaneSettings, SensorRole, Tri } from './model.ts'
import { type Draft, freeze, initial, isFitted, type LaneState, standing, type Vehicle } from './state.ts'
import { step } from './step.ts'

const TRI: readonly Tri[] = [false, true, null]
const ROLES: readonly SensorRole[] = ['approach', 'presence', 'curtain', 'exit']
const POSITIONS: readonly BarrierPosition[] = ['open', 'closed', 'moving', 'unknown']
const OUTCOMES: readonly Answer[] = ['pass', 'refuse', 'refer', 'redirect', 'wait']
const COMMANDS: readonly CommandDo[] = ['open', 'close', 'refuse', 'hold', 'close-lane', 'open-lane', 'set-direction']
const DIRECTIONS: readonly Direction[] = ['import', 'export']
const PHASES = ['starting', 'idle', 'identifying', 'waiting', 'opening', 'passing', 'clearing', 'closing', 'fault', 'closed'] as const
const FAULTS = [null, 'stuck-arm', 'forced-arm', 'command-failed'] as const
const VERDICTS = [null, 'refer', 'refuse', 'redirect', 'wait'] as const
/** Those that no rule tells apart. */
const SETTLED = [null, 'refer', 'refuse', 'redirect'] as const
const VEHICLE_ALARMS = [null, 'tailgating', 'vehicle-under-arm'] as const
const UNFINISHED_KINDS = ['none', 'waiting', 'opened'] as const

/** Every combination of fitted sensors and limit switches. The idle signal is varied inside {@link explore}. */
export function allSettings(): LaneSettings[] {
  return Array.from({ length: 16 }, (_, bits) => ({
    approach: (bits & 1) > 0,
    curtain: (bits & 2) > 0,
    exit: (bits & 4) > 0,
    limits: (bits & 8) > 0,
    idleAspect: 'red' as const,
  }))
}

/**
 * The same state with numbers, ids and names that no rule looks at made equal: the present passage is number 1, import is the
 * present direction, no command was seen before, and it does not matter who refused.
 */
export function renamed(s: LaneState): LaneState {
  const planned: Direction = s.plan.direction === s.direction ? 'import' : 'export'
  const vehicle = s.vehicle && { ...s.vehicle, no: 1, by: '' }
  return { ...s, direction: 'import', plan: { closed: s.plan.closed, direction: planned }, vehicle, next: 2, recent: [] }
}

/**
 * Besides, what no rule reads in this state is chosen by a hash of the rest, so that its values occur but do not multiply the
 * states: which verdict a vehicle waits with, which fault it is (and whether a moving arm still has one), and pure alarm bits.
 * The plan and the count of failures are read by few rules only: there {@link explore} takes all their values.
 * The tests explore small lanes also without this and compare.
 */
export function canonical(s: LaneState, settings: LaneSettings): LaneState {
  const plain = renamed(s)
  const v = plain.vehicle
  const out: Draft = {
    ...plain,
    plan: readsPlan(s) ? plain.plan : { closed: false, direction: 'import' },
    vehicle: v && { ...v, verdict: v.verdict === 'wait' ? 'wait' : v.verdict && 'refer', alarm: v.alarm && 'tailgating' },
    fault: null,
    tries: 0,
    exitMissed: false,
    abandoned: false,
  }
  const hash = Math.imul((keyOf(out) % 0x7fffffff) ^ 0x5bd1e995, 0x9e3779b1) >>> 8
  const pick = <T>(values: readonly T[], shift: number): T => values[1 + ((hash >> shift) % (values.length - 1))] as T
  const { vehicle } = out
  const verdict = vehicle?.verdict === 'refer' ? pick(SETTLED, 0) : (vehicle?.verdict ?? null)
  out.vehicle = vehicle && { ...vehicle, verdict, alarm: vehicle.alarm && pick(VEHICLE_ALARMS, 2) }
  const moving = s.phase === 'clearing' || s.phase === 'closing'
  if (s.phase === 'fault' || (moving && ((hash >> 4) & 1) > 0)) out.fault = pick(FAULTS, 5)
  if (s.paused) out.tries = 1
  out.exitMissed = settings.exit && moving && ((hash >> 8) & 1) > 0
  out.abandoned = standing(out) && ((hash >> 9) & 1) > 0
  out.alarms = alarmsOf(out, settings)
  out.timers = timersOf(out)
  return freeze(out)
}

/** States that differ from this one only in what is left out of {@link canonical}, where a rule reads it on this input. */
function variants(s: LaneState, input: LaneInput, next: LaneState): LaneState[] {
  // A failure counts: any number may have been before.
  const counts = input.kind === 'failed' || (input.kind === 'barrier' && s.motion)
  if (counts && !s.paused) return [1, 2].map((tries) => ({ ...s, tries }))
  // Any plan may be waiting when the lane becomes empty.
  if (!readsPlan(s) && (readsPlan(next) || next.phase === 'identifying')) return PLANS.map((plan) => ({ ...s, plan }))
  return []
}

function readsPlan(s: LaneState): boolean {
  return s.phase === 'idle' || s.phase === 'closed'
}

const bit = (b: boolean): number => (b ? 1 : 0)
const tri = (t: Tri): number => (t === null ? 2 : t ? 1 : 0)
const table = <T extends string | null>(values: readonly T[]): ((value: T) => number) => {
  const index = Object.fromEntries(values.map((value, i) => [String(value), i]))
  return (value) => index[value as string] ?? -1
}
const phaseCode = table(PHASES)
const armCode = table(POSITIONS)
const verdictCode = table(VERDICTS)
const vehicleAlarmCode = table(VEHICLE_ALARMS)
const faultCode = table(FAULTS)
const traceCode = table([null, 'exit', 'maybe', 'back'] as const)
const unfinishedCode = table(UNFINISHED_KINDS)

function vehicleKey(v: Vehicle | null): number {
  if (v === null) return 0
  const bits = bit(v.authorised) + 2 * bit(v.under) + 4 * bit(v.seen) + 8 * bit(v.tailSeen) + 16 * traceCode(v.trace)
  return 1 + bits + 64 * (verdictCode(v.verdict) + 5 * vehicleAlarmCode(v.alarm))
}

/** A number that is different for every different {@link renamed} state. Alarms, timers and signal follow from the rest. */
export function keyOf(s: LaneState): number {
  const { approach, presence, curtain, exit } = s.sensors
  const sensors = tri(approach) + 3 * tri(presence) + 9 * tri(curtain) + 27 * tri(exit)
  const place = phaseCode(s.phase) + 10 * (sensors + 81 * (armCode(s.arm) + 4 * vehicleKey(s.vehicle)))
  const motion = bit(s.started) + 2 * bit(s.late) + 4 * bit(s.want === 'open') + 8 * bit(s.motion) + 16 * bit(s.paused) + 32 * s.tries
  const flags = bit(s.wrongWay) + 2 * bit(s.leaving) + 4 * bit(s.exitMissed) + 8 * bit(s.abandoned)
  const plan = bit(s.plan.closed) + 2 * bit(s.plan.direction !== s.direction) + 4 * bit(s.aspect === null)
  const rest = flags + 16 * (plan + 8 * (unfinishedCode(s.unfinished) + 3 * faultCode(s.fault)))
  // place < 10 × 81 × 4 × 961, motion < 128, rest < 1,536: below 2^53.
  return place + 3_113_640 * (motion + 128 * rest)
}

/** Inputs that any state may get. */
function outside(settings: LaneSettings): LaneInput[] {
  const at = 0
  const out: LaneInput[] = []
  for (const role of ROLES) {
    if (!isFitted(settings, role)) continue
    for (const value of TRI) out.push({ kind: 'sensor', at, role, value })
  }
  for (const position of POSITIONS) out.push({ kind: 'barrier', at, position })
  for (const outcome of OUTCOMES) for (const passage of [1, 7]) out.push({ kind: 'decision', at, passage, outcome })
  for (const what of COMMANDS) {
    const command = { kind: 'command', at, id: 'c', do: what, by: '', expired: false } as const
    out.push({ ...command, ...(what === 'set-direction' ? { direction: 'export' as const } : {}) })
    out.push({ ...command, expired: true })
    if (what === 'open') out.push({ ...command, passage: 1 }, { ...command, passage: 7 })
  }
  for (const action of ['open', 'close', 'stop'] as const) out.push({ kind: 'failed', at, action, why: 'test' })
  for (const closed of [false, true]) for (const direction of DIRECTIONS) out.push({ kind: 'plan', at, closed, direction })
  for (const closed of [false, true]) {
    out.push({ kind: 'start', at, unfinished: false, closed, direction: 'import' })
    out.push({ kind: 'start', at, unfinished: true, closed, direction: 'import' })
    out.push({ kind: 'start', at, unfinished: true, opened: true, closed, direction: 'import' })
  }
  return out
}

/** Every input that can be told from another in this (canonical) state. */
export function inputsFor(s: LaneState, settings: LaneSettings): LaneInput[] {
  const some = known.get(settings) ?? outside(settings)
  known.set(settings, some)
  return [...some, ...s.timers.map((timer): LaneInput => ({ kind: 'timer', at: 0, timer }))]
}
const known = new WeakMap<LaneSettings, LaneInput[]>()

export interface Explored {
  readonly states: readonly LaneState[]
  readonly transitions: number
  /** The inputs that lead from the start to a state. */
  path(index: number): LaneInput[]
  /** Whether the exploration came to this state, or one that it treats as the same. */
  has(state: LaneState): boolean
}

/** What `explore` treats as the same state. */
export type Canonical = (s: LaneState, settings: LaneSettings) => LaneState

/** Visits every reachable state and calls `visit` for every transition. `index`: of the state it comes from. */
export function explore(settings: LaneSettings, visit: (t: Transition, index: number) => void, same: Canonical = canonical): Explored {
  const first = same(initial(settings), settings)
  const states = [first]
  const from: { parent: number; input: LaneInput | null }[] = [{ parent: -1, input: null }]
  const keys = new Set([keyOf(first)])
  const met = new Set<number>()
  let transitions = 0
  for (let index = 0; index < states.length; index++) {
    const take = (state: LaneState, input: LaneInput, fitted: LaneSettings): LaneState => {
      const [next, actions] = step(state, input, fitted)
      transitions++
      visit({ state, input, actions, next, settings: fitted }, index)
      return next
    }
    const reach = (next: LaneState, input: LaneInput): void => {
      const raw = keyOf(next)
      if (met.has(raw)) return
      met.add(raw)
      const found = same(next, settings)
      const key = keyOf(found)
      if (keys.has(key)) return
      keys.add(key)
      states.push(found)
      from.push({ parent: index, input })
    }
    const state = states[index] as LaneState
    for (const input of inputsFor(state, settings)) {
      const next = take(state, input, settings)
      if (next === state) continue
      reach(next, input)
      for (const other of variants(state, input, next)) reach(take(other, input, settings), input)
      // The idle signal matters nowhere else.
      if (state.phase === 'idle' || next.phase === 'idle') {
        const green: LaneSettings = { ...settings, idleAspect: 'green' }
        take(state.aspect === null ? state : { ...state, aspect: aspectOf(state, green) }, input, green)
      }
    }
  }
  const path = (index: number): LaneInput[] => {
    const out: LaneInput[] = []
    for (let i = index; i > 0; i = from[i]?.parent ?? 0) out.unshift(from[i]?.input as LaneInput)
    return out
  }
  return { states, transitions, path, has: (state) => keys.has(keyOf(same(state, settings))) }
}

const PLANS: readonly LaneState['plan'][] = [
  { closed: true, direction: 'import' },
  { closed: false, direction: 'export' },
  { closed: true, direction: 'export' },
]
