/** The figures of a running site: kept from what is recorded, asked by the rules, published as `stats`, watched for alarms. */
import { dayFigures } from '../figures/day.ts'
import { type Deciding, historyOf } from '../figures/history.ts'
import { Ledger } from '../figures/ledger.ts'
import { FIGURES_POLICY } from '../figures/report.ts'
import { inward, type StayFigures, type StayPolicy, stayFigures, staysAt } from '../figures/stays.ts'
import type { Entry, Journal } from '../journal/journal.ts'
import type { Zone } from '../journal/zone.ts'
import type { Clock, Timer } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import type { Stats } from '../uplink/schema/up.ts'
import type { Earlier } from './decider.ts'
import type { ClockQuality } from './passage.ts'
import type { Recorder } from './recorder.ts'
import { SiteAlarms } from './site-alarms.ts'
import { dueAlarms, STAY_ALARMS } from './stay-alarms.ts'

/** How often stays are looked at while nobody leaves. */
const LOOK_MS = 60_000
/** Vehicles over their limit that `stats` names. */
const NAMED = 50

export interface SiteFiguresOptions {
  readonly zone: Zone
  readonly lanes: readonly string[]
  readonly policy: StayPolicy
  readonly clock: Clock
  readonly clockQuality: () => ClockQuality
  readonly log: Log
}

export class SiteFigures implements Earlier {
  readonly #o: SiteFiguresOptions
  readonly #ledger: Ledger
  readonly #alarms = new SiteAlarms(STAY_ALARMS)
  #recorder: Recorder | null = null
  #timer: Timer | null = null

  constructor(options: SiteFiguresOptions) {
    this.#o = options
    this.#ledger = new Ledger(options.zone, options.policy.home)
  }

  /** Everything that earlier runs recorded. Before anything is recorded in this one. */
  async restore(journal: Journal): Promise<void> {
    const { policy, clock } = this.#o
    await this.#ledger.restore(journal, inward(policy.home), clock.now())
    this.#alarms.restore(await journal.siteAlarms())
    await journal.putDocument(FIGURES_POLICY.collection, FIGURES_POLICY.key, policy)
  }

  /** Watches stays from now on; alarms go to this recorder. */
  start(recorder: Recorder): void {
    this.#recorder = recorder
    this.#look()
  }

  stop(): void {
    this.#timer?.cancel()
    this.#recorder = null
  }

  readonly recorded = (entries: readonly Entry[]): void => this.#ledger.apply(entries)

  history(vehicle: Deciding) {
    return historyOf(this.#ledger, this.#o.policy, this.#o.zone, vehicle)
  }

  usedUp(declaration: string, trips: number, direction: 'import' | 'export', now: number): boolean {
    return (this.#ledger.uses.get(declaration, direction, now)?.times ?? 0) >= trips
  }

  /** Who is inside; the alarms of the whole site that are raised. */
  inside(): StayFigures & { readonly alarms: readonly string[] } {
    const { policy, clock } = this.#o
    return { ...stayFigures(staysAt(this.#ledger.inside, policy, clock.now()), policy), alarms: this.#alarms.open }
  }

  #look(): void {
    this.watch()
    this.#timer = this.#o.clock.after(LOOK_MS, () => this.#look())
  }

  /** Raises and clears what is due; called when a vehicle has crossed, and every minute. */
  watch(): void {
    const { policy, clock, clockQuality, log } = this.#o
    if (!this.#recorder) return
    const entries = this.#alarms.change(dueAlarms(this.inside(), policy.empties), clock.now(), clockQuality())
    for (const { type, data } of entries) log.warn({ alarm: data.alarm, plate: data.plate, why: data.why }, type)
    if (entries.length > 0)
      this.#recorder.record(entries).catch((error: unknown) => log.error({ err: messageOf(error) }, 'an alarm was not recorded'))
  }

  /** Counts and times of the local day so far, and who is inside. */
  stats(): Stats {
    const { zone, lanes, policy, clock } = this.#o
    const now = clock.now()
    const { since, ...day } = dayFigures(this.#ledger.crossings(), lanes, zone, now)
    const stays = this.inside()
    const digits = (h: number) => Math.round(h * 10) / 10
    return {
      since: zone.format(since),
      at: zone.format(now),
      ...day,
      lanes: { ...day.lanes },
      empties_inside: stays.empties,
      empties: {
        inside: stays.empties,
        oldest_h: stays.oldest_empty_h === null ? null : digits(stays.oldest_empty_h),
        allowed: policy.empties,
        backlog: stays.backlog,
      },
      stays: {
        inside: stays.inside,
        two_way: stays.two_way,
        over: stays.over.length,
        vehicles: stays.over.slice(0, NAMED).map((s) => ({
          plate: s.vehicle,
          since: zone.format(s.since),
          hours: digits(s.hours),
          limit_h: s.limit_h,
          two_way: s.two_way,
        })),
      },
    }
  }
}
