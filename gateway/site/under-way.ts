/** Whether a lane may have somebody on the way into the place that it shares with others. Pure. */
import type { LaneSettings } from '../lane/model.ts'
import { armDown, type LaneState, somethingUnknown } from '../lane/step.ts'

export interface WatchedLane {
  readonly state: LaneState
  readonly settings: LaneSettings
}

/** A vehicle may drive in, stands under the arm, or may do so unseen: through an arm that stands up in a fault, or since before a restart. */
export function mayDriveIn({ state, settings }: WatchedLane): boolean {
  const { phase, vehicle, unfinished } = state
  if (vehicle?.authorised || vehicle?.under) return true
  return phase === 'fault' ? !armDown(state, settings) : phase === 'starting' && unfinished === 'opened'
}

/** Why nothing in this lane will say when that is over, in words that follow the name of the lane; null: it works. */
export function hangs({ state, settings }: WatchedLane): string | null {
  if (state.phase === 'fault') return 'is in fault'
  if (state.phase === 'starting') return 'has just started'
  if (somethingUnknown(state, settings)) return 'does not know its sensors'
  return state.abandoned ? 'has a vehicle that stands under its arm for long' : null
}
