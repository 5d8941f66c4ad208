/** Who is inside: vehicles that came over and have not gone back, how long they have been here, and who is over the limit. */
import { type Crossing, crossed, vehicleOf } from './crossing.ts'

const HOUR = 3_600_000

/** The site's policy, from its file. */
export interface StayPolicy {
  /** Country of this side of the gate: its vehicles go home when they come in. */
  readonly home: 'vn' | 'cn'
  /** visitors: only vehicles of the other country count as inside; all: every vehicle that came in. */
  readonly counts: 'visitors' | 'all'
  /** How long a vehicle on a two-way trip, an empty one, and any other may stay, hours. */
  readonly two_way_h: number
  readonly empty_h: number
  readonly other_h: number
  /** More empty vehicles inside than this are a backlog. */
  readonly empties: number
}

/** A vehicle inside. Times are wall-clock ms. */
export interface Inside {
  readonly vehicle: string
  /** The passage that it came in by. */
  readonly passage: string
  readonly since: number
  readonly traffic: string
  readonly two_way: boolean
  readonly firm: string
}

export interface Stay extends Inside {
  readonly hours: number
  readonly limit_h: number
  readonly over: boolean
}

/** Import is into Vietnam: the direction in which one comes to this side. */
export const inward = (home: StayPolicy['home']): 'import' | 'export' => (home === 'vn' ? 'import' : 'export')

/** Chinese plates begin with the character of a province. */
export const countryOf = (plate: string): 'vn' | 'cn' => (/^\p{Script=Han}/u.test(plate) ? 'cn' : 'vn')

/** The direction in which a vehicle with this plate goes home. */
export const homeward = (plate: string): 'import' | 'export' => (countryOf(plate) === 'vn' ? 'import' : 'export')

/** Everything that came over and has not gone back, whoever it belongs to: a fold over crossings in the order in which they ended. */
export class InsideBook {
  readonly #inward: 'import' | 'export'
  readonly #inside = new Map<string, Inside>()

  constructor(home: StayPolicy['home']) {
    this.#inward = inward(home)
  }

  /** What ended before is known already; only a vehicle that drove through changes anything. */
  add(c: Crossing): void {
    const vehicle = vehicleOf(c)
    if (vehicle === null || !crossed(c)) return
    this.#inside.delete(vehicle)
    if (c.direction !== this.#inward) return
    this.#inside.set(vehicle, {
      vehicle,
      passage: c.id,
      since: c.endedAt!,
      traffic: c.load?.traffic ?? '',
      two_way: c.load?.traffic === 'two-way' || Boolean(c.load?.two_way),
      firm: c.load?.firm || c.load?.firm_id || '',
    })
  }

  get(vehicle: string): Inside | undefined {
    return this.#inside.get(vehicle)
  }

  all(): Iterable<Inside> {
    return this.#inside.values()
  }
}

export function limitOf(i: Pick<Inside, 'traffic' | 'two_way'>, policy: StayPolicy): number {
  if (i.two_way) return policy.two_way_h
  return i.traffic === 'empty' ? policy.empty_h : policy.other_h
}

/** How long it has been here, and whether that is longer than it may. */
export function stayOf(i: Inside, policy: StayPolicy, now: number): Stay {
  const limit_h = limitOf(i, policy)
  const hours = Math.max(0, now - i.since) / HOUR
  return { ...i, hours, limit_h, over: hours > limit_h }
}

export interface StayFigures {
  /** Vehicles inside, those on two-way trips, and empty ones. */
  readonly inside: number
  readonly two_way: number
  readonly empties: number
  /** How long the empty one has stood that came first, hours; null: none. */
  readonly oldest_empty_h: number | null
  /** More empties than the policy allows. */
  readonly backlog: boolean
  /** Who is over the limit, longest first. */
  readonly over: readonly Stay[]
}

const counted = (i: Inside, policy: StayPolicy): boolean => policy.counts === 'all' || countryOf(i.vehicle) !== policy.home

/** All that counts as inside at `now`, longest first. */
export function staysAt(book: InsideBook, policy: StayPolicy, now: number): Stay[] {
  return [...book.all()]
    .filter((i) => counted(i, policy))
    .map((i) => stayOf(i, policy, now))
    .sort((a, b) => a.since - b.since || (a.vehicle < b.vehicle ? -1 : 1))
}

export function stayFigures(stays: readonly Stay[], policy: StayPolicy): StayFigures {
  const empties = stays.filter((s) => s.traffic === 'empty')
  return {
    inside: stays.length,
    two_way: stays.filter((s) => s.two_way).length,
    empties: empties.length,
    oldest_empty_h: empties[0]?.hours ?? null,
    backlog: empties.length > policy.empties,
    over: stays.filter((s) => s.over),
  }
}

/** The stay of one vehicle when it stands at a lane that leads back; null: it is not known to have come in. */
export function stayOfVehicle(book: InsideBook, vehicle: string, policy: StayPolicy, now: number): Stay | null {
  const inside = book.get(vehicle)
  return inside && counted(inside, policy) ? stayOf(inside, policy, now) : null
}
