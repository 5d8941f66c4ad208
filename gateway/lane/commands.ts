/** What an officer or the centre asks for. Each command is answered once: accepted, or rejected with a reason that a person can act on. */
import { authorise, close, rest, withdraw } from './arm.ts'
import type { LaneInput } from './model.ts'
import { armDown, RECENT_COMMANDS, safetyFree, somethingUnknown, turnable, type Work } from './state.ts'
import { arrive, change, refer } from './vehicle.ts'

type Command = Extract<LaneInput, { kind: 'command' }>

/** The reason why not, or null when it was carried out. */
type Answer = string | null

export function command(w: Work, c: Command): void {
  const { actions } = w
  const mark = actions.length
  const why = refusal(w, c)
  // The answer comes first: what the command does follows it.
  actions.splice(mark, 0, {
    do: 'record',
    event: why === null ? { type: 'command-accepted', id: c.id } : { type: 'command-rejected', id: c.id, why },
  })
}

function refusal(w: Work, c: Command): Answer {
  const { s } = w
  if (s.recent.includes(c.id)) return 'this command was already answered'
  s.recent = [...s.recent.slice(1 - RECENT_COMMANDS), c.id]
  if (c.expired) return 'it came too late; send it again if it is still wanted'
  if (c.passage !== undefined && c.passage !== s.vehicle?.no) return 'that vehicle is not in the lane any more'
  switch (c.do) {
    case 'open':
      return open(w)
    case 'close':
      return closeArm(w)
    case 'refuse':
      return decideAgainst(w, 'refuse', c.by)
    case 'hold':
      return decideAgainst(w, 'refer', c.by)
    case 'close-lane':
    case 'open-lane':
      s.plan = { ...s.plan, closed: c.do === 'close-lane' }
      return null
    case 'set-direction':
      return setDirection(w, c)
  }
}

function open(w: Work): Answer {
  const { s, settings } = w
  switch (s.phase) {
    case 'starting':
      return 'the lane is starting'
    case 'fault':
      return 'the lane is in fault; clear it and close the arm first'
    case 'closed':
      return 'the lane is out of service; open the lane first'
    case 'closing':
      return 'the arm is closing; try again when it is down'
    case 'opening':
    case 'passing':
      return 'the arm is already opened for this vehicle'
    case 'clearing':
      if (!s.vehicle) return 'the arm is about to close; try again when it is down'
      if (s.vehicle.authorised || s.motion || s.arm !== 'open') return 'the arm is moving; try again'
      break
    case 'idle':
    case 'identifying':
    case 'waiting':
      if (!armDown(s, settings)) return 'it is not known where the arm is'
      if (s.wrongWay) return 'a vehicle stands on the wrong side; clear the lane first'
  }
  if (somethingUnknown(s, settings)) return 'a sensor or the arm does not report; repair it first'
  if (s.phase === 'identifying') w.actions.push({ do: 'release', passage: s.vehicle?.no ?? 0 })
  // Nobody was seen: the officer opens for a vehicle that the loops do not see yet.
  if (!s.vehicle) arrive(w, { seen: false })
  s.leaving = false
  authorise(w)
  return null
}

function closeArm(w: Work): Answer {
  const { s, settings } = w
  if (s.phase === 'starting') return 'the lane is starting'
  if (s.phase === 'closing') return null
  if (!safetyFree(s)) return 'something stands under the arm, or a sensor there does not report'
  if (s.phase === 'opening' || s.phase === 'passing') {
    if (s.vehicle?.under) return 'a vehicle is driving through'
    withdraw(w, 'closed by an officer')
    return null
  }
  if (s.phase === 'clearing') return null
  if (s.phase === 'fault') {
    if (s.vehicle?.under) return 'a vehicle is driving through'
    if (s.arm === 'closed') rest(w)
    else close(w)
    return null
  }
  if (s.arm === 'closed') return null
  if (settings.limits) return 'it is not known where the arm is'
  // A vehicle at the stop line waits for an officer from here on.
  if (s.phase === 'identifying' || s.vehicle?.verdict === 'wait') giveUp(w, 'the arm was closed by an officer')
  close(w)
  return null
}

function giveUp(w: Work, why: string): void {
  if (w.s.vehicle) w.actions.push({ do: 'release', passage: w.s.vehicle.no })
  refer(w, why)
  w.s.phase = 'waiting'
}

function decideAgainst(w: Work, verdict: 'refuse' | 'refer', by: string): Answer {
  const { s } = w
  const v = s.vehicle
  if (!v) return 'no vehicle is in the lane'
  const driving = v.authorised && s.phase !== 'waiting'
  if (driving && v.under) return 'the vehicle is already driving through'
  if (driving) withdraw(w, `the authorisation was taken back by ${by}`)
  else if (s.phase === 'identifying') giveUp(w, verdict === 'refer' ? `held by ${by}` : `refused by ${by}`)
  else if (verdict === 'refer' && v.verdict !== 'refer') refer(w, `held by ${by}`)
  if (verdict === 'refuse') change(w, { verdict, by })
  return null
}

function setDirection(w: Work, c: Command): Answer {
  const { s, settings } = w
  if (!c.direction) return 'say which direction'
  if (s.phase !== 'idle' && s.phase !== 'closed') return 'the lane is not empty'
  if (!turnable(s, settings)) return 'the lane is not empty, or the arm is not known to be closed'
  s.direction = c.direction
  s.plan = { ...s.plan, direction: c.direction }
  return null
}
