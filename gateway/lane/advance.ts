/** What follows from the state itself, whichever input led to it: rules on levels, applied until nothing changes. */
import { fail, reopen, rest } from './arm.ts'
import { UNFINISHED } from './model.ts'
import { armDown, record, safetyFree, sensorsKnown, somethingUnknown, turnable, type Work } from './state.ts'
import { arrive, change, pushedThrough, refer, resume, secondVehicle, tailgate } from './vehicle.ts'

/** Applies the rules. Each application moves the lane on, so a few rounds always suffice. */
export function advance(w: Work): void {
  for (let round = 0; round < 8; round++) if (!rules(w)) return
}

/** True when something changed. */
function rules(w: Work): boolean {
  switch (w.s.phase) {
    case 'starting':
      return leaveStarting(w)
    case 'idle':
      return idle(w)
    case 'closed':
      return forced(w) || reopenLane(w)
    case 'identifying':
    case 'waiting':
      return forced(w)
    case 'opening':
    case 'passing':
    case 'clearing':
    case 'closing':
      return moved(w) || traffic(w)
    case 'fault':
      return traffic(w)
  }
}

/** The arm left closed by itself, or by hand. */
function forced(w: Work): boolean {
  if (w.s.arm !== 'open' && w.s.arm !== 'moving') return false
  fail(w, 'forced-arm', 'the arm left closed without a command')
  return true
}

/** Follows the arm. */
function moved(w: Work): boolean {
  const { s } = w
  if (s.want === 'closed') {
    if (s.arm !== 'closed') return false
    rest(w)
    return true
  }
  if (s.motion) return false
  if (s.arm === 'moving' || s.arm === 'closed') {
    fail(w, 'forced-arm', 'the arm left open without a command')
    return true
  }
  return false
}

/** Follows vehicles under an arm that is not closed. */
function traffic(w: Work): boolean {
  const { s } = w
  if (s.phase === 'closing' && !safetyFree(s)) {
    reopen(w)
    return true
  }
  if (s.arm === 'closed') return false
  const { presence, curtain } = s.sensors
  const v = s.vehicle
  if (!v) {
    if (presence !== true || s.phase === 'closing') return false
    tailgate(w)
    return true
  }
  if (secondVehicle(s, w.settings.exit)) {
    pushedThrough(w)
    tailgate(w)
    if (s.phase === 'passing' || s.phase === 'opening') s.phase = 'clearing'
    return true
  }
  // Unknown counts as driven in: an authorisation must not be left over for the next one.
  if (!v.under && (v.authorised ? presence !== false || curtain !== false : presence === true)) {
    change(w, { under: true, seen: true, ...(v.authorised ? {} : { alarm: 'tailgating' as const }) })
    return true
  }
  if (v.tailSeen && presence === true && curtain === true) {
    // It backed into the curtain again: that was not its end.
    change(w, { tailSeen: false })
    return true
  }
  return false
}

/** Nobody is in the lane and the arm is down. */
function idle(w: Work): boolean {
  const { s, settings } = w
  const { approach, presence, exit } = s.sensors
  if (forced(w)) return true
  if (turnable(s, settings)) s.direction = s.plan.direction
  const wrong = (exit === true && !s.leaving) || (settings.approach && approach === false && presence === true)
  if (wrong && !s.wrongWay) {
    s.wrongWay = true
    return true
  }
  if (s.wrongWay || !armDown(s, settings)) return false
  if (s.plan.closed) {
    s.phase = 'closed'
    s.leaving = false
    record(w, { type: 'closed' })
    return true
  }
  if (somethingUnknown(s, settings) || (settings.approach ? approach : presence) !== true) return false
  s.leaving = false
  s.phase = 'identifying'
  w.actions.push({ do: 'identify', passage: arrive(w) })
  return true
}

function reopenLane(w: Work): boolean {
  const { s } = w
  if (turnable(s, w.settings)) s.direction = s.plan.direction
  if (s.plan.closed) return false
  record(w, { type: 'opened' })
  rest(w)
  return true
}

/** Everything is known now: what was found here? Nothing moves as an answer to it. */
function leaveStarting(w: Work): boolean {
  const { s, settings } = w
  if (!s.started || !sensorsKnown(s)) return false
  const stuck = s.arm === 'moving' && s.late
  const down = armDown(s, settings)
  if (!stuck && !down && s.arm !== 'open') return false
  const found = !safetyFree(s)
  if (s.unfinished === 'opened' && found && s.arm === 'open') {
    resume(w, UNFINISHED, { authorised: true, under: true, alarm: 'vehicle-under-arm' })
  } else {
    if (s.unfinished !== 'none') record(w, { type: 'aborted', passage: UNFINISHED, why: 'lost over a restart' })
    if (found) {
      arrive(w, { under: !down, alarm: 'vehicle-under-arm' })
      refer(w, 'found under the arm at the start')
    }
  }
  s.unfinished = 'none'
  s.late = false
  if (down) {
    // The journal already says that the lane is closed.
    if (!found && s.plan.closed) s.phase = 'closed'
    else rest(w)
  } else if (found && s.arm === 'open') {
    s.want = 'open'
    s.phase = s.vehicle?.authorised ? 'passing' : 'clearing'
  } else if (stuck) fail(w, 'stuck-arm', 'the arm stands half-way at the start')
  else fail(w, 'forced-arm', 'the arm was found open at the start')
  return true
}
