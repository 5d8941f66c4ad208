/**
 * What must hold on every transition from every reachable state. Pure predicates, used by the exploration and the random tests,
 * and listed in docs/lane.md by their names. Each gives null when it holds, or says what is wrong.
 */
import {
  type AlarmCode,
  type Aspect,
  type LaneAction,
  type LaneEvent,
  type LaneInput,
  type LaneSettings,
  type PassageNo,
  type Phase,
  type TimerName,
  UNFINISHED,
} from './model.ts'
import {
  armDown,
  awaitsTurn,
  type LaneState,
  laneEmpty,
  safetyFree,
  sensorsKnown,
  somethingUnknown,
  standing,
  turnable,
  watched,
} from './state.ts'

export interface Transition {
  readonly state: LaneState
  readonly input: LaneInput
  readonly actions: readonly LaneAction[]
  readonly next: LaneState
  readonly settings: LaneSettings
}

/** With its actions sorted out once. */
interface Seen extends Transition {
  /** Passages that `open` was for. */
  readonly opens: readonly PassageNo[]
  readonly closes: number
  readonly reopens: number
  readonly identifies: boolean
  readonly aspect: Aspect | null
  readonly began: readonly PassageNo[]
  readonly ended: readonly PassageNo[]
  readonly cleared: readonly PassageNo[]
  /** Ids of commands, as they were answered. */
  readonly answers: readonly { readonly id: string; readonly accepted: boolean }[]
  readonly timersOn: readonly TimerName[]
  readonly timersOff: readonly TimerName[]
  readonly alarmsOn: readonly AlarmCode[]
  readonly alarmsOff: readonly AlarmCode[]
}

type Lists = 'opens' | 'began' | 'ended' | 'cleared' | 'answers' | 'timersOn' | 'timersOff' | 'alarmsOn' | 'alarmsOff'
type Collecting = { -readonly [K in keyof Seen]: K extends Lists ? Seen[K][number & keyof Seen[K]][] : Seen[K] }

type Predicate = (t: Seen) => string | null

const motions = (t: Seen): number => t.opens.length + t.closes + t.reopens
const check = (bad: boolean, what: string): string | null => (bad ? what : null)

function collect(out: Collecting, event: LaneEvent): void {
  switch (event.type) {
    case 'arrived':
      out.began.push(event.passage)
      return
    case 'cleared':
      out.cleared.push(event.passage)
      out.ended.push(event.passage)
      return
    case 'refused':
    case 'redirected':
    case 'aborted':
      out.ended.push(event.passage)
      return
    case 'command-accepted':
    case 'command-rejected':
      out.answers.push({ id: event.id, accepted: event.type === 'command-accepted' })
      return
    case 'alarm-raised':
      out.alarmsOn.push(event.alarm)
      return
    case 'alarm-cleared':
      out.alarmsOff.push(event.alarm)
      return
  }
}

function sorted({ state, input, actions, next, settings }: Transition): Seen {
  const lists = { opens: [], began: [], ended: [], cleared: [], answers: [], timersOn: [], timersOff: [], alarmsOn: [], alarmsOff: [] }
  const out: Collecting = { state, input, actions, next, settings, closes: 0, reopens: 0, identifies: false, aspect: null, ...lists }
  for (const action of actions) {
    if (action.do === 'record') collect(out, action.event)
    else if (action.do === 'start-timer') out.timersOn.push(action.timer)
    else if (action.do === 'cancel-timer') out.timersOff.push(action.timer)
    else if (action.do === 'signal') out.aspect = action.aspect
    else if (action.do === 'open') out.opens.push(action.passage)
    else if (action.do === 'close') out.closes++
    else if (action.do === 'reopen') out.reopens++
    else if (action.do === 'identify') out.identifies = true
  }
  return out
}

/** Phases in which a timer may run. */
const TIMER_PHASES: Readonly<Record<TimerName, readonly Phase[]>> = {
  identify: ['starting', 'identifying'],
  turn: ['waiting'],
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
  if (began.length === 0 && ended.length === 0) return before.length === after.length && before.every((x) => after.includes(x))
  const kept = before.filter((x) => !ended.includes(x))
  const all = [...kept, ...began.filter((x) => !kept.includes(x))]
  return all.length === after.length && all.every((x) => after.includes(x))
}

export const INVARIANTS: Readonly<Record<string, Predicate>> = {
  'S1 close only when every sensor under the arm is known to be free': (t) =>
    check(t.closes > 0 && !safetyFree(t.next), 'closed on something'),

  'S2 nothing moves on start, or while starting': (t) =>
    check((t.input.kind === 'start' || t.state.phase === 'starting') && motions(t) > 0, 'moved on boot'),

  'S3 open only as the answer to pass for the present vehicle, an officer, or a retry of an unused authorisation': (t) => {
    if (t.opens.length === 0) return null
    const { state, input, next } = t
    const v = state.vehicle
    const asked = state.phase === 'identifying' || awaitsTurn(state)
    const byRules = input.kind === 'decision' && input.outcome === 'pass' && asked && input.passage === v?.no
    const byOfficer = input.kind === 'command' && input.do === 'open' && !input.expired && (input.passage ?? v?.no) === v?.no
    const retry = input.kind === 'timer' && input.timer === 'retry' && v?.authorised === true && !v.under && v.no === next.vehicle?.no
    if (!byRules && !byOfficer && !retry) return 'opened unasked'
    return check(t.opens.length !== 1 || t.opens[0] !== next.vehicle?.no || !next.vehicle?.authorised, 'opened for nobody')
  },

  'S4 no open in fault, out of service, from the wrong side, or while a sensor is unknown (a retry apart)': (t) => {
    const { phase, wrongWay } = t.state
    if (t.opens.length === 0) return null
    if (phase === 'fault' || phase === 'closed' || phase === 'closing' || wrongWay) return `opened in ${phase}`
    return check(t.input.kind !== 'timer' && somethingUnknown(t.next, t.settings), 'opened blind')
  },

  'S5 something under the closing arm reopens it at once': (t) => {
    if (t.state.phase !== 'closing' || t.input.kind !== 'sensor' || safetyFree(t.next)) return null
    return check(t.reopens === 0 || t.next.phase === 'closing', 'kept closing')
  },

  'S6 reopen only for a commanded close, or its retry': (t) =>
    check(t.reopens > 0 && t.state.phase !== 'closing' && !(t.input.kind === 'timer' && t.input.timer === 'retry'), 'reopened unasked'),

  'S7 one authorisation for one vehicle: given by pass or an officer, never inherited; only its vehicle is cleared': (t) => {
    const { state, next, input } = t
    const given = t.opens.length > 0 || (state.phase === 'starting' && next.vehicle?.no === UNFINISHED)
    if (next.vehicle?.authorised && !(state.vehicle?.authorised && state.vehicle.no === next.vehicle.no) && !given)
      return 'authorisation from nowhere'
    if (t.cleared.some((no) => !(state.vehicle?.no === no && state.vehicle.authorised))) return 'cleared without'
    return check(input.kind === 'timer' && input.timer === 'authorised' && next.vehicle?.authorised === true, 'did not lapse')
  },

  'S8 a vehicle under an arm that is not closed, without an authorisation, is an alarm of its own': (t) => {
    const v = t.next.vehicle
    if (!v?.under || v.authorised || t.next.arm === 'closed' || t.next.phase === 'waiting') return null
    if (v.alarm === null) return 'silent tailgater'
    return check(v.no !== t.state.vehicle?.no && !t.alarmsOn.includes(v.alarm), 'the alarm was not raised for this vehicle')
  },

  'S9 every passage ends exactly once, before the next begins': (t) => {
    const { state, next } = t
    const expected: PassageNo[] = []
    const unfinished = state.unfinished !== 'none' || (t.input.kind === 'start' && t.input.unfinished)
    if (unfinished && next.unfinished === 'none' && next.vehicle?.no !== UNFINISHED) expected.push(UNFINISHED)
    const { began } = t
    if (expected.length + t.ended.length + began.length === 0 && state.vehicle?.no === next.vehicle?.no && state.next === next.next)
      return null
    for (const no of [...(state.vehicle ? [state.vehicle.no] : []), ...began]) if (no !== next.vehicle?.no) expected.push(no)
    if (began.some((no, i) => no !== state.next + i) || next.next !== state.next + began.length) return 'passage numbers are not in order'
    const is = [...t.ended].sort((a, b) => a - b)
    return check(is.join() !== expected.sort((a, b) => a - b).join(), `ended ${is.join()} instead of ${expected.join()}`)
  },

  'S10 every command is answered exactly once': (t) => {
    const { answers } = t
    if (t.input.kind !== 'command') return check(answers.length > 0, 'answered nobody')
    const { id, expired } = t.input
    if (answers.length !== 1 || answers[0]?.id !== id) return 'not answered once'
    return check(expired && (answers[0].accepted || motions(t) > 0), 'obeyed an expired command')
  },

  'S11 at most one motion command in a step': (t) => check(motions(t) > 1, 'several motions'),

  'S12 each timer runs in its own phases only, and was started and cancelled by actions': (t) => {
    const { state, next, input } = t
    const wrong = next.timers.find((timer) => !TIMER_PHASES[timer].includes(next.phase))
    if (wrong) return `${wrong} runs in ${next.phase}`
    const before = input.kind === 'timer' ? state.timers.filter((timer) => input.timer !== timer) : state.timers
    return check(!folds(before, t.timersOn, t.timersOff, next.timers), 'timers do not fit their actions')
  },

  'S13 alarms are raised and cleared by records': (t) =>
    check(!folds(t.state.alarms, t.alarmsOn, t.alarmsOff, t.next.alarms), 'alarms do not fit their records'),

  'S14 the signal is green only for a vehicle that may drive in, or as the invitation of an idle lane': (t) => {
    const { state, next, settings } = t
    if ((t.aspect ?? state.aspect) !== next.aspect) return 'the signal was not told'
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
        if (v?.verdict === 'wait' && !timers.includes('turn')) return 'waits for its turn without a deadline'
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
    check(t.identifies && (!armDown(t.next, t.settings) || !sensorsKnown(t.next)), 'identified in an open lane'),

  'S17 whatever is under an arm that is up belongs to a passage, and uses up its authorisation': ({ next }) => {
    const { phase, sensors, vehicle: v } = next
    const up = next.arm !== 'closed' && (phase === 'opening' || phase === 'passing' || phase === 'clearing')
    if (!up) return null
    if (v?.authorised && !v.under && (sensors.presence !== false || sensors.curtain !== false)) return 'an authorisation is left over'
    return check(sensors.presence === true && !v?.under, 'nobody counts what is under the arm')
  },

  'S18 an arm that is down is not raised without an authorisation': (t) =>
    check(t.reopens > 0 && t.state.arm === 'closed', 'reopened from down'),

  'S19 where the arm should be down, an arm that is not is a fault': ({ next }) =>
    check(
      ['idle', 'identifying', 'waiting', 'closed'].includes(next.phase) && (next.arm === 'open' || next.arm === 'moving'),
      'nobody minds',
    ),

  'S20 the direction changes only in an empty lane whose arm is down': ({ state, input, next, settings }) =>
    check(state.direction !== next.direction && input.kind !== 'start' && !turnable(next, settings), 'turned with somebody there'),

  'S21 only a vehicle at the closed arm that nobody has authorised waits for its turn': ({ next }) =>
    check(next.vehicle?.verdict === 'wait' && (!awaitsTurn(next) || next.vehicle.authorised || next.vehicle.under), 'a turn out of place'),

  'S22 who waits for its turn has been in sight all the time': ({ next }) =>
    check(next.vehicle?.verdict === 'wait' && !watched(next), 'waits for its turn out of sight'),
}

const RULES = Object.entries(INVARIANTS)
const NONE: readonly string[] = []

/** Names and words of everything that does not hold; empty when all is well. */
export function violations(t: Transition): readonly string[] {
  if (t.next === t.state)
    return t.actions.length > 0 || t.input.kind === 'command' ? ['S0 no change: but actions, or an unanswered command'] : NONE
  const seen = sorted(t)
  let out: string[] | null = null
  for (const [name, holds] of RULES) {
    const why = holds(seen)
    if (why !== null) out = [...(out ?? []), `${name}: ${why}`]
  }
  return out ?? NONE
}
