/** Signal, alarms and timers are functions of the state: worked out anew after every step, and the differences are the actions. */
import type { AlarmCode, Aspect, LaneSettings, TimerName } from './model.ts'
import { armDown, awaitsTurn, type Draft, type LaneState, record, safetyFree, somethingUnknown, standing, type Work } from './state.ts'
import { unseen } from './vehicle.ts'

/** Compares with the state before and appends signal, alarm and timer actions. `over`: the timer that has just run out. */
export function derive(w: Work, before: LaneState, over: TimerName | null): void {
  const { s, settings, actions } = w
  const changed = s.vehicle?.no !== before.vehicle?.no
  if (changed || !standing(s)) s.abandoned = false
  const aspect = aspectOf(s, settings)
  if (aspect !== before.aspect) actions.push({ do: 'signal', aspect })
  s.aspect = aspect
  // An alarm about another vehicle than before is another alarm.
  const again = changed && s.vehicle?.alarm && before.alarms.includes(s.vehicle.alarm) ? s.vehicle.alarm : null
  if (again) record(w, { type: 'alarm-cleared', alarm: again })
  s.alarms = difference(
    again ? before.alarms.filter((alarm) => alarm !== again) : before.alarms,
    alarmsOf(s, settings),
    (alarm, raised) => {
      if (!raised) record(w, { type: 'alarm-cleared', alarm })
      else if (s.vehicle) record(w, { type: 'alarm-raised', alarm, passage: s.vehicle.no })
      else record(w, { type: 'alarm-raised', alarm })
    },
  )
  const timers = timersOf(s)
  s.timers = difference(over ? before.timers.filter((t) => t !== over) : before.timers, timers, (timer, started) =>
    actions.push({ do: started ? 'start-timer' : 'cancel-timer', timer }),
  )
  if (changed && before.timers.includes('abandoned') && timers.includes('abandoned'))
    actions.push({ do: 'start-timer', timer: 'abandoned' })
}

/** Calls `tell` for what is new and what is gone. Returns the list before when it is the same. */
function difference<T>(before: readonly T[], after: readonly T[], tell: (item: T, isNew: boolean) => void): readonly T[] {
  for (const item of before) if (!after.includes(item)) tell(item, false)
  for (const item of after) if (!before.includes(item)) tell(item, true)
  return after
}

/** Green only for the vehicle that may drive in, and no longer than until it does, so that the next one is not invited. */
export function aspectOf(s: Draft | LaneState, settings: LaneSettings): Aspect {
  if (s.phase === 'idle' && armDown(s, settings) && !s.wrongWay && !somethingUnknown(s, settings)) return settings.idleAspect
  const v = s.vehicle
  if (s.phase === 'passing' && v?.authorised && v.alarm === null && (!v.under || !settings.approach)) return 'green'
  return 'red'
}

const NONE: readonly never[] = Object.freeze([])

export function alarmsOf(s: LaneState, settings: LaneSettings): readonly AlarmCode[] {
  const on: AlarmCode[] = []
  if ((s.phase !== 'starting' || s.late) && somethingUnknown(s, settings)) on.push('sensor-unknown')
  if (s.vehicle?.alarm) on.push(s.vehicle.alarm)
  if (s.wrongWay) on.push('wrong-way')
  const stuck = s.abandoned && presenceStuck(s)
  if (s.exitMissed || stuck) on.push('sensor-stuck')
  if (s.abandoned && !stuck) on.push('abandoned-vehicle')
  if (s.fault) on.push(s.fault)
  return on.length === 0 ? NONE : on
}

/** All other sensors say that the vehicle has left through the exit; only the loop under the arm still sees something. */
function presenceStuck({ vehicle, sensors }: LaneState): boolean {
  const gone = vehicle?.under === true && vehicle.tailSeen && vehicle.trace === 'exit'
  return gone && sensors.presence === true && sensors.curtain === false && sensors.exit === false
}

/** Which timers run in this state: none can be forgotten, and none outlives its reason. */
export function timersOf(s: LaneState): readonly TimerName[] {
  const on: TimerName[] = []
  const v = s.vehicle
  if (s.phase === 'identifying' || (s.phase === 'starting' && s.started && !s.late)) on.push('identify')
  if (awaitsTurn(s)) on.push('turn')
  if (v?.authorised && !v.under && (s.phase === 'opening' || s.phase === 'passing')) on.push('authorised')
  if (s.motion && !s.paused) on.push(s.want === 'open' ? 'arm-open' : 'arm-close')
  if (s.paused) on.push('retry')
  if (dwelling(s)) on.push('dwell')
  if (s.phase === 'idle' ? passing(s) : s.phase !== 'opening' && unseen(s)) on.push('gap')
  if (standing(s) && !s.abandoned) on.push('abandoned')
  return on.length === 0 ? NONE : on
}

/** Nobody may drive in, and nothing is under the open arm. */
function dwelling(s: LaneState): boolean {
  return s.phase === 'clearing' && !s.motion && s.arm === 'open' && safetyFree(s) && !s.vehicle?.under
}

/** In an idle lane: the vehicle on the exit side is about to be gone. */
function passing(s: LaneState): boolean {
  return s.sensors.exit === false && (s.wrongWay ? safetyFree(s) : s.leaving)
}
