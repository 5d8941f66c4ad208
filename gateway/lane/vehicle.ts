/** The vehicle of the present passage: how it comes, is authorised, is followed over the loops, and ends. */
import type { LaneEvent, SensorRole, Tri } from './model.ts'
import { type LaneState, record, type Vehicle, type Work } from './state.ts'

const NEW: Omit<Vehicle, 'no'> = {
  authorised: false,
  under: false,
  seen: true,
  trace: null,
  tailSeen: false,
  verdict: null,
  by: '',
  alarm: null,
}

export function change(w: Work, patch: Partial<Vehicle>): void {
  if (w.s.vehicle) w.s.vehicle = { ...w.s.vehicle, ...patch }
}

/** A new passage begins. There is never more than one: the one before has ended. */
export function arrive(w: Work, patch: Partial<Vehicle> = {}): number {
  const no = w.s.next
  w.s.next = no + 1
  w.s.vehicle = { ...NEW, ...patch, no }
  record(w, { type: 'arrived', passage: no })
  return no
}

/** A passage that began before the start goes on. */
export function resume(w: Work, no: number, patch: Partial<Vehicle>): void {
  w.s.vehicle = { ...NEW, ...patch, no }
}

export function refer(w: Work, why: string): void {
  if (!w.s.vehicle) return
  change(w, { verdict: 'refer' })
  record(w, { type: 'referred', passage: w.s.vehicle.no, why })
}

/** It stands under the arm without an authorisation of its own: it is counted, and the desk is told. */
export function tailgate(w: Work): void {
  arrive(w, { under: true, verdict: 'refer', alarm: 'tailgating' })
  record(w, { type: 'referred', passage: w.s.next - 1, why: 'drove in without an authorisation' })
}

/** No sensor sees the vehicle now: if that lasts for the gap time it is gone. Unknown sensors count as seeing it. */
export function unseen({ vehicle, sensors }: LaneState): boolean {
  if (!vehicle?.seen) return false
  const underFree = sensors.presence === false && sensors.curtain === false
  // Once it was under the arm, what stands on the approach may be the next one.
  return underFree && (vehicle.under || sensors.approach === false)
}

function end(w: Work, event: LaneEvent): void {
  const { vehicle } = w.s
  if (!vehicle) return
  record(w, event)
  w.actions.push({ do: 'release', passage: vehicle.no })
  w.s.vehicle = null
}

/** An authorisation that no vehicle used and for which none is there. */
export function abortUnused(w: Work, why: string): void {
  if (w.s.vehicle) end(w, { type: 'aborted', passage: w.s.vehicle.no, why })
}

function left(w: Work, v: Vehicle, why: string): void {
  if (v.verdict === 'refuse') end(w, { type: 'refused', passage: v.no, by: v.by })
  else if (v.verdict === 'redirect') end(w, { type: 'redirected', passage: v.no })
  else end(w, { type: 'aborted', passage: v.no, why })
}

/**
 * Which way the vehicle that is no longer under the arm has gone. The exit loop is closer to the presence loop than the
 * shortest vehicle is long, so whoever drives through comes onto it before leaving the other; whoever backs out is still on the approach.
 */
function way(w: Work, v: Vehicle): 'through' | 'back' | 'unsure' {
  const { approach, exit } = w.s.sensors
  const { settings } = w
  const mayStandBefore = settings.approach && approach !== false
  if (!settings.exit) return settings.approach && !mayStandBefore ? 'through' : 'unsure'
  if (v.trace === 'exit') return 'through'
  if (v.trace === 'maybe' || exit !== false) return mayStandBefore ? 'unsure' : 'through'
  return !settings.approach || mayStandBefore || v.trace === 'back' ? 'back' : 'unsure'
}

/** Notes what a change of a sensor says about the way of the vehicle under the arm. `wasFree`: nothing was under the arm before. */
export function trace(w: Work, role: SensorRole, was: Tri, wasFree: boolean): void {
  const { sensors, vehicle: v } = w.s
  if (!v?.under) return
  if (role === 'curtain' && sensors.curtain === false) change(w, { tailSeen: true })
  if (!w.settings.exit || v.trace === 'exit') return
  const free = sensors.presence === false && sensors.curtain === false
  // An exit loop that was on or unknown before may still be under the vehicle ahead.
  if (role === 'exit' && sensors.exit === true && was === false) change(w, { trace: 'exit' })
  // Nobody saw which way it went while a sensor was unknown, and in which order they come back says nothing.
  else if (sensors[role] === null && role !== 'approach') change(w, { trace: 'maybe' })
  else if (free && !wasFree) change(w, { trace: sensors.exit === false && was !== null ? null : 'maybe' })
  else if (!free && wasFree && v.trace === 'back') change(w, { trace: null })
  else if (free && role === 'approach' && was === true && sensors.approach === false && v.trace === null) change(w, { trace: 'back' })
}

/** The vehicle is gone: says how, once. */
export function resolve(w: Work): void {
  const v = w.s.vehicle
  if (!v) return
  if (!v.under) {
    left(w, v, v.authorised ? 'left before it drove in' : 'left the lane')
    return
  }
  const went = way(w, v)
  if (went === 'back') {
    left(w, v, 'backed out')
    return
  }
  if (w.settings.exit && v.trace === null && w.s.sensors.exit === false) w.s.exitMissed = true
  if (!v.authorised) {
    end(w, { type: 'aborted', passage: v.no, why: 'drove through without an authorisation', through: true })
    return
  }
  end(w, { type: 'cleared', passage: v.no, ...(went === 'unsure' ? { unsure: true as const } : {}) })
}

/** The curtain saw the end of one vehicle, and there is another under the arm: the first is through, the second came in behind it. */
export function secondVehicle(s: LaneState, exitFitted: boolean): boolean {
  const { vehicle: v, sensors } = s
  if (!v?.under || !v.tailSeen || sensors.presence !== true || sensors.curtain !== true) return false
  // In doubt it is a second one: a false alarm costs less than a vehicle that nobody counts.
  return !exitFitted || v.trace === 'exit' || v.trace === 'maybe' || sensors.exit === true
}

/** Ends the first of two vehicles under the arm, which the second followed: it can only have driven through. */
export function pushedThrough(w: Work): void {
  const v = w.s.vehicle
  if (!v) return
  if (v.authorised) end(w, { type: 'cleared', passage: v.no })
  else end(w, { type: 'aborted', passage: v.no, why: 'drove through without an authorisation', through: true })
}
