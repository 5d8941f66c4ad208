/** Breadth-first exploration of every reachable state of the lane core with every input. Used by the tests and by the table in the docs. */

import type { Transition } from './invariants.ts'
import type { Aspect, BarrierPosition, CommandDo, Direction, LaneInput, LaneSettings, Outcome, SensorRole, Tri } from './model.ts'
import { initial, type LaneState, type Vehicle } from './state.ts'
import { step } from './step.ts'

const TRI: readonly Tri[] = [false, true, null]
const ROLES: readonly SensorRole[] = ['approach', 'presence', 'curtain', 'exit']
const POSITIONS: readonly BarrierPosition[] = ['open', 'closed', 'moving', 'unknown']
const OUTCOMES: readonly Outcome[] = ['pass', 'refuse', 'refer', 'redirect']
const COMMANDS: readonly CommandDo[] = ['open', 'close', 'refuse', 'hold', 'close-lane', 'open-lane', 'set-direction']
const DIRECTIONS: readonly Direction[] = ['import', 'export']
const ASPECTS: readonly (Aspect | null)[] = [null, 'red', 'green', 'amber', 'off']
const PHASES = ['starting', 'idle', 'identifying', 'waiting', 'opening', 'passing', 'clearing', 'closing', 'fault', 'closed'] as const
const FAULTS = [null, 'stuck-arm', 'forced-arm', 'command-failed'] as const
const VERDICTS = [null, 'refer', 'refuse', 'redirect'] as const
const VEHICLE_ALARMS = [null, 'tailgating', 'vehicle-under-arm'] as const
const UNFINISHED_KINDS = ['none', 'waiting', 'opened'] as const

/** Every combination of fitted sensors, limit switches and idle signal. */
export function allSettings(): LaneSettings[] {
  const out: LaneSettings[] = []
  for (const idleAspect of ['red', 'green'] as const)
    for (let bits = 0; bits < 16; bits++)
      out.push({ approach: (bits & 1) > 0, curtain: (bits & 2) > 0, exit: (bits & 4) > 0, limits: (bits & 8) > 0, idleAspect })
  return out
}

/**
 * The same state with numbers, ids and names that no rule looks at made equal: the present passage is number 1, import is the
 * present direction, no command was seen before, and it does not matter who refused.
 */
export function canonical(s: LaneState): LaneState {
  const flip = s.direction === 'export'
  const planned: Direction = s.plan.direction === s.direction ? 'import' : 'export'
  const v = s.vehicle
  if (!flip && (v === null || (v.no === 1 && v.by === '')) && s.next === 2 && s.recent.length === 0) return s
  return {
    ...s,
    direction: 'import',
    plan: { closed: s.plan.closed, direction: planned },
    vehicle: v && { ...v, no: 1, by: '' },
    next: 2,
    recent: [],
  }
}

const bit = (b: boolean): number => (b ? 1 : 0)
const tri = (t: Tri): number => (t === null ? 2 : t ? 1 : 0)

function vehicleKey(v: Vehicle | null): number {
  if (v === null) return 0
  const bits = bit(v.authorised) + 2 * bit(v.under) + 4 * bit(v.seen) + 8 * bit(v.exitSeen) + 16 * bit(v.tailSeen)
  return 1 + bits + 32 * (VERDICTS.indexOf(v.verdict) + 4 * VEHICLE_ALARMS.indexOf(v.alarm))
}

/** A number that is different for every different canonical state. Alarms and timers follow from the rest. */
export function keyOf(s: LaneState): number {
  let key = PHASES.indexOf(s.phase)
  const add = (value: number, size: number): void => {
    key = key * size + value
  }
  add(tri(s.sensors.approach), 3)
  add(tri(s.sensors.presence), 3)
  add(tri(s.sensors.curtain), 3)
  add(tri(s.sensors.exit), 3)
  add(POSITIONS.indexOf(s.arm), 4)
  add(vehicleKey(s.vehicle), 385)
  add(bit(s.started) + 2 * bit(s.late) + 4 * bit(s.want === 'open') + 8 * bit(s.motion) + 16 * bit(s.paused), 32)
  add(bit(s.wrongWay) + 2 * bit(s.leaving) + 4 * bit(s.exitMissed) + 8 * bit(s.abandoned) + 16 * bit(s.plan.closed), 32)
  add(bit(s.plan.direction !== s.direction), 2)
  add(UNFINISHED_KINDS.indexOf(s.unfinished), 3)
  add(s.tries, 3)
  add(FAULTS.indexOf(s.fault), 4)
  add(ASPECTS.indexOf(s.aspect), 5)
  return key
}

/** Every input that can be told from another in this (canonical) state. */
export function inputsFor(s: LaneState, settings: LaneSettings): LaneInput[] {
  const at = 0
  const out: LaneInput[] = []
  for (const role of ROLES) {
    if (role !== 'presence' && !settings[role]) continue
    for (const value of TRI) out.push({ kind: 'sensor', at, role, value })
  }
  for (const position of POSITIONS) out.push({ kind: 'barrier', at, position })
  for (const outcome of OUTCOMES) for (const passage of [1, 7]) out.push({ kind: 'decision', at, passage, outcome })
  for (const what of COMMANDS) {
    const command = { kind: 'command', at, id: 'c', do: what, by: '', expired: false } as const
    out.push({ ...command, ...(what === 'set-direction' ? { direction: 'export' as const } : {}) }, { ...command, expired: true })
    if (what === 'open') out.push({ ...command, passage: 1 }, { ...command, passage: 7 })
  }
  for (const timer of s.timers) out.push({ kind: 'timer', at, timer })
  for (const action of ['open', 'close', 'stop'] as const) out.push({ kind: 'failed', at, action, why: 'test' })
  for (const closed of [false, true]) for (const direction of DIRECTIONS) out.push({ kind: 'plan', at, closed, direction })
  for (const closed of s.started ? [false] : [false, true]) {
    out.push({ kind: 'start', at, unfinished: false, closed, direction: 'import' })
    out.push({ kind: 'start', at, unfinished: true, closed, direction: 'import' })
    out.push({ kind: 'start', at, unfinished: true, opened: true, closed, direction: 'import' })
  }
  return out
}

export interface Explored {
  readonly states: readonly LaneState[]
  readonly transitions: number
  /** Keys of all states seen. */
  readonly keys: ReadonlySet<number>
  /** The inputs that lead from the start to a state. */
  path(index: number): LaneInput[]
}

/** Visits every reachable state and calls `visit` for every transition. `index`: of the state it comes from. */
export function explore(settings: LaneSettings, visit: (t: Transition, index: number) => void): Explored {
  const first = canonical(initial(settings))
  const states = [first]
  const from: { parent: number; input: LaneInput | null }[] = [{ parent: -1, input: null }]
  const keys = new Set([keyOf(first)])
  let transitions = 0
  for (let index = 0; index < states.length; index++) {
    const state = states[index] as LaneState
    for (const input of inputsFor(state, settings)) {
      const [next, actions] = step(state, input, settings)
      transitions++
      visit({ state, input, actions, next, settings }, index)
      if (next === state) continue
      const found = canonical(next)
      const key = keyOf(found)
      if (keys.has(key)) continue
      keys.add(key)
      states.push(found)
      from.push({ parent: index, input })
    }
  }
  const path = (index: number): LaneInput[] => {
    const out: LaneInput[] = []
    for (let i = index; i > 0; i = from[i]?.parent ?? 0) out.unshift(from[i]?.input as LaneInput)
    return out
  }
  return { states, transitions, keys, path }
}
