/**
 * What must hold on every transition from every reachable state. Pure predicates, used by the exploration and the random tests,
 * and listed in docs/lane.md by their names. Each gives null when it holds, or says what is wrong.
 */
import {
  type LaneAction,
  type LaneEvent,
  type LaneInput,
  type LaneSettings,
  type PassageNo,
  type Phase,
  type TimerName,
  UNFINISHED,
} from './model.ts'
import { armDown, type LaneState, laneEmpty, safetyFree, sensorsKnown, somethingUnknown, standing } from './state.ts'

export interface Transition {
  readonly state: LaneState
  readonly input: LaneInput
  readonly actions: readonly LaneAction[]
  readonly next: LaneState
  readonly settings: LaneSettings
}

/** With its recorded events picked out once. */
interface Seen extends Transition {
  readonly events: readonly LaneEvent[]
}

type Predicate = (t: Seen) => string | null

const did = (t: Transition, action: LaneAction['do']): boolean => t.actions.some((a) => a.do === action)
const events = (t: Seen): readonly LaneEvent[] => t.events
const motions = (t: Transition): LaneAction[] => t.actions.filter((a) => a.do === 'open' || a.do === 'close' || a.do === 'reopen')
const check = (bad: boolean, what: string): string | null => (bad ? what : null)

const ENDS: readonly LaneEvent['type'][] = ['cleared', 'refused', 'redirected', 'aborted']
const ended = (t: Seen): PassageNo[] => events(t).flatMap((e) => (ENDS.includes(e.type) && 'passage' in e ? [e.passage as PassageNo] : []))

/** Phases in which a timer may run. */
const TIMER_PHASES: Readonly<Record<TimerName, readonly Phase[]>> = {
  identify: ['starting', 'identifying'],
  authorised: ['opening', 'passing'],
  'arm-open': ['opening', 'clearing'],
  'arm-close': ['closing'],
  dwell: ['clearing'],
  gap: ['idle', 'identifying', 'waiting', 'passing', 'clearing', 'closing', 'fault'],
  abandoned: ['idle', 'identifying', 'waiting', 'opening', 'passing', 'clearing', 'closing', 'fault'],
  retry: ['opening', 'clearing', 'closing'],
}

/** Whether `after` is what was running or on, less what ended, with what began. */
function folds<T>(before: readonly T[], began: readonly T[], ended: readonly T[], after: readonly T[]): boolean {
  const kept = before.filter((x) => !ended.includes(x))
  const all = [...kept, ...began.filter((x) => !kept.includes(x))]
  return all.length === after.length && all.every((x) => after.includes(x))
}

export const INVARIANTS: Readonly<Record<string, Predicate>> = {
  'S1 close only when every sensor under the arm is known to be free': (t) =>
    check(did(t, 'close') && !safetyFree(t.next), 'closed on something'),

  'S2 nothing moves on start, or while starting': (t) =>
    check((t.input.kind === 'start' || t.state.phase === 'starting') && motions(t).length > 0, 'moved on boot'),

  'S3 open only as the answer to pass for the present vehicle, an officer, or a retry of an unused authorisation': (t) => {
    if (!did(t, 'open')) return null
    const { state, input, next } = t
    const v = state.vehicle
    const byRules = input.kind === 'decision' && input.outcome === 'pass' && state.phase === 'identifying' && input.passage === v?.no
    const byOfficer = input.kind === 'command' && input.do === 'open' && !input.expired && (input.passage ?? v?.no) === v?.no
    const retry = input.kind === 'timer' && input.timer === 'retry' && v?.authorised === true && !v.under && v.no === next.vehicle?.no
    const opens = t.actions.filter((a) => a.do === 'open')
    if (!byRules && !byOfficer && !retry) return 'opened unasked'
    return check(opens.length !== 1 || opens[0]?.passage !== next.vehicle?.no || !next.vehicle?.authorised, 'opened for nobody')
  },

  'S4 no open in fault, out of service, from the wrong side, or while a sensor is unknown (a retry apart)': (t) => {
    const { phase, wrongWay } = t.state
    if (!did(t, 'open')) return null
    if (phase === 'fault' || phase === 'closed' || phase === 'closing' || wrongWay) return `opened in ${phase}`
    return check(t.input.kind !== 'timer' && somethingUnknown(t.next, t.settings), 'opened blind')
  },

  'S5 something under the closing arm reopens it at once': (t) => {
    if (t.state.phase !== 'closing' || t.input.kind !== 'sensor' || safetyFree(t.next)) return null
    return check(!did(t, 'reopen') || t.next.phase === 'closing', 'kept closing')
  },

  'S6 reopen only for a commanded close, or its retry': (t) =>
    check(did(t, 'reopen') && t.state.phase !== 'closing' && !(t.input.kind === 'timer' && t.input.timer === 'retry'), 'reopened unasked'),

  'S7 one authorisation for one vehicle: given by pass or an officer, never inherited; only its vehicle is cleared': (t) => {
    const { state, next, input } = t
    const given = did(t, 'open') || (state.phase === 'starting' && next.vehicle?.no === UNFINISHED)
    if (next.vehicle?.authorised && !(state.vehicle?.authorised && state.vehicle.no === next.vehicle.no) && !given)
      return 'authorisation from nowhere'
    if (events(t).some((e) => e.type === 'cleared' && !(state.vehicle?.no === e.passage && state.vehicle.authorised)))
      return 'cleared without'
    return check(input.kind === 'timer' && input.timer === 'authorised' && next.vehicle?.authorised === true, 'did not lapse')
  },

  'S8 a vehicle under the arm without an authorisation is an alarm': (t) =>
    check(
      t.next.vehicle?.under === true &&
        !t.next.vehicle.authorised &&
        t.next.vehicle.alarm === null &&
        t.next.arm !== 'closed' &&
        t.next.phase !== 'waiting',
      'silent tailgater',
    ),

  'S9 every passage ends exactly once, before the next begins': (t) => {
    const { state, next } = t
    const expected: PassageNo[] = []
    const unfinished = state.unfinished !== 'none' || (t.input.kind === 'start' && t.input.unfinished)
    if (unfinished && next.unfinished === 'none' && next.vehicle?.no !== UNFINISHED) expected.push(UNFINISHED)
    const began = events(t).flatMap((e) => (e.type === 'arrived' ? [e.passage] : []))
    for (const no of [...(state.vehicle ? [state.vehicle.no] : []), ...began]) if (no !== next.vehicle?.no) expected.push(no)
    if (began.some((no, i) => no !== state.next + i) || next.next !== state.next + began.length) return 'passage numbers are not in order'
    const is = ended(t).sort((a, b) => a - b)
    return check(is.join() !== expected.sort((a, b) => a - b).join(), `ended ${is.join()} instead of ${expected.join()}`)
  },

  'S10 every command is answered exactly once': (t) => {
    const answers = events(t).filter((e) => e.type === 'command-accepted' || e.type === 'command-rejected')
    if (t.input.kind !== 'command') return check(answers.length > 0, 'answered nobody')
    const { id, expired } = t.input
    if (answers.length !== 1 || answers.some((e) => !('id' in e) || e.id !== id)) return 'not answered once'
    return check(expired && (answers[0]?.type !== 'command-rejected' || motions(t).length > 0), 'obeyed an expired command')
  },

  'S11 at most one motion command in a step': (t) => check(motions(t).length > 1, 'several motions'),

  'S12 each timer runs in its own phases only, and was started and cancelled by actions': (t) => {
    const { state, next, input } = t
    const wrong = next.timers.find((timer) => !TIMER_PHASES[timer].includes(next.phase))
    if (wrong) return `${wrong} runs in ${next.phase}`
    const on = t.actions.flatMap((a) => (a.do === 'start-timer' ? [a.timer] : []))
    const off = t.actions.flatMap((a) => (a.do === 'cancel-timer' ? [a.timer] : []))
    const before = state.timers.filter((timer) => !(input.kind === 'timer' && input.timer === timer))
    return folds(before, on, off, next.timers) ? null : `timers ${next.timers.join()} after ${on.join()}/${off.join()}`
  },

  'S13 alarms are raised and cleared by records': (t) => {
    const on = events(t).flatMap((e) => (e.type === 'alarm-raised' ? [e.alarm] : []))
    const off = events(t).flatMap((e) => (e.type === 'alarm-cleared' ? [e.alarm] : []))
    return check(!folds(t.state.alarms, on, off, t.next.alarms), 'alarms do not fit their records')
  },

  'S14 the signal is green only for a vehicle that may drive in, or as the invitation of an idle lane': (t) => {
    const { state, next, settings } = t
    const told = t.actions.flatMap((a) => (a.do === 'signal' ? [a.aspect] : []))
    if ((told.at(-1) ?? state.aspect) !== next.aspect) return 'the signal was not told'
    if (next.aspect === 'red') return null
    if (next.phase === 'idle')
      return check(next.aspect !== settings.idleAspect || somethingUnknown(next, settings) || next.wrongWay, 'invites wrongly')
    return check(next.phase !== 'passing' || !next.vehicle?.authorised || next.aspect !== 'green', `${next.aspect} in ${next.phase}`)
  },

  'S15 nothing waits for ever: a timer runs, or the lane waits for something outside that is documented': (t) => {
    const { next } = t
    const { phase, timers, vehicle: v } = next
    if (standing(next) && !timers.includes('abandoned') && !next.abandoned) return 'nobody watches the vehicle'
    switch (phase) {
      case 'identifying':
      case 'opening':
      case 'closing':
        return check(!timers.some((x) => x !== 'abandoned' && x !== 'gap'), `${phase} without a deadline`)
      case 'passing':
        return check(
          v === null || (!v.under && !timers.includes('authorised')) || (v.under && safetyFree(next) && !timers.includes('gap')),
          'passing without an end',
        )
      case 'clearing':
        if (next.motion) return check(!timers.some((x) => x === 'arm-open' || x === 'retry'), 'reopening without a deadline')
        return check(
          safetyFree(next) && next.arm === 'open' && !timers.some((x) => x === 'dwell' || x === 'gap'),
          'clearing without an end',
        )
      case 'waiting':
        return check(v === null || (laneEmpty(next) && !timers.includes('gap')), 'waits for nobody')
      case 'starting':
        return check(next.started && !next.late && !timers.includes('identify'), 'starting without a deadline')
      case 'closed':
        return check(v !== null, 'closed with a vehicle')
      case 'idle':
        return check(v !== null || (next.wrongWay && laneEmpty(next) && !timers.includes('gap')), 'idle with a vehicle')
      case 'fault':
        return check(next.fault === null || !next.alarms.includes(next.fault), 'fault without an alarm')
    }
  },

  'S16 a new vehicle is identified only when the arm is down and everything known': (t) =>
    check(did(t, 'identify') && (!armDown(t.next, t.settings) || !sensorsKnown(t.next)), 'identified in an open lane'),
}

const RULES = Object.entries(INVARIANTS)
const NONE: readonly string[] = []

/** Names and words of everything that does not hold; empty when all is well. */
export function violations(t: Transition): readonly string[] {
  if (t.next === t.state)
    return t.actions.length > 0 || t.input.kind === 'command' ? ['S0 no change: but actions, or an unanswered command'] : NONE
  const recorded: LaneEvent[] = []
  for (const action of t.actions) if (action.do === 'record') recorded.push(action.event)
  const { state, input, actions, next, settings } = t
  const seen: Seen = { state, input, actions, next, settings, events: recorded }
  let out: string[] | null = null
  for (const [name, holds] of RULES) {
    const why = holds(seen)
    if (why !== null) out = [...(out ?? []), `${name}: ${why}`]
  }
  return out ?? NONE
}
