/** One lane of the simulated world: trucks in a row, drivers who look at the arm and the lamp, loops that see metal. */
import type { SimArm, SimDevice } from '../../firmware-bridge/sim.ts'
import type { Clock, Timer } from '../../gateway/kernel/clock.ts'
import type { Contact } from './contact.ts'
import type { Geometry, Span } from './geometry.ts'
import type { Truck } from './truck.ts'
import type { Disaster, TruthLog, VehicleTruth } from './truth.ts'
import { Vehicle } from './vehicle.ts'

export const ROLES = ['approach', 'presence', 'curtain', 'exit'] as const
export type Role = (typeof ROLES)[number]

/** The simulated devices of a lane, as the world's side sees them. */
export interface LaneEnds {
  readonly sensors: Readonly<Record<Role, readonly Contact[]>>
  readonly arm: SimArm
  readonly light: NonNullable<SimDevice['light']> | null
  readonly scale: NonNullable<SimDevice['scale']> | null
  readonly tag: NonNullable<SimDevice['tag']> | null
  readonly code: NonNullable<SimDevice['code']> | null
}

export type LaneHappening = 'arrives' | 'stops' | 'drives' | 'left' | 'backs-out' | 'disaster'
export type LaneListener = (what: LaneHappening, vehicle: Vehicle, disaster?: Disaster) => void

/** An arm above this is out of a truck's way. */
const CLEAR = 0.8
/** Metres: positions are never exact. */
const TINY = 1e-3
/** Metres between a standing truck and the next. */
const SPACING = 2
/** Drivers who saw no arm come down wait this long before they believe that an open one is meant for them. */
const DOUBT_MS = 20_000

export class LaneSim {
  readonly id: string
  readonly ends: LaneEnds
  readonly geometry: Geometry
  readonly #clock: Clock
  readonly #truth: TruthLog
  readonly #listen: LaneListener
  readonly #onMove: () => void
  readonly #vehicles: Vehicle[] = []
  readonly #on = new Map<Role, boolean>()
  #offArm: (() => void) | null = null
  #watch: Timer | null = null
  #weigh: Timer | null = null
  #lastOpening = 0

  constructor(options: {
    id: string
    ends: LaneEnds
    geometry: Geometry
    clock: Clock
    truth: TruthLog
    listen: LaneListener
    onMove?: () => void
  }) {
    this.id = options.id
    this.ends = options.ends
    this.geometry = options.geometry
    this.#clock = options.clock
    this.#truth = options.truth
    this.#listen = options.listen
    this.#onMove = options.onMove ?? (() => {})
  }

  /** Trucks in the lane, first the one nearest to the exit. */
  get vehicles(): readonly Vehicle[] {
    return this.#vehicles
  }

  start(): void {
    this.#lastOpening = this.ends.arm.opening
    this.#offArm = this.ends.arm.onMove(() => this.#armMoved())
    for (const role of ROLES) for (const contact of this.ends.sensors[role]) contact.set(false)
    this.ends.scale?.setLoad(0)
  }

  stop(): void {
    this.#offArm?.()
    this.#offArm = null
    this.#watch?.cancel()
    this.#watch = null
    this.#weigh?.cancel()
    this.#weigh = null
    for (const v of this.#vehicles) v.remove()
    this.#vehicles.length = 0
  }

  /**
   * Brings a truck into the world at the lane's entry, or at its exit when it comes the wrong way; one that is `waiting` stands at the stop
   * line, where the lane is empty.
   */
  add(truck: Truck, truth: VehicleTruth, waiting = false): Vehicle {
    const g = this.geometry
    const against = truck.habit.wrong_way === true
    const last = this.#vehicles.findLast((v) => v.heading === 1)
    const standing = waiting && !against && !last
    const x = against ? g.gone + 20 : last ? Math.min(g.entry, last.tail - 6 * SPACING) : standing ? 0 : g.firstEntry
    const vehicle = new Vehicle({
      truck,
      truth,
      heading: against ? -1 : 1,
      x,
      clock: this.#clock,
      marks: this.#marks(truck, against),
      rolling: !standing,
      hooks: { onMark: (v) => this.#mark(v), onRest: (v) => this.#rest(v) },
    })
    this.#vehicles.push(vehicle)
    this.#truth.arrived(truth)
    this.#listen('arrives', vehicle)
    vehicle.head(against ? g.arm + 2 : this.#farthest(vehicle))
    return vehicle
  }

  /** Somebody waves: the truck at the stop line, or about to be, shall leave the lane backwards. False when there is none. */
  sendBack(after_s: number): boolean {
    const v =
      this.#vehicles.find((one) => one.stage === 'at-line') ??
      this.#vehicles.find((one) => one.stage === 'coming' && one.heading === 1 && one.x >= this.geometry.approach[0])
    if (!v) return false
    v.leaveAt ??= this.#clock.mono() + after_s * 1000
    // One that still rolls to the line does it when it stands there.
    if (v.stage === 'at-line') this.#stand(v)
    return true
  }

  /** Positions of the bumper at which a sensor, the arm, the scale or a camera sees a change. */
  #marks(truck: Truck, against: boolean): number[] {
    const g = this.geometry
    const whole: Span = [0, truck.length]
    const of = (span: Span, parts: readonly Span[]): number[] =>
      parts.flatMap(([front, back]) => (against ? [span[0] - back, span[1] - front] : [span[0] + front, span[1] + back]))
    return [
      ...of(g.approach, truck.metal),
      ...of(g.presence, truck.metal),
      ...of(g.exit, truck.metal),
      ...of([g.curtain, g.curtain], [whole]),
      ...of([g.arm, g.arm], [whole]),
      ...(this.ends.scale ? of(g.scale, [whole]).concat(g.scale[0] + truck.length, g.scale[1]) : []),
      ...g.frontView,
      ...(this.ends.tag || this.ends.code ? g.tagView : []),
      ...g.rearView,
      g.gone + truck.length,
      ...(against ? [g.gone + 20] : []),
    ]
  }

  #mark(v: Vehicle): void {
    const g = this.geometry
    const now = Math.round(this.#clock.mono())
    if (v.heading === 1) {
      if (v.truth.enteredAt === null && v.x >= g.arm - TINY) {
        v.truth.enteredAt = now
        if (this.ends.arm.opening < CLEAR) this.#disaster('drove-through-arm', v)
        this.#listen('drives', v)
      }
      if (v.truth.throughAt === null && v.tail >= g.arm - TINY) v.truth.throughAt = now
      if (v.tail >= g.gone - TINY) {
        this.#leave(v, 'passed')
        return
      }
    }
    this.sense()
    this.#onMove()
    this.#guardArm()
    for (const other of this.#vehicles) if (other !== v) this.#reconsider(other)
  }

  #rest(v: Vehicle): void {
    const g = this.geometry
    const [stop] = v.stopsLeft
    if (v.stage === 'backing') this.#leave(v, v.heading === 1 ? 'backed-out' : 'wrong-way')
    else if (v.heading === -1) this.#soon(v, 15, () => this.#backOut(v))
    else if (v.stage === 'through' && stop && Math.abs(v.x - stop.at) < 0.5) {
      v.stage = 'halted'
      v.stopsLeft = v.stopsLeft.slice(1)
      this.#soon(v, stop.for_s, () => this.#drive(v))
    } else if ((v.stage === 'through' && v.x < g.arm) || (v.stage === 'coming' && v.x > -0.5)) {
      v.stage = 'at-line'
      v.sawArmShut = false
      v.atLineSince = this.#clock.mono()
      if (v.truth.stoppedAt === null) {
        v.truth.stoppedAt = Math.round(this.#clock.mono())
        this.#listen('stops', v)
      }
      this.#stand(v)
    } else if (v.stage === 'coming') this.#reconsider(v)
  }

  /** What a driver at the line does while nothing changes. */
  #stand(v: Vehicle): void {
    const { reverse_after_s, patience_s } = v.truck.habit
    if (this.ends.arm.opening < 1) v.sawArmShut = true
    if (v.leaveAt === null && this.#mayGo(v)) {
      this.#soon(v, v.truck.habit.reaction_s, () => (this.#mayGo(v) ? this.#drive(v) : this.#stand(v)))
      return
    }
    const left = (v.leaveAt ?? v.atLineSince + (reverse_after_s ?? patience_s) * 1000) - this.#clock.mono()
    if (left <= 0) {
      this.#backOut(v)
      return
    }
    // The arm's moves are told (#armMoved); a lamp has to be looked at.
    const look = this.ends.arm.opening === 1 ? 0.25 : Number.POSITIVE_INFINITY
    this.#soon(v, Math.min(look, left / 1000), () => this.#stand(v))
  }

  /** The arm is fully open, the lamp (where there is one) is green, the way is free, and it is meant for this driver. */
  #mayGo(v: Vehicle): boolean {
    if (this.ends.arm.opening < 1) return false
    if (this.ends.light && this.ends.light.aspect() !== 'green') return false
    const ahead = this.#ahead(v)
    if (ahead && ahead.tail < this.geometry.arm + 1) return false
    return v.sawArmShut || this.#clock.mono() - v.atLineSince >= DOUBT_MS
  }

  #drive(v: Vehicle): void {
    v.stage = 'through'
    v.head(this.#farthest(v))
    for (const other of this.#vehicles) if (other !== v) this.#reconsider(other)
  }

  #backOut(v: Vehicle): void {
    v.intent?.cancel()
    v.intent = null
    v.stage = 'backing'
    this.#listen('backs-out', v)
    v.head(v.heading === 1 ? this.geometry.approach[0] - 2.5 : this.geometry.gone + 20)
  }

  #leave(v: Vehicle, outcome: 'passed' | 'backed-out' | 'wrong-way'): void {
    this.#vehicles.splice(this.#vehicles.indexOf(v), 1)
    v.remove()
    this.#truth.gone(v.truth, outcome, Math.round(this.#clock.mono()))
    this.sense()
    this.#listen('left', v)
    for (const other of this.#vehicles) this.#reconsider(other)
  }

  #ahead(v: Vehicle): Vehicle | undefined {
    const i = this.#vehicles.indexOf(v)
    return this.#vehicles.slice(0, i).findLast((other) => other.heading === 1)
  }

  /** How far this driver will go now. */
  #farthest(v: Vehicle): number {
    const g = this.geometry
    const ahead = this.#ahead(v)
    const room = ahead ? ahead.goal - ahead.truck.length - SPACING : Number.POSITIVE_INFINITY
    if (v.stage === 'through') return Math.min(room, v.stopsLeft[0]?.at ?? Number.POSITIVE_INFINITY)
    if (v.truck.habit.tailgate && ahead) return room
    const line = ahead && ahead.tail < g.arm + 1 ? g.waitingLine : 0
    return Math.min(room, line)
  }

  /** A driver on the way sees that more or less room is free than before. */
  #reconsider(v: Vehicle): void {
    if (v.heading === -1 || v.intent !== null || (v.stage !== 'coming' && v.stage !== 'through')) return
    const shut = v.truck.habit.tailgate === true && this.ends.arm.opening < CLEAR && v.x < this.geometry.arm
    const goal = shut ? Math.min(this.#farthest(v), Math.max(v.x, this.geometry.arm - 1.5)) : this.#farthest(v)
    if (goal === v.goal || Math.abs(goal - v.goal) < 0.05) return
    // A goal that comes nearer is seen at once; setting off takes a moment.
    if (goal < v.goal) this.#head(v, goal)
    else this.#soon(v, v.truck.habit.reaction_s, () => this.#head(v, this.#farthest(v)))
  }

  #head(v: Vehicle, goal: number): void {
    if (v.truck.habit.tailgate && goal > 0) v.stage = 'through'
    // Nobody drives backwards because the one in front stands a little nearer than thought.
    v.head(Math.max(goal, v.x), undefined, v.truck.habit.tailgate ? this.#ahead(v) : undefined)
  }

  /** One intention at a time; a new one replaces the old. */
  #soon(v: Vehicle, seconds: number, fn: () => void): void {
    v.intent?.cancel()
    v.intent = this.#clock.after(Math.max(0, seconds) * 1000, () => {
      v.intent = null
      if (v.stage !== 'gone') fn()
    })
  }

  #armMoved(): void {
    for (const v of [...this.#vehicles]) if (v.stage === 'at-line') this.#stand(v)
    this.#guardArm(true)
  }

  /** Does the arm come down, and on whom? Looks again while it moves and somebody is near; `moved`: it has just begun or ended to. */
  #guardArm(moved = false): void {
    const { opening } = this.ends.arm
    const falling = opening < this.#lastOpening
    this.#lastOpening = opening
    const near = this.#vehicles.filter((v) => v.heading === 1 && v.x > 0 && v.tail < this.geometry.arm)
    if (falling) for (const v of near) this.#underFallingArm(v, opening)
    this.#watch?.cancel()
    const moves = moved || (opening > 0 && opening < 1)
    this.#watch = moves && near.length > 0 ? this.#clock.after(50, () => this.#guardArm()) : null
  }

  #underFallingArm(v: Vehicle, opening: number): void {
    const room = this.geometry.arm - 0.5 - v.x
    if (v.x >= this.geometry.arm) {
      if (opening < CLEAR) this.#disaster('arm-on-vehicle', v)
    } else if (v.stage === 'through' && v.goal > this.geometry.arm && room > (v.speed * v.speed) / 10) v.head(v.x + room, 5)
  }

  #disaster(kind: Disaster['kind'], v: Vehicle): void {
    if (this.#truth.disasters.some((d) => d.vehicle === v.truck.no && d.kind === kind)) return
    const disaster: Disaster = { at: Math.round(this.#clock.mono()), lane: this.id, kind, vehicle: v.truck.no }
    this.#truth.disaster(disaster)
    this.#listen('disaster', v, disaster)
  }

  /** Before the antenna and the scanner, which stand side by side. */
  #inView(v: Vehicle): boolean {
    const [from, to] = this.geometry.tagView
    return v.heading === 1 && v.x >= from - TINY && v.x <= to + TINY
  }

  /** A sticker is scanned once, as its truck comes into view. */
  #scan(): void {
    for (const v of this.#vehicles) {
      if (v.truck.code === undefined || v.codeShown || !this.#inView(v)) continue
      v.codeShown = true
      this.ends.code?.scan(v.truck.code)
    }
  }

  /** Puts on the terminals what the loops see now. */
  sense(): void {
    const g = this.geometry
    for (const role of ROLES) {
      const on = this.#vehicles.some((v) =>
        role === 'curtain' ? v.over([g.curtain, g.curtain], [[0, v.truck.length]]) : v.over(g[role], v.truck.metal),
      )
      if (this.#on.get(role) === on) continue
      this.#on.set(role, on)
      for (const contact of this.ends.sensors[role]) contact.set(on)
    }
    this.ends.tag?.place(this.#vehicles.flatMap((v) => (v.truck.tag !== undefined && this.#inView(v) ? [v.truck.tag] : [])))
    this.#scan()
    if (this.ends.scale) {
      const load = this.#vehicles.reduce((kg, v) => kg + v.truck.weight_kg * (v.overlap(g.scale) / v.truck.length), 0)
      this.ends.scale.setLoad(Math.round(load / 20) * 20)
      // A truck that rolls over the edge of the platform loads it more and more, not in steps.
      const rolls = this.#vehicles.some((v) => !v.resting && v.overlap(g.scale) > 0 && v.overlap(g.scale) < v.truck.length)
      this.#weigh?.cancel()
      this.#weigh = rolls ? this.#clock.after(200, () => this.sense()) : null
    }
  }
}
