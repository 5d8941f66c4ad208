/** What the core remembers of a lane, and the questions that its rules ask of it. Plain frozen data: it can be written as JSON. */
import type {
  AlarmCode,
  Aspect,
  BarrierPosition,
  Direction,
  LaneAction,
  LaneEvent,
  LaneSettings,
  PassageNo,
  Phase,
  SensorRole,
  TimerName,
  Tri,
} from './model.ts'

/** The vehicle of the present passage. */
export interface Vehicle {
  readonly no: PassageNo
  /** It may drive through: by `pass` or by an officer. Stays true while it does, so that it can be counted as cleared. */
  readonly authorised: boolean
  /** It came under the arm while that was not closed: an authorisation is used up, and presence decides when it is through. */
  readonly under: boolean
  /** Some sensor has seen it. False only for an officer's open with nobody there. */
  readonly seen: boolean
  /**
   * What the loops around the arm say about its way, where an exit loop is fitted. exit: that came on while it was under the arm.
   * maybe: it was on already when the vehicle left the arm, or a sensor was unknown. back: the approach became free after it had left
   * the arm.
   */
  readonly trace: 'exit' | 'maybe' | 'back' | null
  /** The curtain became free after it was under the arm. As the curtain sees drawbars, that was its end. */
  readonly tailSeen: boolean
  /** Where not `pass`: what it waits with; `wait`: for its turn. Null while a decision is awaited or an authorisation is valid. */
  readonly verdict: 'refer' | 'refuse' | 'redirect' | 'wait' | null
  /** Who refused. */
  readonly by: string
  /** An alarm that lasts as long as this vehicle is here. */
  readonly alarm: 'tailgating' | 'vehicle-under-arm' | null
}

export type FaultCode = 'stuck-arm' | 'forced-arm' | 'command-failed'

export interface LaneState {
  readonly phase: Phase
  /** `start` has come in. */
  readonly started: boolean
  /** Starting takes too long: a device does not answer. */
  readonly late: boolean
  /** What the journal left unfinished before the start; settled on leaving `starting`. */
  readonly unfinished: 'none' | 'waiting' | 'opened'
  /** Of the fitted sensors; the others are always free. */
  readonly sensors: Readonly<Record<SensorRole, Tri>>
  readonly arm: BarrierPosition
  /** Where the arm belongs after the last command. */
  readonly want: 'open' | 'closed'
  /** The arm was commanded to `want` and its limit is awaited. */
  readonly motion: boolean
  /** The command failed and is sent again after a pause. */
  readonly paused: boolean
  /** Failures of this motion so far. */
  readonly tries: number
  readonly vehicle: Vehicle | null
  readonly fault: FaultCode | null
  /** A vehicle came from the exit side, or stands at the arm without having come over the approach. */
  readonly wrongWay: boolean
  /** The last vehicle may still be on the exit loop: its trailer is not a vehicle from the wrong side. */
  readonly leaving: boolean
  /** The exit loop did not see the last vehicle that drove through. */
  readonly exitMissed: boolean
  /** The vehicle stands here too long. */
  readonly abandoned: boolean
  readonly direction: Direction
  /** What the plan or a command wants; takes effect when the lane is empty and the arm closed. */
  readonly plan: { readonly closed: boolean; readonly direction: Direction }
  /** Number of the next passage. */
  readonly next: PassageNo
  /** Ids of the last commands, so that a repeated one is refused. */
  readonly recent: readonly string[]
  /** What the signal was last told; null before the first. */
  readonly aspect: Aspect | null
  readonly alarms: readonly AlarmCode[]
  readonly timers: readonly TimerName[]
}

/** How often a command is sent before the lane gives up and goes into fault. */
export const MAX_TRIES = 3
/** How many command ids are remembered. */
export const RECENT_COMMANDS = 16

/** A state in the making. Lives only inside one `step`. */
export type Draft = { -readonly [K in keyof LaneState]: LaneState[K] }

/** One `step` at work: the draft, the settings, and the actions so far. */
export interface Work {
  readonly s: Draft
  readonly settings: LaneSettings
  readonly actions: LaneAction[]
}

/** The lane before anything is known. */
export function initial(settings: LaneSettings): LaneState {
  const unknown = (fitted: boolean): Tri => (fitted ? null : false)
  return freeze({
    phase: 'starting',
    started: false,
    late: false,
    unfinished: 'none',
    sensors: {
      approach: unknown(settings.approach),
      presence: null,
      curtain: unknown(settings.curtain),
      exit: unknown(settings.exit),
    },
    arm: 'unknown',
    want: 'closed',
    motion: false,
    paused: false,
    tries: 0,
    vehicle: null,
    fault: null,
    wrongWay: false,
    leaving: false,
    exitMissed: false,
    abandoned: false,
    direction: 'import',
    plan: { closed: false, direction: 'import' },
    next: 1,
    recent: [],
    aspect: null,
    alarms: [],
    timers: [],
  })
}

/** Freezes a draft and what it holds. */
export function freeze(draft: Draft): LaneState {
  for (const part of [draft.sensors, draft.vehicle, draft.plan, draft.recent, draft.alarms, draft.timers]) Object.freeze(part)
  return Object.freeze(draft)
}

export function isFitted(settings: LaneSettings, role: SensorRole): boolean {
  return role === 'presence' || settings[role]
}

/** Every fitted sensor is known. */
export function sensorsKnown({ sensors: { approach, presence, curtain, exit } }: LaneState): boolean {
  return approach !== null && presence !== null && curtain !== null && exit !== null
}

/** Every sensor under the arm is known to be free: the only condition under which an arm may close. */
export function safetyFree({ sensors }: LaneState): boolean {
  return sensors.presence === false && sensors.curtain === false
}

/** No sensor sees anything, and all are known. */
export function laneEmpty(s: LaneState): boolean {
  return safetyFree(s) && s.sensors.approach === false && s.sensors.exit === false
}

/** The arm is down. Without limit switches an arm that nobody has moved since the start is taken to be down. */
export function armDown(s: LaneState, settings: LaneSettings): boolean {
  return s.arm === 'closed' || (s.arm === 'unknown' && !settings.limits)
}

/** Something about the lane is unknown: no authorisation is given. */
export function somethingUnknown(s: LaneState, settings: LaneSettings): boolean {
  return !sensorsKnown(s) || (s.arm === 'unknown' && settings.limits)
}

/** A vehicle or its authorisation is here, or a sensor sees something in an idle lane. */
export function standing(s: LaneState): boolean {
  return s.vehicle !== null || (s.phase === 'idle' && !laneEmpty(s))
}

/** The direction may change now: nobody is in the lane on either side, all of it is known, and the arm is down. */
export function turnable(s: LaneState, settings: LaneSettings): boolean {
  return s.vehicle === null && (s.phase === 'idle' || s.phase === 'closed') && laneEmpty(s) && armDown(s, settings) && !s.wrongWay
}

/** Rules and settings may be exchanged now: nobody is in the lane and the arm does not move. */
export function reloadable(s: LaneState): boolean {
  return s.vehicle === null && (s.phase === 'idle' || s.phase === 'closed')
}

/** It may pass and waits for its turn. */
export function awaitsTurn({ phase, vehicle }: LaneState): boolean {
  return phase === 'waiting' && vehicle?.verdict === 'wait'
}

/** A sensor at the closed arm sees the vehicle, without doubt: whoever stands there is still the same. */
export function watched({ sensors }: LaneState): boolean {
  return sensors.approach === true || sensors.presence === true
}

export function record(w: Work, event: LaneEvent): void {
  w.actions.push({ do: 'record', event })
}
