/**
 * From raw inputs to the debounced value of a role. Pure: the shell hands in samples and the time, sets one timer to `dueAt`
 * and calls {@link tick} then. Unknown counts at once; on and off only after they have lasted; a role with several inputs is
 * on when any is on, else unknown when any is unknown, else free.
 */
import type { Tri } from './model.ts'

export interface DebounceTimes {
  /** An input must be on this long to count, ms. */
  readonly onMs: number
  /** An input must be off this long to count, ms. */
  readonly offMs: number
}

/** One input. `raw` since `since` (monotonic ms); `value` is what counts. */
export interface Debounced {
  readonly value: Tri
  readonly raw: Tri
  readonly since: number
}

export const UNREAD: Debounced = Object.freeze({ value: null, raw: null, since: 0 })

/** When the value of this input will change if it stays as it is, monotonic ms; null when it will not. */
export function dueAt(state: Debounced, times: DebounceTimes): number | null {
  if (state.raw === null || state.raw === state.value) return null
  return state.since + (state.raw ? times.onMs : times.offMs)
}

/** Time has come to `at`. */
function settle(state: Debounced, at: number, times: DebounceTimes): Debounced {
  const due = dueAt(state, times)
  return due !== null && at >= due ? Object.freeze({ ...state, value: state.raw }) : state
}

/** A level was read. A sample older than the last counts as of the last: time does not go back. */
export function debounce(state: Debounced, sample: Tri, at: number, times: DebounceTimes): Debounced {
  const now = Math.max(at, state.since)
  // What was due before this sample came in has happened, even if nobody called back in time.
  const before = settle(state, now, times)
  if (sample === null) return before.raw === null ? before : Object.freeze({ value: null, raw: null, since: now })
  if (sample === before.raw) return before
  return settle(Object.freeze({ value: before.value, raw: sample, since: now }), now, times)
}

/** Any on = on, else any unknown = unknown, else free. No input at all is unknown. */
export function merge(values: readonly Tri[]): Tri {
  if (values.includes(true)) return true
  return values.length === 0 || values.includes(null) ? null : false
}

/** The inputs of one role, in the order of the site file. */
export interface RoleState {
  readonly inputs: readonly Debounced[]
  readonly value: Tri
}

export interface RoleStep {
  readonly state: RoleState
  /** True when `state.value` differs from before: tell the lane core. */
  readonly changed: boolean
  /** Call {@link tick} at this monotonic ms; null: no need. Replaces what was said before. */
  readonly dueAt: number | null
}

export function roleInitial(inputs: number): RoleState {
  return Object.freeze({ inputs: Object.freeze(Array.from({ length: inputs }, () => UNREAD)), value: null })
}

function roleStep(before: RoleState, inputs: readonly Debounced[], times: DebounceTimes): RoleStep {
  const value = merge(inputs.map((input) => input.value))
  const due = inputs.map((input) => dueAt(input, times)).filter((at) => at !== null)
  return {
    state: Object.freeze({ inputs: Object.freeze(inputs), value }),
    changed: value !== before.value,
    dueAt: due.length > 0 ? Math.min(...due) : null,
  }
}

/** Input number `index` of the role was read. */
export function sampled(state: RoleState, index: number, sample: Tri, at: number, times: DebounceTimes): RoleStep {
  const inputs = state.inputs.map((input, i) => (i === index ? debounce(input, sample, at, times) : settle(input, at, times)))
  return roleStep(state, inputs, times)
}

/** The time that was asked for has come. */
export function tick(state: RoleState, at: number, times: DebounceTimes): RoleStep {
  const inputs = state.inputs.map((input) => settle(input, at, times))
  return roleStep(state, inputs, times)
}
