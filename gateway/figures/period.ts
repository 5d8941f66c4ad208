/** What passed in a period: counts, times, loads, sampling, two-way trips. A pure function of its passages. */
import type { Zone } from '../journal/zone.ts'
import { type Crossing, crossed, passageOf, vehicleOf, waitOf } from './crossing.ts'
import { firmKey, totals } from './load.ts'
import { type SamplingFigures, samplingFigures } from './sampling.ts'
import { homeward } from './stays.ts'
import { rounded, type Summary, summary } from './summary.ts'

/** Vehicles that drove through, with what was declared of them. */
export interface LoadFigures {
  readonly trucks: number
  readonly net_kg: number
  /** By currency. */
  readonly value: Readonly<Record<string, number>>
}

type Groups = Readonly<Record<string, LoadFigures>>

export interface LaneFigures {
  readonly passages: number
  readonly cleared: number
  readonly waiting_s: Summary
  readonly passage_s: Summary
  /** Cleared in the busiest hour of the local clock. */
  readonly most_in_an_hour: number
}

export interface StoppedFigures {
  /** What the rule said: `refer`, `redirect`, `refuse`; of the first of them where it said several things. */
  readonly outcome: string
  readonly passages: number
  /** Those that drove through all the same: an officer let them. */
  readonly let_in: number
}

export interface TwoWayFigures {
  /** Firms with two-way trips, and passages of such trips. */
  readonly firms: number
  readonly passages: number
  /** Passages towards the vehicle's own country, and those of them that were empty; null: there were none. */
  readonly returns: number
  readonly empty_returns: number
  readonly empty_share: number | null
}

export interface PeriodFigures {
  readonly from: string
  readonly to: string
  readonly passages: number
  /** By outcome; `open` counts passages without one. */
  readonly outcomes: Readonly<Record<string, number>>
  /** Sent to the officer, whatever came of it, and those of them that drove through. */
  readonly referred: number
  readonly let_in: number
  /** Vehicles that a rule did not let pass, by its id. */
  readonly stopped: Readonly<Record<string, StoppedFigures>>
  readonly lanes: Readonly<Record<string, number>>
  readonly directions: Readonly<Record<string, number>>
  /** Arrivals in each hour of the local day, 0 to 23. */
  readonly hours: readonly number[]
  /** Arrival to *cleared*, seconds; null when nothing was cleared. */
  readonly passage_s: { readonly mean: number; readonly p95: number } | null
  /** Share of passages with a plate, 0…1; null when there were none. */
  readonly read_rate: number | null
  /** Arrival to decision, seconds: all, those with perishable goods, and the others. */
  readonly waiting_s: { readonly all: Summary; readonly perishable: Summary; readonly other: Summary }
  readonly by_lane: Readonly<Record<string, LaneFigures>>
  /** What drove through. */
  readonly loads: {
    readonly all: LoadFigures
    readonly direction: Groups
    readonly traffic: Groups
    readonly goods: Groups
    readonly firm: Groups
    readonly lane: Groups
    /** Local hour, `00` to `23`, of leaving. */
    readonly hour: Groups
  }
  readonly two_way: TwoWayFigures
  readonly sampling: readonly SamplingFigures[]
}

/** Passages that arrived in [from, to), wall-clock ms. */
export function periodFigures(passages: readonly Crossing[], zone: Zone, from: number, to: number): PeriodFigures {
  const all = passages.filter((c) => c.arrivedAt >= from && c.arrivedAt < to)
  const through = all.filter(crossed)
  const hours = new Array<number>(24).fill(0)
  for (const c of all) hours[hourOf(zone, c.arrivedAt)]!++
  const times = summary(through.map(secondsOf(passageOf)), 2)
  return {
    from: zone.format(from),
    to: zone.format(to),
    passages: all.length,
    outcomes: countBy(all, (c) => c.outcome ?? 'open'),
    referred: all.filter((c) => c.referredAt !== null).length,
    let_in: through.filter((c) => c.referredAt !== null).length,
    stopped: stoppedBy(all),
    lanes: countBy(all, (c) => c.lane),
    directions: countBy(all, (c) => c.direction ?? 'unknown'),
    hours,
    passage_s: times.mean === null ? null : { mean: times.mean, p95: times.p95! },
    read_rate: all.length === 0 ? null : rounded(all.filter((c) => c.plate !== null).length / all.length, 4),
    waiting_s: {
      all: waiting(all),
      perishable: waiting(all.filter((c) => c.load?.perishable)),
      other: waiting(all.filter((c) => !c.load?.perishable)),
    },
    by_lane: Object.fromEntries(
      [...groupBy(all, (c) => c.lane)].sort(byKey).map(([lane, of]) => {
        const cleared = of.filter(crossed)
        const busiest = Math.max(0, ...[...groupBy(cleared, (c) => zone.format(c.endedAt!).slice(0, 13)).values()].map((g) => g.length))
        const passage_s = summary(cleared.map(secondsOf(passageOf)), 2)
        return [lane, { passages: of.length, cleared: cleared.length, waiting_s: waiting(of), passage_s, most_in_an_hour: busiest }]
      }),
    ),
    loads: {
      all: loadFigures(through),
      direction: loadsBy(through, (c) => c.direction ?? 'unknown'),
      traffic: loadsBy(through, (c) => c.load?.traffic || 'not declared'),
      goods: loadsByGoods(through),
      firm: loadsBy(through, (c) => (c.load && firmKey(c.load)) || 'not declared'),
      lane: loadsBy(through, (c) => c.lane),
      hour: loadsBy(through, (c) => String(hourOf(zone, c.endedAt!)).padStart(2, '0')),
    },
    two_way: twoWay(through),
    sampling: samplingFigures(all),
  }
}

const hourOf = (zone: Zone, at: number): number => new Date(at + zone.offset(at)).getUTCHours()
const secondsOf = (of: (c: Crossing) => number | null) => (c: Crossing) => {
  const ms = of(c)
  return ms === null ? null : ms / 1000
}
const waiting = (all: readonly Crossing[]): Summary => summary(all.map(secondsOf(waitOf)), 2)
const byKey = (a: readonly [string, unknown], b: readonly [string, unknown]): number => (a[0] < b[0] ? -1 : 1)

function groupBy(all: readonly Crossing[], key: (c: Crossing) => string): Map<string, Crossing[]> {
  const groups = new Map<string, Crossing[]>()
  for (const c of all) {
    const group = groups.get(key(c))
    if (group) group.push(c)
    else groups.set(key(c), [c])
  }
  return groups
}

const countBy = (all: readonly Crossing[], key: (c: Crossing) => string): Record<string, number> =>
  Object.fromEntries([...groupBy(all, key)].map(([k, g]) => [k, g.length]))

/** By the rule that did not let them pass. */
function stoppedBy(all: readonly Crossing[]): Record<string, StoppedFigures> {
  const stopped = all.filter((c) => c.load !== null && c.load.rule !== '' && c.load.outcome !== 'pass')
  return Object.fromEntries(
    [...groupBy(stopped, (c) => c.load!.rule)]
      .sort(byKey)
      .map(([rule, of]) => [rule, { outcome: of[0]!.load!.outcome, passages: of.length, let_in: of.filter(crossed).length }]),
  )
}

/** One line of a sum: net kg, value and its currency. */
interface Part {
  readonly net_kg: number
  readonly value: number
  readonly currency: string
}

function add(sum: LoadFigures, { net_kg, value, currency }: Part): LoadFigures {
  const values = value === 0 ? sum.value : { ...sum.value, [currency]: (sum.value[currency] ?? 0) + value }
  return { trucks: sum.trucks + 1, net_kg: sum.net_kg + net_kg, value: values }
}

const NOTHING: LoadFigures = { trucks: 0, net_kg: 0, value: {} }

const whole = ({ load }: Crossing): Part => ({ ...(load ? totals(load) : { net_kg: 0, value: 0 }), currency: load?.currency ?? '' })
const loadFigures = (all: readonly Crossing[]): LoadFigures => all.map(whole).reduce(add, NOTHING)
const loadsBy = (all: readonly Crossing[], key: (c: Crossing) => string): Groups =>
  Object.fromEntries([...groupBy(all, key)].sort(byKey).map(([k, g]) => [k, loadFigures(g)]))

/** A truck with several kinds of goods counts under each; weight and value are those of the kind. */
function loadsByGoods(all: readonly Crossing[]): Groups {
  const groups = new Map<string, LoadFigures>()
  const put = (name: string, part: Part) => groups.set(name, add(groups.get(name) ?? NOTHING, part))
  for (const { load } of all) {
    if (load === null || load.declaration === null) put('not declared', { net_kg: 0, value: 0, currency: '' })
    else if (load.goods.length === 0) put('none', { net_kg: 0, value: 0, currency: '' })
    else
      for (const name of new Set(load.goods.map((g) => g.name))) {
        const sum = totals({ ...load, goods: load.goods.filter((g) => g.name === name) })
        put(name, { ...sum, currency: load.currency })
      }
  }
  return Object.fromEntries([...groups].sort(byKey))
}

function twoWay(through: readonly Crossing[]): TwoWayFigures {
  const trips = through.filter((c) => c.load !== null && (c.load.traffic === 'two-way' || c.load.two_way !== ''))
  const returns = through.filter((c) => {
    const vehicle = vehicleOf(c)
    return vehicle !== null && c.direction === homeward(vehicle)
  })
  const empty = returns.filter((c) => c.load?.traffic === 'empty')
  return {
    firms: new Set(trips.map((c) => firmKey(c.load!)).filter((firm) => firm !== '')).size,
    passages: trips.length,
    returns: returns.length,
    empty_returns: empty.length,
    empty_share: returns.length === 0 ? null : rounded(empty.length / returns.length, 4),
  }
}
