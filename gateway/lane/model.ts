/**
 * The words of the lane core: what goes in, what comes out. The core (`step.ts`) is a pure function of these;
 * it imports nothing, holds no clock, and starts no timer itself: time-outs come back to it as inputs.
 */

/** true = occupied/on, false = free/off, null = unknown or stale. */
export type Tri = boolean | null

/**
 * Where a sensor stands, in driving order.
 * approach: loop before the stop line, in front of the cameras. presence: loop under the arm (required).
 * curtain: light curtain or photocell at the arm, which also sees the drawbar between tractor and trailer.
 * exit: loop after the arm.
 */
export type SensorRole = 'approach' | 'presence' | 'curtain' | 'exit'

export type Direction = 'import' | 'export'
export type BarrierPosition = 'open' | 'closed' | 'moving' | 'unknown'
export type Aspect = 'red' | 'green' | 'amber' | 'off'

/** What the rules said. `refer` sends the vehicle to the officer's desk, `redirect` to another lane; only `pass` opens. */
export type Outcome = 'pass' | 'refuse' | 'refer' | 'redirect'

/** An answer to the core. `wait`: the rules let it pass, and it stands here until it is its turn: `pass` follows, or the time-out. */
export type Answer = Outcome | 'wait'

/** One vehicle at the lane. A running number of this boot, from 1; the shell maps it to a passage id. */
export type PassageNo = number

/** The number of the passage that the journal knows as unfinished from before the start. */
export const UNFINISHED: PassageNo = 0

/**
 * starting   after boot, until every sensor and the arm are known; nothing moves
 * idle       no vehicle, arm closed
 * identifying a vehicle stands at the approach; pictures are taken, the decision is awaited
 * waiting    the decision was not `pass`: the vehicle waits for an officer, or for its turn, or backs out
 * opening    authorised; open was commanded, the open limit is awaited
 * passing    arm open; the authorised vehicle drives through
 * clearing   the vehicle is through; safety dwell before the arm may close
 * closing    close was commanded, the closed limit is awaited
 * fault      feedback disagrees with the command, or a sensor is unknown; nothing moves by itself
 * closed     lane taken out of service by a command or the plan
 */
export type Phase = 'starting' | 'idle' | 'identifying' | 'waiting' | 'opening' | 'passing' | 'clearing' | 'closing' | 'fault' | 'closed'

export type TimerName =
  | 'identify' // no decision in time → refer; while starting: devices not known in time → alarm
  | 'turn' // not called in time → refer
  | 'authorised' // the vehicle did not drive in → authorisation lapses, arm closes when clear
  | 'arm-open' // open limit not reached in time → fault
  | 'arm-close' // closed limit not reached in time → fault
  | 'dwell' // safety inputs clear for this long before close
  | 'gap' // not seen this long: the vehicle is through or gone, it is not a tractor–trailer gap
  | 'abandoned' // vehicle stands in the lane too long → alarm
  | 'retry' // after a failed command

export type CommandDo = 'open' | 'close' | 'refuse' | 'hold' | 'close-lane' | 'open-lane' | 'set-direction'

/** Everything that can happen to a lane. `at` is monotonic ms, for stamps in records only: control flow uses timers. */
export type LaneInput =
  /**
   * After boot, once: what the journal knows of the passage that was in the lane, if any (it has the number {@link UNFINISHED}).
   * `opened`: it had an authorisation, so a truck found under the open arm may be accounted to it. `closed`: the lane was out of service.
   */
  | { kind: 'start'; at: number; unfinished: boolean; opened?: boolean; closed: boolean; direction: Direction }
  /** Debounced change of one role (several sensors of a role are merged: any on = on, else any unknown = unknown). */
  | { kind: 'sensor'; at: number; role: SensorRole; value: Tri }
  | { kind: 'barrier'; at: number; position: BarrierPosition }
  /** The rules' answer, already durable in the journal. Ignored unless it is for the present passage and asked for, or its turn awaited. */
  | { kind: 'decision'; at: number; passage: PassageNo; outcome: Answer }
  /** An officer's or the centre's command, already durable; `expired` when its time to live had run out on arrival. */
  | { kind: 'command'; at: number; id: string; do: CommandDo; by: string; expired: boolean; passage?: PassageNo; direction?: Direction }
  | { kind: 'timer'; at: number; timer: TimerName }
  /** An open/close/stop could not be carried out (link down, refused, expired). */
  | { kind: 'failed'; at: number; action: 'open' | 'close' | 'stop'; why: string }
  /** The lane plan changed: in or out of service, direction. Takes effect as soon as the lane is empty and the arm closed. */
  | { kind: 'plan'; at: number; closed: boolean; direction: Direction }

export type AlarmCode =
  | 'tailgating'
  | 'wrong-way'
  | 'stuck-arm'
  | 'forced-arm' // the arm left its place without a command
  | 'abandoned-vehicle'
  | 'sensor-unknown'
  | 'sensor-stuck'
  | 'vehicle-under-arm' // found so at start
  | 'command-failed'
  | 'detained-vehicle'

/** What the core wants recorded; the shell adds plates, decision, weight and evidence and writes the journal. */
export type LaneEvent =
  | { type: 'arrived'; passage: PassageNo }
  /** `unsure`: no sensor proves the direction, it may have backed out (no exit loop, or that loop did not see it). */
  | { type: 'cleared'; passage: PassageNo; unsure?: true }
  | { type: 'refused'; passage: PassageNo; by: string }
  | { type: 'referred'; passage: PassageNo; why: string }
  | { type: 'redirected'; passage: PassageNo }
  /** Left without passing (backed out), or lost over a restart. `through`: it drove through without an authorisation. */
  | { type: 'aborted'; passage: PassageNo; why: string; through?: true }
  | { type: 'opened' } // lane back in service
  | { type: 'closed' } // lane out of service
  | { type: 'fault'; why: string }
  | { type: 'recovered' }
  | { type: 'alarm-raised'; alarm: AlarmCode; passage?: PassageNo }
  | { type: 'alarm-cleared'; alarm: AlarmCode }
  | { type: 'command-accepted'; id: string }
  | { type: 'command-rejected'; id: string; why: string }

/** What the shell must do, in order. */
export type LaneAction =
  /** Only ever the answer to a `pass` decision or an officer's open, or its retry while that authorisation is unused. */
  | { do: 'open'; passage: PassageNo }
  /** Reopening for a vehicle found under a closing arm: safety, not an authorisation. */
  | { do: 'reopen' }
  | { do: 'close' }
  | { do: 'stop' }
  | { do: 'signal'; aspect: Aspect }
  /** Take pictures, find out who it is and ask the rules; answer with `decision`. */
  | { do: 'identify'; passage: PassageNo }
  /** The passage is over, or no longer waits for `decision`: no more pictures for it. May come twice. */
  | { do: 'release'; passage: PassageNo }
  /** Starting a timer that runs starts it anew. */
  | { do: 'start-timer'; timer: TimerName }
  | { do: 'cancel-timer'; timer: TimerName }
  | { do: 'record'; event: LaneEvent }

/** Which sensors are fitted; with fewer the core is more careful, never less safe. */
export interface LaneSettings {
  readonly approach: boolean
  readonly curtain: boolean
  readonly exit: boolean
  /** The barrier has limit switches; without them positions are derived from the arm time by the driver. */
  readonly limits: boolean
  /** Signal shown when idle and open for traffic: green invites to the stop line (two-lamp sites use red). */
  readonly idleAspect: Aspect
}

/** Durations the shell runs for {@link TimerName}s, ms; the core itself never sees them. */
export type LaneTimings = Readonly<Record<TimerName, number>>
