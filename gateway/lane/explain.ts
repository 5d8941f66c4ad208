/** The lane's state in plain words, for the state topic, logs and the officer's page. */
import type { Phase } from './model.ts'
import { type LaneState, safetyFree, sensorsKnown, type Vehicle } from './state.ts'

/** What the lane is doing and what it waits for, as a person would say it. */
export function explain(state: LaneState): { phase: Phase; waitingFor: string } {
  return { phase: state.phase, waitingFor: waitingFor(state) }
}

function waitingFor(s: LaneState): string {
  const v = s.vehicle
  switch (s.phase) {
    case 'starting':
      return `${missing(s)} to report`
    case 'idle':
      if (s.wrongWay) return 'the vehicle on the wrong side to leave'
      if (!sensorsKnown(s)) return `${missing(s)} to report`
      if (s.plan.closed) return 'the lane to be empty, to go out of service'
      return 'a vehicle'
    case 'identifying':
      return 'plates to be read and the rules to decide'
    case 'waiting':
      if (v?.verdict === 'wait') return 'its turn to be called'
      return v ? `an officer, or the vehicle to back out (${verdictWords(v)})` : 'an officer'
    case 'opening':
      return s.paused ? 'the next try to open the arm' : 'the arm to be open'
    case 'passing':
      return v?.under ? 'the vehicle to drive through' : 'the vehicle to drive in'
    case 'clearing':
      return clearing(s)
    case 'closing':
      return s.paused ? 'the next try to close the arm' : 'the arm to be closed'
    case 'fault':
      return `an officer to check the arm (${s.fault}), then close it by command${safetyFree(s) ? '' : ' when nothing is under it'}`
    case 'closed':
      return 'the lane to be opened for traffic'
  }
}

function clearing(s: LaneState): string {
  if (s.paused) return 'the next try to raise the arm'
  if (s.motion) return 'the arm to be open again'
  if (s.sensors.presence === null || s.sensors.curtain === null) return 'a sensor under the arm to report; the arm stays open'
  if (!safetyFree(s)) return 'the vehicle under the arm to leave; the arm stays open'
  if (s.arm !== 'open') return 'the arm to report where it is'
  return s.vehicle?.under ? 'the end of the vehicle' : 'the dwell time, then the arm closes'
}

function missing(s: LaneState): string {
  const roles = Object.entries(s.sensors).flatMap(([role, value]) => (value === null ? [role] : []))
  const names = [
    ...(roles.length > 0 ? [`the sensors ${roles.join(', ')}`] : []),
    ...(s.arm === 'unknown' || s.arm === 'moving' ? ['the arm'] : []),
  ]
  return names.join(' and ') || 'the devices'
}

function verdictWords(v: Vehicle): string {
  if (v.verdict === 'refuse') return `refused by ${v.by}`
  return v.verdict === 'redirect' ? 'sent to another lane' : 'referred'
}
