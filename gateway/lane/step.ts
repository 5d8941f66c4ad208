/**
 * The lane core: `step(state, input, settings)` gives the next state and what to do. Pure: no clock, no randomness, nothing imported
 * but its own words, so that a recorded passage replays to the same actions and every reachable state can be explored.
 */
import { advance } from './advance.ts'
import { again, authorise, close, fail, failed, opened, rest, reversed, withdraw } from './arm.ts'
import { command } from './commands.ts'
import { derive } from './derive.ts'
import type { Answer, BarrierPosition, LaneAction, LaneInput, LaneSettings, SensorRole, TimerName, Tri } from './model.ts'
import { armDown, awaitsTurn, freeze, isFitted, type LaneState, safetyFree, somethingUnknown, type Work, watched } from './state.ts'
import { change, refer, resolve, trace } from './vehicle.ts'

export { explain } from './explain.ts'
export { armDown, awaitsTurn, initial, type LaneState, reloadable, somethingUnknown, turnable } from './state.ts'

const NOTHING: readonly LaneAction[] = Object.freeze([])

/** One input. Inputs that say nothing new, or are not for the present vehicle, give the same state and no actions. */
export function step(state: LaneState, input: LaneInput, settings: LaneSettings): readonly [LaneState, readonly LaneAction[]] {
  if (!matters(state, input, settings)) return [state, NOTHING]
  const w: Work = { s: { ...state }, settings, actions: [] }
  apply(w, input)
  advance(w)
  derive(w, state, input.kind === 'timer' ? input.timer : null)
  return [freeze(w.s), w.actions]
}

function matters(state: LaneState, input: LaneInput, settings: LaneSettings): boolean {
  switch (input.kind) {
    case 'start':
      return !state.started
    case 'sensor':
      return isFitted(settings, input.role) && state.sensors[input.role] !== input.value
    case 'barrier':
      return state.arm !== input.position
    case 'decision':
      if (state.vehicle?.no !== input.passage) return false
      return state.phase === 'identifying' || (awaitsTurn(state) && input.outcome !== 'wait')
    case 'timer':
      return state.timers.includes(input.timer)
    case 'failed':
      return input.action !== 'stop' && state.motion
    case 'plan':
      return state.plan.closed !== input.closed || state.plan.direction !== input.direction
    case 'command':
      return true
  }
}

function apply(w: Work, input: LaneInput): void {
  const { s } = w
  switch (input.kind) {
    case 'start':
      s.started = true
      s.unfinished = !input.unfinished ? 'none' : input.opened ? 'opened' : 'waiting'
      s.direction = input.direction
      s.plan = { closed: input.closed, direction: input.direction }
      return
    case 'sensor':
      sensor(w, input.role, input.value)
      return
    case 'barrier':
      barrier(w, input.position)
      return
    case 'decision':
      decide(w, input.outcome)
      return
    case 'timer':
      timeout(w, input.timer)
      return
    case 'failed':
      if (input.action !== 'stop') failed(w, input.action, input.why)
      return
    case 'plan':
      s.plan = { closed: input.closed, direction: input.direction }
      return
    case 'command':
      command(w, input)
      return
  }
}

function sensor(w: Work, role: SensorRole, value: Tri): void {
  const { s } = w
  const was = s.sensors[role]
  const wasFree = safetyFree(s)
  s.sensors = { ...s.sensors, [role]: value }
  const v = s.vehicle
  if (!v) return
  if (!v.seen && value === true && (role === 'approach' || role === 'presence')) change(w, { seen: true })
  trace(w, role, was, wasFree)
  if (awaitsTurn(s) && !watched(s)) refer(w, 'it was out of sight while it waited for its turn')
}

function barrier(w: Work, position: BarrierPosition): void {
  const { s } = w
  const was = s.arm
  s.arm = position
  if (position === 'open' && s.want === 'open' && (s.motion || s.phase === 'fault')) opened(w)
  else if (position === 'open' && s.phase === 'closing' && was !== 'open') reversed(w)
  else if (position === 'closed' && s.phase === 'fault') rest(w)
}

function decide(w: Work, outcome: Answer): void {
  const { s, settings } = w
  if (outcome === 'pass' && !somethingUnknown(s, settings) && armDown(s, settings)) {
    authorise(w)
    return
  }
  if (outcome === 'pass') refer(w, 'a sensor or the arm does not report')
  else if (outcome === 'refer') refer(w, 'the rules say so')
  else if (outcome === 'wait' && !watched(s)) refer(w, 'it is out of sight and cannot wait for its turn')
  else change(w, { verdict: outcome, by: 'rules' })
  s.phase = 'waiting'
}

function timeout(w: Work, timer: TimerName): void {
  const { s } = w
  switch (timer) {
    case 'identify':
      if (s.phase === 'starting') s.late = true
      else {
        if (s.vehicle) w.actions.push({ do: 'release', passage: s.vehicle.no })
        refer(w, 'no decision in time')
        s.phase = 'waiting'
      }
      return
    case 'turn':
      refer(w, 'it was not called in time')
      return
    case 'authorised':
      withdraw(w, 'the authorisation lapsed: the vehicle did not drive in')
      return
    case 'arm-open':
      // A reopened arm that had not left the open limit yet reports no change.
      if (s.arm === 'open') {
        opened(w)
        return
      }
      w.actions.push({ do: 'stop' })
      fail(w, 'stuck-arm', 'the arm did not reach the open limit in time')
      return
    case 'arm-close':
      w.actions.push({ do: 'stop' })
      fail(w, 'stuck-arm', 'the arm did not reach the closed limit in time')
      return
    case 'dwell':
      close(w)
      return
    case 'gap':
      gone(w)
      return
    case 'abandoned':
      s.abandoned = true
      return
    case 'retry':
      again(w)
      return
  }
}

/** No sensor has seen the vehicle for the gap time. */
function gone(w: Work): void {
  const { s } = w
  if (s.phase === 'idle') {
    s.wrongWay = false
    s.leaving = false
    return
  }
  resolve(w)
  if (s.phase === 'identifying' || s.phase === 'waiting') rest(w)
  else if (s.phase === 'passing') s.phase = 'clearing'
}
