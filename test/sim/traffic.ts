/** Who comes when: seeded arrivals per lane, most of them declared before, some with something wrong. */
import type { Clock, Timer } from '../../gateway/kernel/clock.ts'
import type { Declaration, Feed } from './feed.ts'
import { between, chance, exponential, pick, type Rng, rng, weighted, whole } from './random.ts'
import { type Body, frontPlate, HABITS, type Habit, ordinary, shape, stickerOf, type Truck, tagOf, trailerPlate } from './truck.ts'

export type Trouble = 'no-declaration' | 'wrong-lane' | 'expired' | 'detained' | 'swapped-trailer' | 'overweight'
export const TROUBLES: readonly Trouble[] = ['no-declaration', 'wrong-lane', 'expired', 'detained', 'swapped-trailer', 'overweight']

export interface TrafficOptions {
  /** Mean time between two trucks of one lane, seconds. Default 45. */
  readonly every_s?: number
  /** Share of trucks with something wrong, 0…1. Default 0.12. */
  readonly trouble?: number
  /** Share of Chinese trucks. Default 0.35. */
  readonly chinese?: number
  /** Trucks in one lane at most; further ones come later. Default 4. */
  readonly queue?: number
  /** Only in lanes of this direction. */
  readonly direction?: 'import' | 'export' | undefined
  /** No more trucks after this many. */
  readonly passages?: number | undefined
  /** The first truck of each lane stands at the stop line already: short, in order and with a brisk driver, something to see at once. Default false. */
  readonly waiting?: boolean
  /** How often each kind of vehicle comes, where not only small ones go. */
  readonly bodies?: Readonly<Record<Body, number>>
}

/** A lane as traffic sees it. */
export interface LaneFacts {
  readonly id: string
  readonly direction: 'import' | 'export'
  readonly takes: readonly string[]
  readonly scale: boolean
  /** A tag reader stands there, and tags are declared. */
  readonly tag?: boolean
  /** A code scanner stands there, for the stickers of agricultural trucks. */
  readonly code?: boolean
}

/** A truck to be, with what the central system knows of it. */
export interface Arrival {
  readonly truck: Truck
  readonly declaration: Declaration | null
  readonly detained: boolean
  readonly trouble: Trouble | null
  /** Comes into the world standing at the stop line, where the lane is empty. */
  readonly waiting?: boolean
}

const GOODS: Record<string, readonly string[]> = {
  loaded: ['machinery', 'tyres', 'fertiliser', 'steel pipes', 'electronics'],
  agricultural: ['dragon fruit', 'durian', 'bananas', 'lychees', 'cassava'],
  'two-way': ['watermelons', 'onions', 'potatoes'],
  parcel: ['parcels'],
  'border-resident': ['household goods', 'vegetables'],
}
const FIRMS = ['Hoàng Long Logistics', 'Minh Anh Co.', 'Sông Hồng Transport', 'Yungang Freight', 'Kunhe International']
const BODIES: Readonly<Record<Body, number>> = { rigid: 4, semi: 5, drawbar: 1 }
const HOUR = 3_600_000
const iso = (ms: number): string => new Date(Math.round(ms)).toISOString()

/** Makes one truck with its declaration. Everything that varies comes from `r`. */
export function makeArrival(no: number, lane: LaneFacts, now: number, r: Rng, options: TrafficOptions, habit?: Habit): Arrival {
  const traffic = pick(r, lane.takes)
  const small = traffic === 'border-resident' || traffic === 'parcel'
  const body: Body = small ? 'rigid' : weighted(r, options.bodies ?? BODIES)
  const country = chance(r, options.chinese ?? 0.35) ? 'cn' : 'vn'
  const form = shape(body, r)
  const tare = Math.round((body === 'rigid' ? between(r, 5_500, 9_500) : between(r, 13_500, 17_000)) / 20) * 20
  const load = traffic === 'empty' ? between(r, 0, 150) : body === 'rigid' ? between(r, 2_000, 9_000) : between(r, 12_000, 28_000)
  const front = frontPlate(country, r)
  const rear =
    body === 'rigid'
      ? { ...front, lines: front.colour === 'green' || front.colour === 'blue' ? (1 as const) : (2 as const) }
      : trailerPlate(country, r)
  const possible = TROUBLES.filter((t) => (t !== 'swapped-trailer' || body !== 'rigid') && (t !== 'overweight' || lane.scale))
  const trouble = chance(r, options.trouble ?? 0.12) ? pick(r, possible) : null
  const weight = Math.round((tare + load) / 20) * 20
  const sticker = lane.code && traffic === 'agricultural' ? stickerOf(no) : undefined
  const truck: Truck = {
    no,
    body,
    ...form,
    front,
    rear: trouble === 'swapped-trailer' ? trailerPlate(country, r) : rear,
    weight_kg: trouble === 'overweight' ? weight + whole(r, 350, 450) * 20 : weight,
    tare_kg: tare,
    ...(sticker ? { code: sticker } : { tag: tagOf(no) }),
    habit: habit ?? ordinary(r),
  }
  const right: Declaration = {
    id: `SIM-${no}`,
    plate: front.text,
    ...(body === 'rigid' ? {} : { trailer: rear.text }),
    ...(sticker ? { tag: sticker } : lane.tag ? { tag: tagOf(no) } : {}),
    direction: lane.direction,
    traffic,
    ...(traffic === 'empty' ? {} : { goods: pick(r, GOODS[traffic] ?? GOODS.loaded!) }),
    weight_kg: weight,
    tare_kg: tare,
    firm: pick(r, FIRMS),
    ...(traffic === 'agricultural' ? { priority: true } : {}),
    ...(traffic === 'border-resident' ? { resident: `SIM-R-${no}` } : {}),
    valid_from: iso(now - 6 * HOUR),
    valid_to: iso(now + 18 * HOUR),
  }
  return { truck, declaration: spoil(right, trouble, now), detained: trouble === 'detained', trouble }
}

function spoil(right: Declaration, trouble: Trouble | null, now: number): Declaration | null {
  if (trouble === 'no-declaration') return null
  if (trouble === 'wrong-lane') return { ...right, direction: right.direction === 'import' ? 'export' : 'import' }
  if (trouble === 'expired') return { ...right, valid_from: iso(now - 96 * HOUR), valid_to: iso(now - 24 * HOUR) }
  return right
}

/** Tells the central system about an arrival. */
export function announce(feed: Feed, arrival: Arrival): void {
  if (arrival.declaration) feed.declare(arrival.declaration)
  const plate = arrival.truck.front?.text
  if (arrival.detained && plate) feed.list('detained', plate, { key: plate, reason: 'simulated: wanted by customs' })
}

/** Seconds between a declaration and its truck, at least. */
const AHEAD_S = 2
/** Seconds between the first trucks of two lanes. */
const APART_S = 2.5
/** The same where they stand at the line already, and all of them want to be read at once. */
const APART_WAITING_S = 4
/** The first truck of a lane that {@link TrafficOptions.waiting} asks for: nothing wrong with it, and short, metres. */
const IN_ORDER = { trouble: 0, bodies: { rigid: 1, semi: 0, drawbar: 0 } } as const
const SHORT = 6

/** Sends trucks to the lanes until told to stop or enough have come. */
export class Traffic {
  readonly #o: TrafficOptions
  readonly #clock: Clock
  readonly #feed: Feed
  readonly #seed: string | number
  readonly #lanes: readonly LaneFacts[]
  readonly #waiting: (lane: string) => number
  readonly #arrive: (lane: string, arrival: Arrival) => void
  readonly #nextNo: () => number
  readonly #timers = new Map<string, Timer>()
  #sent = 0

  constructor(options: {
    traffic: TrafficOptions
    clock: Clock
    feed: Feed
    seed: string | number
    lanes: readonly LaneFacts[]
    /** Trucks in that lane now. */
    waiting: (lane: string) => number
    arrive: (lane: string, arrival: Arrival) => void
    nextNo: () => number
  }) {
    this.#o = options.traffic
    this.#clock = options.clock
    this.#feed = options.feed
    this.#seed = options.seed
    this.#lanes = options.lanes
    this.#waiting = options.waiting
    this.#arrive = options.arrive
    this.#nextNo = options.nextNo
  }

  start(): void {
    for (const [i, lane] of this.#lanes.entries()) {
      const r = rng(this.#seed, 'traffic', lane.id)
      // The first trucks come soon, one lane after the other, so that there is something to see.
      if (this.#o.waiting && this.#more) this.#first(lane, 0.2 + i * APART_WAITING_S, r)
      else this.#later(lane, 0.2 + i * APART_S + r(), r)
    }
  }

  stop(): void {
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
  }

  #later(lane: LaneFacts, seconds: number, r: Rng): void {
    this.#timers.set(
      lane.id,
      this.#clock.after(Math.round(seconds * 1000), () => this.#next(lane, r)),
    )
  }

  get #more(): boolean {
    return this.#sent < (this.#o.passages ?? Number.POSITIVE_INFINITY)
  }

  /** Declared long ago, as far as the gate knows. */
  #first(lane: LaneFacts, seconds: number, r: Rng): void {
    const arrival = makeArrival(this.#nextNo(), lane, this.#clock.now(), r, { ...this.#o, ...IN_ORDER }, HABITS.brisk)
    const truck: Truck = { ...arrival.truck, length: SHORT, metal: [[0, SHORT]] }
    this.#send(lane, { ...arrival, truck, waiting: true }, seconds, r)
  }

  #next(lane: LaneFacts, r: Rng): void {
    this.#timers.delete(lane.id)
    if (!this.#more) return
    if (this.#waiting(lane.id) >= (this.#o.queue ?? 4)) {
      this.#later(lane, 10, r)
      return
    }
    this.#send(lane, makeArrival(this.#nextNo(), lane, this.#clock.now(), r, this.#o), AHEAD_S, r)
  }

  /** Declares a truck, lets it come `ahead` seconds later, and thinks of the next one. */
  #send(lane: LaneFacts, arrival: Arrival, ahead: number, r: Rng): void {
    this.#sent++
    announce(this.#feed, arrival)
    const mean = this.#o.every_s ?? 45
    const gap = mean * 0.4 + exponential(r, mean * 0.6)
    this.#timers.set(
      lane.id,
      this.#clock.after(ahead * 1000, () => {
        this.#timers.delete(lane.id)
        this.#arrive(lane.id, arrival)
        this.#later(lane, Math.max(0, gap - AHEAD_S), r)
      }),
    )
  }
}
