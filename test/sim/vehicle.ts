/** A truck on its way along a lane: where it is at any time, and when it next crosses something. */
import type { Clock, Timer } from '../../gateway/kernel/clock.ts'
import type { Span } from './geometry.ts'
import { distanceAt, type Motion, plan, speedAt, timeOf } from './motion.ts'
import type { Truck } from './truck.ts'
import type { VehicleTruth } from './truth.ts'

/** coming: to its line or queueing. at-line: stands before the arm and waits for it. halted: stands on the way through. */
export type Stage = 'coming' | 'at-line' | 'through' | 'halted' | 'backing' | 'gone'

export interface VehicleHooks {
  /** It crossed a mark. */
  onMark(vehicle: Vehicle): void
  /** It came to rest at its goal. */
  onRest(vehicle: Vehicle): void
}

const NUDGE = 1e-6

export class Vehicle {
  stage: Stage = 'coming'
  /** Where it will come to rest, front bumper; ±Infinity: it does not. */
  goal: number
  /** Something the driver will do in a moment: bound to one. */
  intent: Timer | null = null
  /** Its sticker was scanned. */
  codeShown = false
  /** The arm was seen not open since the driver stood at the line. */
  sawArmShut = false
  atLineSince = 0
  /** Somebody waved the driver back: leaves the line backwards then. */
  leaveAt: number | null = null
  stopsLeft: readonly { readonly at: number; readonly for_s: number }[]
  readonly truck: Truck
  readonly truth: VehicleTruth
  /** +1: with the lane, -1: against it. */
  readonly heading: 1 | -1
  readonly #clock: Clock
  readonly #marks: readonly number[]
  readonly #hooks: VehicleHooks
  #x: number
  #way: 1 | -1
  #motion: Motion
  #timer: Timer | null = null
  #resting = true

  constructor(options: {
    truck: Truck
    truth: VehicleTruth
    heading: 1 | -1
    x: number
    clock: Clock
    /** Positions of the front bumper at which something changes. */
    marks: readonly number[]
    /** Comes in at the driver's usual speed, not from a standstill. */
    rolling: boolean
    hooks: VehicleHooks
  }) {
    this.truck = options.truck
    this.truth = options.truth
    this.heading = options.heading
    this.#clock = options.clock
    this.#marks = [...options.marks].sort((a, b) => a - b)
    this.#hooks = options.hooks
    this.#x = options.x
    this.goal = options.x
    this.#way = options.heading
    this.stopsLeft = options.truck.habit.stops
    const { profile } = options.truck.habit
    const distance = options.rolling ? Number.POSITIVE_INFINITY : 0
    this.#motion = plan(options.clock.mono(), distance, profile.speed, profile)
  }

  /** The front bumper now, metres after the stop line. */
  get x(): number {
    return this.#x + this.#way * distanceAt(this.#motion, this.#clock.mono())
  }
  get speed(): number {
    return speedAt(this.#motion, this.#clock.mono())
  }
  get tail(): number {
    return this.x - this.heading * this.truck.length
  }
  get resting(): boolean {
    return this.#resting
  }
  /** +1: it moves towards the exit, -1: towards the entry. */
  get way(): 1 | -1 {
    return this.#way
  }

  /** Whether any of `parts` (metres behind the bumper) is over `span` now. */
  over(span: Span, parts: readonly Span[]): boolean {
    const x = this.x + this.#way * NUDGE
    return parts.some(([front, back]) => {
      const [low, high] = this.heading === 1 ? [x - back, x - front] : [x + front, x + back]
      return high > span[0] && low < span[1]
    })
  }

  /** Metres of the vehicle over `span`. */
  overlap(span: Span): number {
    const [low, high] = this.heading === 1 ? [this.tail, this.x] : [this.x, this.tail]
    return Math.max(0, Math.min(high, span[1]) - Math.max(low, span[0]))
  }

  /**
   * Drives on to `goal`; turning round only at rest. A goal behind a moving vehicle means: stop as soon as may be.
   * `behind`: no faster than that one, so as not to run into it.
   */
  head(goal: number, brake?: number, behind?: Vehicle): void {
    const now = this.#clock.mono()
    const speed = speedAt(this.#motion, now)
    this.#x = this.x
    if (speed < 0.01) this.#way = goal >= this.#x ? 1 : -1
    const own = this.truck.habit.profile
    const other = behind?.truck.habit.profile ?? own
    const slower = { speed: Math.min(own.speed, other.speed), accelerate: Math.min(own.accelerate, other.accelerate) }
    const profile = { ...own, ...slower }
    const shortest = (speed * speed) / (2 * (brake ?? profile.brake * 2))
    const distance = Math.max((goal - this.#x) * this.#way, shortest)
    this.goal = distance === Number.POSITIVE_INFINITY ? this.#way * distance : this.#x + this.#way * distance
    this.#motion = plan(now, distance, speed < 0.01 ? 0 : speed, brake === undefined ? profile : { ...profile, brake })
    this.#resting = false
    this.#schedule()
  }

  /** Out of the world. */
  remove(): void {
    this.stage = 'gone'
    this.#timer?.cancel()
    this.intent?.cancel()
    this.#timer = null
    this.intent = null
  }

  #schedule(): void {
    this.#timer?.cancel()
    const now = this.#clock.mono()
    const next = Math.min(this.#nextMark(), this.#motion.end)
    if (next === Number.POSITIVE_INFINITY) {
      this.#timer = null
      return
    }
    // Whole milliseconds, rounded up: the mark is certainly crossed by then.
    this.#timer = this.#clock.after(Math.max(1, Math.ceil(next - now)), () => this.#arrive())
  }

  #arrive(): void {
    const arrived = !this.#resting && this.#clock.mono() >= this.#motion.end
    if (arrived) this.#resting = true
    else this.#schedule()
    this.#hooks.onMark(this)
    if (arrived && this.#resting && this.stage !== 'gone') this.#hooks.onRest(this)
  }

  #nextMark(): number {
    const x = this.x
    const marks = this.#marks
    const beyond = this.#way === 1 ? marks.find((m) => m > x + NUDGE) : marks.findLast((m) => m < x - NUDGE)
    if (beyond === undefined) return Number.POSITIVE_INFINITY
    return timeOf(this.#motion, (beyond - this.#x) * this.#way)
  }
}
