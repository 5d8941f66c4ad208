/** Figures of a period out of a data folder, beside those of the equally long period before. */

import type { CrossingRow } from '../journal/loads.ts'
import { CROSSING } from '../journal/queries.ts'
import type { JournalReader } from '../journal/reader.ts'
import { type Crossing, crossed, crossingOf, vehicleOf } from './crossing.ts'
import { type Happenings, happenings } from './happenings.ts'
import { type PeriodFigures, periodFigures } from './period.ts'
import { InsideBook, type Stay, type StayPolicy, stayFigures, stayOfVehicle, staysAt } from './stays.ts'
import { type TurnFigures, turnFigures, turnsTold } from './turns.ts'

/** Document with the policy in force, which the gateway stores at its start. */
export const FIGURES_POLICY = { collection: 'figures', key: 'stays' } as const
/** A vehicle that came in longer before the period is not followed any more. */
const FOLLOWED_MS = 90 * 86_400_000

export interface StaysReport {
  /** Who was inside at the end of the period, or at the last event where that is earlier. */
  readonly at: string
  readonly policy: StayPolicy
  readonly inside: number
  readonly two_way: number
  readonly empties: number
  readonly oldest_empty_h: number | null
  readonly over: readonly {
    readonly plate: string
    readonly since: string
    readonly hours: number
    readonly limit_h: number
    readonly two_way: boolean
  }[]
  /** Vehicles that went back in the period, and those of them that had stayed too long. */
  readonly went_back: number
  readonly went_back_late: number
}

export interface SiteReport {
  readonly site: string
  readonly timezone: string
  readonly period: PeriodFigures
  readonly before: PeriodFigures
  /** Whose turn it was where lanes lead into one place. */
  readonly turns: TurnFigures
  readonly turns_before: TurnFigures
  /** Alarms, the desk, the other half, lane plans. */
  readonly happenings: Happenings
  readonly happenings_before: Happenings
  /** null: no gateway of this version has run on the folder. */
  readonly stays: StaysReport | null
}

/** Passages that arrived in [from, to), wall-clock ms, in that order. */
export function crossingsIn({ db }: JournalReader, from: number, to: number): Crossing[] {
  return db
    .prepare<[number, number], CrossingRow>(
      `SELECT ${CROSSING} FROM passages p LEFT JOIN loads l ON l.passage = p.id
       WHERE p.arrived_at >= ? AND p.arrived_at < ? ORDER BY p.arrived_at, p.id`,
    )
    .all(from, to)
    .map(crossingOf)
}

/** Passages that arrived in [from, to), wall-clock ms, and in the equally long period before. */
export function siteReport(reader: JournalReader, from: number, to: number): SiteReport {
  const { zone } = reader
  const start = from - (to - from)
  const rows = crossingsIn(reader, start, to)
  return {
    site: reader.site,
    timezone: zone.name,
    period: periodFigures(rows, zone, from, to),
    before: periodFigures(rows, zone, start, from),
    turns: turnFigures(turnsTold(reader, from, to)),
    turns_before: turnFigures(turnsTold(reader, start, from)),
    happenings: happenings(reader, from, to),
    happenings_before: happenings(reader, start, from),
    stays: staysReport(reader, from, to),
  }
}

/** When the last passage arrived, or null. */
export function lastArrival(reader: JournalReader): number | null {
  return reader.db.prepare('SELECT max(arrived_at) FROM passages').pluck().get() as number | null
}

function staysReport(reader: JournalReader, from: number, to: number): StaysReport | null {
  const policy = reader.queries.documents(FIGURES_POLICY.collection).find((d) => d.key === FIGURES_POLICY.key)?.value as
    | StayPolicy
    | undefined
  if (policy === undefined) return null
  const last = (reader.db.prepare('SELECT max(at) FROM entries WHERE sequence IS NOT NULL').pluck().get() as number | null) ?? from
  const now = Math.min(to, Math.max(from, last))
  const crossings = reader.db
    .prepare<[number, number], CrossingRow>(
      `SELECT ${CROSSING} FROM passages p LEFT JOIN loads l ON l.passage = p.id
       WHERE p.arrived_at >= ? AND p.ended_at <= ? AND p.outcome = 'cleared' ORDER BY p.ended_at, p.id`,
    )
    .iterate(from - FOLLOWED_MS, now)
  const book = new InsideBook(policy.home)
  const back: Stay[] = []
  for (const row of crossings) back.push(...gone(book, crossingOf(row), policy, from))
  const { over, oldest_empty_h, inside, two_way, empties } = stayFigures(staysAt(book, policy, now), policy)
  const digits = (h: number) => Math.round(h * 10) / 10
  return {
    at: reader.zone.format(now),
    policy,
    inside,
    two_way,
    empties,
    oldest_empty_h: oldest_empty_h === null ? null : digits(oldest_empty_h),
    over: over.map((s) => ({
      plate: s.vehicle,
      since: reader.zone.format(s.since),
      hours: digits(s.hours),
      limit_h: s.limit_h,
      two_way: s.two_way,
    })),
    went_back: back.length,
    went_back_late: back.filter((s) => s.over).length,
  }
}

/** Adds a crossing; the stay that it ended in the period. */
function gone(book: InsideBook, c: Crossing, policy: StayPolicy, from: number): Stay[] {
  const vehicle = vehicleOf(c)
  if (vehicle === null || !crossed(c)) return []
  const before = stayOfVehicle(book, vehicle, policy, c.endedAt!)
  book.add(c)
  return before && book.get(vehicle) === undefined && c.endedAt! >= from ? [before] : []
}
