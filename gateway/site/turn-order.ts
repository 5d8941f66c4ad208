/** Who is called next of those who wait for their turn. Pure. */

export interface Waiter {
  readonly lane: string
  readonly passage: string
  /** It is called before others. */
  readonly first: boolean
  /** When it arrived, monotonic ms. */
  readonly since: number
  /** Vehicles that came later and were called before it. */
  readonly overtaken: number
}

export interface TurnPolicy {
  /** Vehicles that may overtake one that came earlier. */
  readonly overtaken: number
  /** Nobody overtakes a vehicle that has waited longer, ms. */
  readonly waitMs: number
}

/** Earlier first; at the same moment by the name of the lane, so that it is the same always. */
const earlier = (a: Waiter, b: Waiter): number => a.since - b.since || (a.lane < b.lane ? -1 : 1)

/** Nobody who came later goes before it any more. */
export const due = (w: Waiter, policy: TurnPolicy, now: number): boolean =>
  w.overtaken >= policy.overtaken || now - w.since >= policy.waitMs

/**
 * The next one: of those who go first and those whose patience is used up the one that came earliest; where there is none, the earliest
 * of the others. So within one kind the order is that of arrival, and nobody is overtaken more often, or after a longer wait, than the
 * policy allows.
 */
export function nextTurn(waiting: readonly Waiter[], policy: TurnPolicy, now: number): Waiter | null {
  const ahead = waiting.filter((w) => w.first || due(w, policy, now))
  return [...(ahead.length > 0 ? ahead : waiting)].sort(earlier)[0] ?? null
}

/** Those who go on waiting after `called`: who came before it was overtaken once more. */
export function without(waiting: readonly Waiter[], called: Waiter): Waiter[] {
  return waiting.filter((w) => w.passage !== called.passage).map((w) => (w.since < called.since ? { ...w, overtaken: w.overtaken + 1 } : w))
}
