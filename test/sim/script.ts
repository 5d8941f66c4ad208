/** Plays a scene: brings its trucks, breaks its parts, says when it is over. */
import type { Clock, Timer } from '../../gateway/kernel/clock.ts'
import { breakPart } from './faults.ts'
import type { Declaration, Feed } from './feed.ts'
import { type Rng, rng } from './random.ts'
import type { Scenario, ScenarioTruck } from './scenario.ts'
import type { Site } from './site.ts'
import { type Arrival, announce, type LaneFacts, makeArrival } from './traffic.ts'
import { HABITS, lookOf, shape } from './truck.ts'
import type { VehicleTruth } from './truth.ts'

export interface ScriptHost {
  readonly clock: Clock
  readonly feed: Feed
  readonly seed: string | number
  readonly site: Site
  nextNo(): number
  send(lane: string, arrival: Arrival): VehicleTruth
}

/** Declarations of a scene are sent this long before their trucks. */
const AHEAD_MS = 2_000

export class Script {
  readonly trucks: number
  readonly #scene: Scenario
  readonly #host: ScriptHost
  readonly #over: () => void
  readonly #timers = new Set<Timer>()
  readonly #sent: VehicleTruth[] = []
  #ended = false

  constructor(scene: Scenario, host: ScriptHost, over: () => void) {
    this.#scene = scene
    this.#host = host
    this.#over = over
    this.trucks = scene.trucks.length
    // A lane that does not exist is told before anything moves.
    for (const { lane } of [...scene.trucks, ...scene.faults]) if (lane !== undefined) host.site.laneId(lane)
  }

  start(): void {
    const { trucks, faults, lasts_s } = this.#scene
    for (const [i, truck] of trucks.entries()) this.#bring(truck, rng(this.#host.seed, 'scene', i))
    for (const f of faults) {
      const lanes = f.lane === undefined ? [...this.#host.site.lanes.keys()] : [this.#host.site.laneId(f.lane)]
      const set = (on: boolean) => {
        for (const lane of lanes) breakPart(this.#host.site.breakables.get(lane)!, f.part, f.fault, on)
      }
      this.#at(f.at * 1000, () => set(true))
      if (f.for_s !== undefined) this.#at((f.at + f.for_s) * 1000, () => set(false))
    }
    this.#at(lasts_s * 1000, () => {
      this.#ended = true
      this.check()
    })
  }

  stop(): void {
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
  }

  /** Is every truck gone and the time over? */
  check(): void {
    if (this.#ended && this.#sent.length === this.trucks && this.#sent.every((v) => v.outcome !== 'on-the-way')) this.#over()
  }

  #at(ms: number, fn: () => void): void {
    const timer = this.#host.clock.after(ms, () => {
      this.#timers.delete(timer)
      fn()
    })
    this.#timers.add(timer)
  }

  #bring(spec: ScenarioTruck, r: Rng): void {
    const { site, clock, feed, nextNo, send } = this.#host
    const lane = site.laneId(spec.lane)
    const facts = site.facts.find((f) => f.id === lane)!
    // Trucks that must be known before they come are declared at once when they come in the first seconds.
    this.#at(Math.max(0, spec.at * 1000 - AHEAD_MS), () => {
      const arrival = arrivalOf(spec, nextNo(), facts, clock.now(), r)
      announce(feed, arrival)
      this.#at(Math.min(spec.at * 1000, AHEAD_MS), () => {
        this.#sent.push(send(lane, arrival))
      })
    })
  }
}

/** The truck of a scene with what is declared for it. */
function arrivalOf(spec: ScenarioTruck, no: number, lane: LaneFacts, now: number, r: Rng): Arrival {
  const base = HABITS[spec.habit]
  const habit = { ...base, reverse_after_s: spec.reverse_after_s ?? base.reverse_after_s, stops: spec.stops ?? base.stops }
  const chosen = makeArrival(no, lane, now, r, { trouble: 0 }, habit)
  const body = spec.body ?? (spec.trailer ? 'semi' : chosen.truck.body)
  const form = body === chosen.truck.body ? {} : shape(body, r)
  const front = spec.plate ? lookOf(spec.plate, r) : chosen.truck.front
  const ownRear = front && { ...front, lines: front.colour === 'yellow' ? (2 as const) : (1 as const) }
  const rear = spec.trailer
    ? lookOf(spec.trailer, r)
    : body === 'rigid'
      ? ownRear
      : chosen.truck.body === 'rigid'
        ? null
        : chosen.truck.rear
  const weight_kg = spec.weight_kg ?? chosen.truck.weight_kg
  const { tag: usual, code: sticker, ...untagged } = chosen.truck
  // Who is said to carry a tag, or none, carries no sticker either.
  const [tag, code] = spec.tag === undefined ? [usual, sticker] : [spec.tag, undefined]
  const truck = { ...untagged, ...form, body, front, rear, weight_kg, habit, ...(tag ? { tag } : {}), ...(code ? { code } : {}) }
  return {
    truck,
    declaration: spec.declared === false ? null : declarationOf(spec, chosen.declaration!, truck, now),
    detained: spec.detained,
    trouble: null,
  }
}

function declarationOf(spec: ScenarioTruck, base: Declaration, truck: Arrival['truck'], now: number): Declaration {
  const { trailer: _, tag: known, ...rest } = base
  const over = typeof spec.declared === 'object' ? spec.declared : undefined
  const trailer = over?.trailer === null ? undefined : (over?.trailer ?? (truck.body === 'rigid' ? undefined : truck.rear?.text))
  // Where no reader stands nobody declares tags, unless the scene says so.
  const tag = over?.tag === undefined ? (known === undefined ? undefined : (truck.tag ?? truck.code)) : over.tag
  const day = 86_400_000
  return {
    ...rest,
    plate: over?.plate ?? truck.front?.text ?? rest.plate,
    ...(trailer === undefined ? {} : { trailer }),
    ...(tag ? { tag } : {}),
    direction: over?.direction ?? rest.direction,
    traffic: over?.traffic ?? rest.traffic,
    weight_kg: over?.weight_kg ?? truck.weight_kg,
    channel: over?.channel ?? 'green',
    ...(over?.expired ? { valid_from: new Date(now - 4 * day).toISOString(), valid_to: new Date(now - day).toISOString() } : {}),
  }
}
