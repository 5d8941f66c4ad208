/** What earlier passages say about a vehicle that is being decided: facts for the rules. */
import { dayStart, type Zone } from '../journal/zone.ts'
import { type Crossing, crossed } from './crossing.ts'
import type { Ledger } from './ledger.ts'
import { type Load, sameFirm, totals } from './load.ts'
import { inward, type StayPolicy, stayFigures, stayOfVehicle, staysAt } from './stays.ts'

const HOUR = 3_600_000
/** A passage that began longer ago and has no end is not one that is being let through now. */
const LIVE_MS = 24 * HOUR

/** The vehicle that is being decided. */
export interface Deciding {
  readonly passage: string
  readonly lane: string
  readonly direction: 'import' | 'export'
  readonly load: Pick<Load, 'vehicle' | 'declaration' | 'firm' | 'firm_id' | 'resident' | 'currency'>
  /** Wall clock, ms. */
  readonly now: number
}

/** Sums of a resident or a firm in the local day, without the vehicle itself. */
interface Sums {
  readonly trips: number
  readonly net_kg: number
  readonly value: number
}

/** As gateway/rules/facts.ts has them. */
export interface History {
  readonly usage: { readonly times: number; readonly last_h: number; readonly elsewhere: boolean }
  readonly today: {
    readonly resident_trips: number
    readonly resident_net_kg: number
    readonly resident_value: number
    readonly resident_other_currency: boolean
    readonly firm_trips: number
    readonly firm_net_kg: number
    readonly firm_value: number
  }
  readonly stay: { readonly known: boolean; readonly h: number; readonly limit_h: number; readonly over: boolean; readonly again: boolean }
  readonly empties: { readonly inside: number; readonly oldest_h: number; readonly backlog: boolean }
}

/** Decided and not gone: it is being let through, or waits for the officer. One that was sent away does not count. */
const underWay = (c: Crossing, now: number): boolean =>
  c.endedAt === null && now - c.arrivedAt < LIVE_MS && (c.load?.outcome === 'pass' || c.load?.outcome === 'refer')

const NOTHING: Sums = { trips: 0, net_kg: 0, value: 0 }

function add(sums: Sums, load: Load, currency: string): Sums {
  const { net_kg, value } = totals(load)
  return { trips: sums.trips + 1, net_kg: sums.net_kg + net_kg, value: sums.value + (load.currency === currency ? value : 0) }
}

export function historyOf(ledger: Ledger, policy: StayPolicy, zone: Zone, { passage, lane, direction, load, now }: Deciding): History {
  const day = dayStart(zone, now)
  let [resident, firm] = [NOTHING, NOTHING]
  let [elsewhere, otherCurrency] = [false, false]
  for (const c of ledger.crossings()) {
    if (c.id === passage || c.load === null) continue
    const live = underWay(c, now)
    if (live && c.lane !== lane && load.declaration !== null && c.load.declaration === load.declaration) elsewhere = true
    // Whoever has been let through counts from the moment of the decision, so that two lanes cannot pass one limit twice.
    const counts = (crossed(c) && c.endedAt! >= day) || (live && c.load.outcome === 'pass')
    if (!counts) continue
    if (load.resident !== '' && c.load.resident === load.resident) {
      resident = add(resident, c.load, load.currency)
      if (c.load.currency !== '' && c.load.currency !== load.currency) otherCurrency = true
    }
    if (sameFirm(c.load, load)) firm = add(firm, c.load, load.currency)
  }
  const used = load.declaration === null ? null : ledger.uses.get(load.declaration, direction, now)
  const inside = load.vehicle === null ? null : stayOfVehicle(ledger.inside, load.vehicle, policy, now)
  const stay = direction === inward(policy.home) ? null : inside
  const all = stayFigures(staysAt(ledger.inside, policy, now), policy)
  return {
    usage: { times: used?.times ?? 0, last_h: used ? Math.max(0, now - used.last) / HOUR : 0, elsewhere },
    today: {
      resident_trips: resident.trips,
      resident_net_kg: resident.net_kg,
      resident_value: resident.value,
      resident_other_currency: otherCurrency,
      firm_trips: firm.trips,
      firm_net_kg: firm.net_kg,
      firm_value: firm.value,
    },
    stay: {
      known: stay !== null,
      h: stay?.hours ?? 0,
      limit_h: stay?.limit_h ?? 0,
      over: stay?.over ?? false,
      again: inside !== null && stay === null,
    },
    empties: { inside: all.empties, oldest_h: all.oldest_empty_h ?? 0, backlog: all.backlog },
  }
}
