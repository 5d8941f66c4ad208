/** The arm: the only file that commands it. */

import { armDown, type FaultCode, MAX_TRIES, record, safetyFree, type Work } from './state.ts'
import { abortUnused, change, refer } from './vehicle.ts'

function move(w: Work, want: 'open' | 'closed'): void {
  w.s.want = want
  w.s.motion = true
  w.s.paused = false
}

/** Gives the present vehicle an authorisation and opens for it. */
export function authorise(w: Work): void {
  const { s } = w
  if (!s.vehicle) return
  const upAlready = s.arm === 'open' && s.want === 'open'
  change(w, { authorised: true, verdict: null, by: '' })
  if (!upAlready) change(w, { under: false, trace: null, tailSeen: false })
  s.tries = 0
  w.actions.push({ do: 'open', passage: s.vehicle.no })
  move(w, 'open')
  s.phase = 'opening'
  if (upAlready) {
    s.motion = false
    s.phase = 'passing'
  }
}

/** The caller has checked the dwell, or an officer commands it; that nothing is under the arm is checked here once more. */
export function close(w: Work): void {
  if (!safetyFree(w.s)) return
  w.actions.push({ do: 'close' })
  move(w, 'closed')
  w.s.phase = 'closing'
  w.s.wrongWay = false
  w.s.leaving = false
}

/** Something came under the closing arm. */
export function reopen(w: Work): void {
  w.actions.push({ do: 'reopen' })
  move(w, 'open')
  w.s.phase = 'clearing'
}

/** The arm is down and nothing moves: the lane waits for the vehicle that is here, or is empty. */
export function rest(w: Work): void {
  const { s } = w
  s.want = 'closed'
  s.motion = false
  s.paused = false
  s.tries = 0
  s.exitMissed = false
  if (s.fault) {
    s.fault = null
    record(w, { type: 'recovered' })
  }
  if (s.vehicle) {
    if (s.vehicle.verdict === null) change(w, { verdict: 'refer' })
    s.phase = 'waiting'
    return
  }
  s.phase = 'idle'
  s.leaving = w.settings.exit
}

/** The authorisation is taken back before the vehicle drove in; the arm closes when nothing is under it. */
export function withdraw(w: Work, why: string): void {
  const { s } = w
  if (s.vehicle && !s.vehicle.seen) abortUnused(w, why)
  else {
    change(w, { authorised: false })
    refer(w, why)
  }
  // The open command never took effect: there is nothing to close.
  if (s.paused && armDown(s, w.settings)) rest(w)
  else s.phase = 'clearing'
}

/** Feedback and command disagree. Nothing moves by itself from here on; an unused authorisation is void. */
export function fail(w: Work, code: FaultCode, why: string): void {
  const { s } = w
  const v = s.vehicle
  if (s.phase === 'identifying') {
    if (v) w.actions.push({ do: 'release', passage: v.no })
    refer(w, 'lane fault')
  } else if (v?.verdict === 'wait') refer(w, 'lane fault')
  else if (v?.authorised && !v.under) withdraw(w, 'lane fault')
  s.phase = 'fault'
  s.fault = code
  s.wrongWay = false
  s.leaving = false
  s.motion = false
  s.paused = false
  s.tries = 0
  record(w, { type: 'fault', why })
}

/** The open limit was reached. */
export function opened(w: Work): void {
  const { s } = w
  s.motion = false
  s.paused = false
  s.tries = 0
  if (s.fault) {
    s.fault = null
    record(w, { type: 'recovered' })
  }
  if (s.phase === 'opening') s.phase = 'passing'
  else if (s.phase === 'fault') s.phase = s.vehicle?.authorised && s.vehicle.under ? 'passing' : 'clearing'
}

/** The arm went up again while it was to close: the operator's own safety circuit turned it round. It is tried again after the dwell. */
export function reversed(w: Work): void {
  const { s } = w
  s.tries += 1
  if (s.tries >= MAX_TRIES) {
    fail(w, 'stuck-arm', `the arm turned round ${MAX_TRIES} times while closing`)
    return
  }
  s.want = 'open'
  s.motion = false
  s.paused = false
  s.phase = 'clearing'
}

/** An open or close was not carried out: it is sent again after a pause, a limited number of times. */
export function failed(w: Work, action: 'open' | 'close', why: string): void {
  const { s } = w
  if (!s.motion || s.paused || (action === 'open') !== (s.want === 'open')) return
  // The arm moves although the confirmation was lost: its limit or its time-out will tell.
  if (s.arm === 'moving') return
  s.tries += 1
  if (s.tries >= MAX_TRIES) fail(w, 'command-failed', `${action} failed ${MAX_TRIES} times: ${why}`)
  else s.paused = true
}

/** The pause after a failure is over: the same command again, if what it was for still holds. */
export function again(w: Work): void {
  const { s } = w
  if (s.want === 'closed') close(w)
  else if (s.phase === 'clearing') armDown(s, w.settings) ? rest(w) : reopen(w)
  else if (s.vehicle?.authorised && !s.vehicle.under) {
    w.actions.push({ do: 'open', passage: s.vehicle.no })
    s.paused = false
  } else fail(w, 'command-failed', 'open failed and the vehicle has already driven in')
}
