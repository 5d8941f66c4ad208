/** The road between the two halves of a smart gate: what has passed one drives to the other, both ways; some of it with a twist. */
import type { Clock, Timer } from '../../gateway/kernel/clock.ts'
import { between, chance, pick, type Rng, rng } from './random.ts'
import type { Arrival } from './traffic.ts'
import { trailerPlate } from './truck.ts'
import type { World, WorldEvent } from './world.ts'

export interface CrossingHalf {
  readonly world: World
  /** Direction in which vehicles leave it for the other one. */
  readonly handsOver: 'import' | 'export'
  /** Direction of each lane. */
  readonly lanes: Readonly<Record<string, { readonly direction: 'import' | 'export' }>>
}

/** Numbers of trucks are those of the world they began in. */
const CAME = 1_000_000

/** What can happen on the way: the vehicle never comes, or comes with another trailer. */
export type Twist = 'lost' | 'swapped-trailer'

export interface CrossingOptions {
  readonly clock: Clock
  readonly seed: string | number
  /** Seconds from one half to the other, at least and at most. Default 20 to 40. */
  readonly way_s?: readonly [number, number]
  /** Share of vehicles to which something happens. Default 0. */
  readonly twists?: number
}

export class Crossing {
  readonly #halves: readonly [CrossingHalf, CrossingHalf]
  readonly #o: CrossingOptions
  readonly #r: Rng
  readonly #timers = new Set<Timer>()
  readonly #off: (() => void)[] = []
  /** Vehicles that left one half, reached the other, and were lost or changed on the way. */
  readonly counts = { left: 0, reached: 0, lost: 0, swapped: 0 }

  constructor(halves: readonly [CrossingHalf, CrossingHalf], options: CrossingOptions) {
    this.#halves = halves
    this.#o = options
    this.#r = rng(options.seed, 'crossing')
  }

  /** Nobody is on the road. */
  get empty(): boolean {
    return this.#timers.size === 0
  }

  start(): void {
    const [a, b] = this.#halves
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const)
      this.#off.push(from.world.onEvent((event) => this.#saw(from, to, event)))
  }

  stop(): void {
    for (const off of this.#off.splice(0)) off()
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
  }

  #saw(from: CrossingHalf, to: CrossingHalf, { what, lane, vehicle, truck }: WorldEvent): void {
    if (what !== 'left' || vehicle.outcome !== 'passed' || from.lanes[lane]?.direction !== from.handsOver) return
    this.counts.left++
    const twist: Twist | null = chance(this.#r, this.#o.twists ?? 0) ? pick(this.#r, ['lost', 'swapped-trailer'] as const) : null
    if (twist === 'lost') {
      this.counts.lost++
      return
    }
    const swap = twist === 'swapped-trailer' && truck.body !== 'rigid' && truck.rear !== null
    if (swap) this.counts.swapped++
    const rear = swap ? trailerPlate(truck.front?.country ?? 'vn', this.#r) : truck.rear
    // Declared to the authority over there as well, under a number of its own.
    const declaration = vehicle.declaration && { ...vehicle.declaration, id: `X-${vehicle.declaration.id}` }
    const arrival: Arrival = { truck: { ...truck, no: CAME + truck.no, rear }, declaration, detained: false, trouble: null }
    if (declaration) to.world.feed.declare(declaration)
    const [least, most] = this.#o.way_s ?? [20, 40]
    const timer = this.#o.clock.after(between(this.#r, least, most) * 1000, () => {
      this.#timers.delete(timer)
      this.counts.reached++
      to.world.send(lane, arrival)
    })
    this.#timers.add(timer)
  }
}
