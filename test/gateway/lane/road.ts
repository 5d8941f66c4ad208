/**
 * A little physical model of one lane: vehicles with axles' worth of metal and gaps at the drawbar, loops, a curtain, an arm that takes
 * time, drivers with habits. It drives the lane core by sensor edges and timers and knows the truth, which the core's records must match.
 */
import { type Transition, violations } from '../../../gateway/lane/invariants.ts'
import type { LaneAction, LaneEvent, LaneInput, LaneSettings, LaneTimings, SensorRole, TimerName } from '../../../gateway/lane/model.ts'
import { initial, type LaneState, step } from '../../../gateway/lane/step.ts'

/**
 * honest: stops at the line, drives when the arm is open and the light green. tailgater: follows closely whoever drives, whatever the light.
 * reverser: drives its nose under the open arm, then backs out. refused: the rules refuse it, and it backs out.
 */
export type Habit = 'honest' | 'tailgater' | 'reverser' | 'refused'

export interface Plan {
  readonly habit: Habit
  /** Metal that loops see, m from the front: [from, to]. The curtain sees everything from front to tail. */
  readonly metal: readonly (readonly [number, number])[]
  /** m/s */
  readonly speed: number
  /** Metres to the one ahead, for who follows or queues. */
  readonly distance: number
  /** Seconds it stands with its front this far past the arm, if at all. */
  readonly pause: { readonly at: number; readonly s: number }
  /** Seconds from the pictures to the decision. */
  readonly decision: number
}

/** Metres. The stop line is at 1; the exit loop begins nearer to the presence loop's end than the shortest vehicle is long. */
const LOOPS: Readonly<Record<'approach' | 'presence' | 'exit', readonly [number, number]>> = {
  approach: [0, 1.5],
  presence: [6, 8],
  exit: [10, 12],
}
const LINE = 1
const ARM = 7
const ARM_S = 1.5
const DT = 0.05
const TIMES: LaneTimings = {
  identify: 8,
  authorised: 60,
  'arm-open': 8,
  'arm-close': 8,
  dwell: 1,
  gap: 2.5,
  abandoned: 300,
  turn: 240,
  retry: 1,
}

interface Truck extends Plan {
  x: number
  readonly length: number
  state: 'coming' | 'driving' | 'pausing' | 'reversing' | 'gone'
  paused: number
  authorised: boolean
  passed: boolean
}

export interface Outcome {
  /** Vehicles that drove through the arm, and how many of them had no authorisation. */
  readonly truth: { through: number; unauthorised: number; back: number }
  readonly events: LaneEvent[]
  readonly problems: string[]
  readonly end: LaneState
}

const overlaps = (t: Truck, [a, b]: readonly [number, number]): boolean => t.metal.some(([f, g]) => t.x - f > a && t.x - g < b)
const across = (t: Truck, at: number): boolean => t.x > at && t.x - t.length < at

export class Road {
  readonly #settings: LaneSettings
  readonly #plans: Plan[]
  readonly #trucks: Truck[] = []
  readonly #timers = new Map<TimerName, number>()
  readonly #decisions: { at: number; passage: number; truck: Truck }[] = []
  readonly #events: LaneEvent[] = []
  readonly #problems: string[] = []
  readonly #on: Record<SensorRole, boolean> = { approach: false, presence: false, curtain: false, exit: false }
  readonly #check: ((t: Transition) => string[]) | undefined
  #state: LaneState
  #time = 0
  #quiet = 0
  #arm = 0
  #to = 0
  #position: 'open' | 'closed' | 'moving' = 'closed'

  constructor(settings: LaneSettings, plans: readonly Plan[], check?: (t: Transition) => string[]) {
    this.#settings = settings
    this.#plans = [...plans]
    this.#state = initial(settings)
    this.#check = check
  }

  /** Runs until everybody is gone and the lane is idle, at most `limit` seconds. */
  run(limit = 1_200): Outcome {
    this.#give({ kind: 'start', at: 0, unfinished: false, closed: false, direction: 'import' })
    for (const role of ['approach', 'presence', 'curtain', 'exit'] as const) this.#give({ kind: 'sensor', at: 0, role, value: false })
    this.#give({ kind: 'barrier', at: 0, position: 'closed' })
    while (
      this.#time < limit &&
      !(this.#plans.length === 0 && this.#trucks.length === 0 && this.#state.phase === 'idle' && !this.#state.leaving)
    )
      this.#tick()
    if (this.#time >= limit) this.#problems.push(`not idle after ${limit} s: ${JSON.stringify(this.#state)}`)
    return { truth: this.#truth, events: this.#events, problems: this.#problems, end: this.#state }
  }

  readonly #truth = { through: 0, unauthorised: 0, back: 0 }

  #tick(): void {
    this.#time += DT
    this.#spawn()
    for (const [i, truck] of this.#trucks.entries()) this.#drive(truck, this.#trucks[i - 1])
    this.#leave()
    this.#moveArm()
    this.#sense()
    for (const d of this.#decisions.splice(0)) {
      if (d.at > this.#time) this.#decisions.push(d)
      else this.#give({ kind: 'decision', at: this.#time, passage: d.passage, outcome: d.truck.habit === 'refused' ? 'refuse' : 'pass' })
    }
    for (const [timer, due] of [...this.#timers]) {
      if (due > this.#time || this.#timers.get(timer) !== due) continue
      this.#timers.delete(timer)
      this.#give({ kind: 'timer', at: this.#time, timer })
    }
  }

  #spawn(): void {
    const last = this.#trucks.at(-1)
    const plan = this.#plans[0]
    if (!plan || this.#time < this.#quiet) return
    // Behind somebody who will back out nobody may stand.
    if (last && (last.habit === 'reverser' || last.habit === 'refused')) return
    const x = last ? Math.min(-2, last.x - last.length - plan.distance) : -2
    this.#plans.shift()
    const length = plan.metal.at(-1)?.[1] ?? 0
    this.#trucks.push({ ...plan, x, length, state: 'coming', paused: 0, authorised: false, passed: false })
  }

  #drive(t: Truck, ahead: Truck | undefined): void {
    const way = t.speed * DT
    if (t.state === 'reversing') {
      t.x -= way
      return
    }
    const room = ahead ? ahead.x - ahead.length - t.distance - t.x : Number.POSITIVE_INFINITY
    const free = Math.max(0, Math.min(way, room))
    const mayGo = this.#arm === 1
    if (t.state === 'coming') {
      const follows = t.habit === 'tailgater' && ahead !== undefined && ahead.state !== 'coming'
      const goes = t.x >= LINE - 0.01 && mayGo && (follows || (t.authorised && this.#state.aspect === 'green'))
      if (goes || (follows && t.x < ARM - 1.5)) t.state = 'driving'
      else if (t.habit === 'refused' && t.x >= LINE - 0.01 && this.#state.vehicle?.verdict === 'refuse') t.state = 'reversing'
      else t.x = Math.min(Math.max(t.x, LINE), t.x + free)
      return
    }
    if (t.state === 'pausing') {
      t.paused += DT
      if (t.paused < t.pause.s) return
      t.state = t.habit === 'reverser' ? 'reversing' : 'driving'
      return
    }
    // Nobody drives into an arm that is not up.
    const blocked = !mayGo && t.x <= ARM - 0.3
    t.x += blocked ? Math.max(0, Math.min(free, ARM - 0.3 - t.x)) : free
    if (t.paused === 0 && t.x >= ARM + t.pause.at && (t.pause.s > 0 || t.habit === 'reverser')) t.state = 'pausing'
  }

  #leave(): void {
    for (const t of [...this.#trucks]) {
      if (!t.passed && t.x - t.length > LOOPS.presence[1]) {
        t.passed = true
        this.#truth.through++
        if (!t.authorised) this.#truth.unauthorised++
      }
      if (t.state === 'reversing' && t.x < -1) {
        this.#truth.back++
        // The next driver waits until it is out of the way.
        this.#quiet = this.#time + 4
      } else if (t.x - t.length < LOOPS.exit[1] + 1) continue
      this.#trucks.splice(this.#trucks.indexOf(t), 1)
    }
  }

  #moveArm(): void {
    const d = DT / ARM_S
    this.#arm = this.#to > this.#arm ? Math.min(1, this.#arm + d) : Math.max(this.#to, this.#arm - d)
    const position = this.#arm === 1 ? 'open' : this.#arm === 0 ? 'closed' : 'moving'
    if (this.#arm < 0.7 && this.#trucks.some((t) => across(t, ARM))) this.#problems.push(`arm at ${this.#arm} on a vehicle`)
    if (position === this.#position) return
    this.#position = position
    this.#give({ kind: 'barrier', at: this.#time, position })
  }

  #sense(): void {
    const now: Record<SensorRole, boolean> = {
      approach: this.#trucks.some((t) => overlaps(t, LOOPS.approach)),
      presence: this.#trucks.some((t) => overlaps(t, LOOPS.presence)),
      curtain: this.#trucks.some((t) => across(t, ARM)),
      exit: this.#trucks.some((t) => overlaps(t, LOOPS.exit)),
    }
    // In driving order from the front, so that a vehicle is seen to come before it is seen to have left.
    for (const role of ['exit', 'curtain', 'presence', 'approach'] as const) {
      if (now[role] === this.#on[role]) continue
      this.#on[role] = now[role]
      this.#give({ kind: 'sensor', at: this.#time, role, value: now[role] })
    }
  }

  #give(input: LaneInput): void {
    const [next, actions] = step(this.#state, input, this.#settings)
    const t: Transition = { state: this.#state, input, actions, next, settings: this.#settings }
    this.#problems.push(...violations(t), ...(this.#check?.(t) ?? []))
    this.#state = next
    for (const action of actions) this.#do(action)
  }

  #do(action: LaneAction): void {
    switch (action.do) {
      case 'open':
        this.#to = 1
        // The core opens for the vehicle in front of the arm.
        this.#first().authorised = true
        return
      case 'reopen':
        this.#to = 1
        return
      case 'close':
        if (this.#trucks.some((t) => across(t, ARM))) this.#problems.push('close commanded on a vehicle')
        this.#to = 0
        return
      case 'identify': {
        const truck = this.#first()
        this.#decisions.push({ at: this.#time + truck.decision, passage: action.passage, truck })
        return
      }
      case 'start-timer':
        this.#timers.set(action.timer, this.#time + TIMES[action.timer])
        return
      case 'cancel-timer':
        this.#timers.delete(action.timer)
        return
      case 'record':
        this.#events.push(action.event)
        return
    }
  }

  /** The first vehicle that has not passed yet. */
  #first(): Truck {
    const truck = this.#trucks.find((t) => !t.passed && t.state !== 'reversing')
    if (!truck) throw new Error('the core acts for a vehicle where there is none')
    return truck
  }
}
