/** A whole day at a gate, seeded: who comes when, what was declared, who goes back, and what is wrong with some. */
import type { Declaration } from './feed.ts'
import { between, type Rng, rng } from './random.ts'
import { type Arrival, type LaneFacts, makeArrival } from './traffic.ts'

/** Trucks of each kind in a day. `two_way` and `returning` come in by import and go back by export later. */
export interface DayCounts {
  readonly fresh: number
  readonly loaded: number
  /** Loaded ones of the other side that go back empty. */
  readonly returning: number
  readonly two_way: number
  readonly residents: number
  readonly loaded_out: number
}

/** Kim Thành: 500 in, of them 150 with fresh fruit, and 500 out, of them 200 empty. */
export const KIM_THANH: DayCounts = { fresh: 150, loaded: 30, returning: 200, two_way: 60, residents: 60, loaded_out: 240 }
/** Hữu Nghị in 2027, our half: 2,500 passages. */
export const HUU_NGHI: DayCounts = { fresh: 375, loaded: 75, returning: 500, two_way: 150, residents: 150, loaded_out: 600 }

export interface DayPlan {
  readonly counts: DayCounts
  readonly seed: string | number
  /** Share of the day's trucks that come, in the same share of its time. 1: the whole day. */
  readonly scale: number
}

type Kind = keyof DayCounts

/** A truck on its way to a lane. */
export interface Trip {
  readonly kind: Kind
  readonly lane: string
  /** Seconds after the opening. */
  readonly at: number
  /** Seconds after it went through until it stands at the way back; absent: it does not come back. */
  readonly back_after?: number
  readonly r: Rng
}

const LANE: Readonly<Record<Kind, string>> = {
  fresh: 'import-2',
  loaded: 'import-1',
  returning: 'import-1',
  two_way: 'import-3',
  residents: 'import-3',
  loaded_out: 'export-1',
}
/** How busy each of the twelve hours is: peaks at the opening and after noon. */
const HOURS = [3, 3, 2, 1.5, 1, 1, 2.5, 2.5, 1.5, 1, 0.7, 0.3]
/** Vehicles that go back come early enough to. */
const EARLY = 7
/** 3 % of each of the six troubles. */
const TROUBLE = 0.18

function hourOf(r: Rng, hours: readonly number[]): number {
  let left = r() * hours.reduce((a, b) => a + b, 0)
  for (const [hour, weight] of hours.entries()) {
    if (left < weight) return hour + left / weight
    left -= weight
  }
  return hours.length - 1e-6
}

/** Every truck's first trip, in the order of arrival. */
export function dayTrips({ counts, seed, scale }: DayPlan): Trip[] {
  const trips = (Object.keys(counts) as Kind[]).flatMap((kind) =>
    Array.from({ length: Math.round(counts[kind] * scale) }, (_, i): Trip => {
      const r = rng(seed, 'day', kind, i)
      const returns = kind === 'returning' || kind === 'two_way'
      const at = hourOf(r, returns ? HOURS.slice(0, EARLY) : HOURS) * 3_600 * scale
      return { kind, lane: LANE[kind], at, r, ...(returns ? { back_after: between(r, 1, 4) * 3_600 * scale } : {}) }
    }),
  )
  return trips.sort((a, b) => a.at - b.at)
}

/** List entries without which fresh fruit does not pass. */
export const DAY_LISTS: readonly (readonly [list: string, key: string])[] = [
  ['protocol-goods', 'apple'],
  ['growing-area', 'CN-YNOR-0001'],
  ['packing-house', 'CN-YNPH-0001'],
]
const CODES = { growing_area: 'CN-YNOR-0001', packing_house: 'CN-YNPH-0001' }

function goodsOf(kind: Kind, d: Declaration): Partial<Declaration> {
  const net = Math.max(0, (d.weight_kg ?? 0) - (d.tare_kg ?? 0))
  if (kind === 'fresh')
    return {
      perishable: true,
      currency: 'CNY',
      cargo: [{ kind: 'apple', hs: '080810', net_kg: net, value: net * 6, origin: 'CN', ...CODES }],
    }
  if (kind === 'residents') return { currency: 'VND', cargo: [{ kind: 'household', net_kg: net, value: 1_500_000 }] }
  if (kind === 'two_way') return { currency: 'CNY', cargo: [{ kind: 'potato', hs: '070190', net_kg: net, value: net * 2 }] }
  return { currency: 'VND', cargo: [{ kind: 'machinery', hs: '8432', net_kg: net, value: net * 50_000 }] }
}

const TRAFFIC: Readonly<Record<Kind, string>> = {
  fresh: 'agricultural',
  loaded: 'loaded',
  returning: 'loaded',
  two_way: 'two-way',
  residents: 'border-resident',
  loaded_out: 'loaded',
}

/** The truck of a first trip with its declaration. */
export function arrivalOf({ kind, r, back_after }: Trip, no: number, lane: LaneFacts, now: number): Arrival {
  const chinese = back_after === undefined ? 0.35 : 1
  const a = makeArrival(no, { ...lane, takes: [TRAFFIC[kind]] }, now, r, { trouble: TROUBLE, chinese })
  return a.declaration ? { ...a, declaration: { ...a.declaration, ...goodsOf(kind, a.declaration) } } : a
}

/** The same truck on its way back: empty, or with goods for the other way. */
export function wayBack({ kind, r }: Trip, there: Arrival, no: number, lane: LaneFacts, now: number): Arrival {
  const traffic = kind === 'two_way' ? 'two-way' : 'empty'
  const other = makeArrival(no, { ...lane, takes: [traffic] }, now, r, { trouble: 0, chinese: 1 })
  const { truck } = there
  const weight = traffic === 'empty' ? truck.tare_kg + 60 : truck.tare_kg + 6_000
  const { trailer: _, goods: __, tag, ...rest } = other.declaration!
  const declaration: Declaration = {
    ...rest,
    plate: truck.front!.text,
    // Its own, where tags are declared at all.
    ...(tag === undefined ? {} : { tag: truck.tag ?? truck.code ?? tag }),
    ...(truck.body === 'rigid' ? {} : { trailer: truck.rear!.text }),
    weight_kg: weight,
    tare_kg: truck.tare_kg,
    ...(there.declaration?.firm === undefined ? {} : { firm: there.declaration.firm }),
  }
  const goods = traffic === 'empty' ? {} : { ...goodsOf(kind, declaration), two_way: `SIM-${truck.no}` }
  return {
    truck: { ...truck, no, weight_kg: weight, habit: other.truck.habit },
    declaration: { ...declaration, ...goods },
    detained: false,
    trouble: null,
  }
}
