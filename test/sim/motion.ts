/** Motion in a straight line with piecewise constant acceleration, solved exactly: no ticks. */

interface Phase {
  /** Seconds. */
  readonly duration: number
  /** m/s at its start. */
  readonly v: number
  /** m/s². */
  readonly a: number
  /** Metres gone before it. */
  readonly before: number
}

export interface Motion {
  /** Clock ms at which it begins. */
  readonly start: number
  readonly phases: readonly Phase[]
  /** Metres to the rest; Infinity when it does not come to rest. */
  readonly distance: number
  /** Clock ms at which it is at rest; Infinity when never. */
  readonly end: number
}

export interface Profile {
  /** Top speed, m/s. */
  readonly speed: number
  /** Acceleration and braking, m/s². */
  readonly accelerate: number
  readonly brake: number
}

/** From speed `v` over `distance` metres to rest, within the profile; brakes harder when the way is too short. */
export function plan(start: number, distance: number, v: number, profile: Profile): Motion {
  const { accelerate: a } = profile
  const top = Math.max(profile.speed, v)
  const phases: Phase[] = []
  let gone = 0
  let speed = v
  const add = (duration: number, acceleration: number) => {
    if (duration <= 0) return
    phases.push({ duration, v: speed, a: acceleration, before: gone })
    gone += speed * duration + (acceleration * duration * duration) / 2
    speed += acceleration * duration
  }
  if (distance === Number.POSITIVE_INFINITY) {
    add((top - v) / a, a)
    phases.push({ duration: Number.POSITIVE_INFINITY, v: top, a: 0, before: gone })
    return { start, phases, distance, end: Number.POSITIVE_INFINITY }
  }
  if (distance <= 0) return { start, phases, distance: 0, end: start }
  const stopping = (v * v) / (2 * profile.brake)
  if (stopping >= distance) add((2 * distance) / v, -(v * v) / (2 * distance))
  else {
    const b = profile.brake
    // Top of the triangle that fits, cut off at the top speed.
    const peak = Math.min(top, Math.sqrt((2 * a * b * distance + b * v * v) / (a + b)))
    const up = (peak - v) / a
    const braking = peak / b
    const cruise = (distance - (v + peak) * (up / 2) - (peak * braking) / 2) / peak
    add(up, a)
    add(cruise, 0)
    add(braking, -b)
  }
  return { start, phases, distance, end: start + phases.reduce((sum, p) => sum + p.duration, 0) * 1000 }
}

const phaseAt = (motion: Motion, at: number): readonly [Phase | undefined, number] => {
  let t = Math.max(0, at - motion.start) / 1000
  for (const phase of motion.phases) {
    if (t <= phase.duration) return [phase, t]
    t -= phase.duration
  }
  return [undefined, 0]
}

/** Metres gone at clock ms `at`. */
export function distanceAt(motion: Motion, at: number): number {
  if (at >= motion.end) return motion.distance
  const [p, t] = phaseAt(motion, at)
  return p ? p.before + p.v * t + (p.a * t * t) / 2 : motion.distance
}

/** Speed at clock ms `at`, m/s. */
export function speedAt(motion: Motion, at: number): number {
  if (at >= motion.end) return 0
  const [p, t] = phaseAt(motion, at)
  return p ? Math.max(0, p.v + p.a * t) : 0
}

/** Clock ms at which it has gone `metres`; Infinity when it rests before. */
export function timeOf(motion: Motion, metres: number): number {
  if (metres > motion.distance || metres === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY
  let seconds = 0
  for (const p of motion.phases) {
    const left = metres - p.before
    const whole =
      p.duration === Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : p.v * p.duration + (p.a * p.duration * p.duration) / 2
    if (left <= whole) {
      const root = Math.sqrt(Math.max(0, p.v * p.v + 2 * p.a * left))
      // 2·left / (v + root) instead of (root − v) / a: holds for a = 0 too and loses no digits.
      const t = left <= 0 ? 0 : (2 * left) / (p.v + root)
      return motion.start + (seconds + Math.min(t, p.duration)) * 1000
    }
    seconds += p.duration
  }
  return motion.end
}
