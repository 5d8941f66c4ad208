/** What passed in a period: counts, times, read rate, and the same of the period before. From the passages projection. */
import type { JournalReader } from './reader.ts'
import { percentile } from './stats.ts'

export interface PeriodFigures {
  readonly from: string
  readonly to: string
  readonly passages: number
  /** By outcome; `open` counts passages without one. */
  readonly outcomes: Readonly<Record<string, number>>
  readonly lanes: Readonly<Record<string, number>>
  readonly directions: Readonly<Record<string, number>>
  /** Arrivals in each hour of the local day, 0 to 23. */
  readonly hours: readonly number[]
  /** Arrival to *cleared*, seconds; null when nothing was cleared. */
  readonly passage_s: { readonly mean: number; readonly p95: number } | null
  /** Share of passages with a plate, 0…1; null when there were none. */
  readonly read_rate: number | null
}

export interface SiteReport {
  readonly site: string
  readonly timezone: string
  readonly period: PeriodFigures
  readonly before: PeriodFigures
}

interface Row {
  readonly lane: string
  readonly direction: string | null
  readonly plate: string | null
  readonly outcome: string | null
  readonly arrivedAt: number
  readonly endedAt: number | null
}

/** Passages that arrived in [from, to), wall-clock ms, and in the equally long period before. */
export function siteReport(reader: JournalReader, from: number, to: number): SiteReport {
  return {
    site: reader.site,
    timezone: reader.zone.name,
    period: figures(reader, from, to),
    before: figures(reader, from - (to - from), from),
  }
}

/** When the last passage arrived, or null. */
export function lastArrival(reader: JournalReader): number | null {
  return reader.db.prepare('SELECT max(arrived_at) FROM passages').pluck().get() as number | null
}

function figures(reader: JournalReader, from: number, to: number): PeriodFigures {
  const rows = reader.db
    .prepare<[number, number], Row>(
      `SELECT lane, direction, plate, outcome, arrived_at AS arrivedAt, ended_at AS endedAt
       FROM passages WHERE arrived_at >= ? AND arrived_at < ? ORDER BY arrived_at`,
    )
    .iterate(from, to)
  const outcomes: Record<string, number> = {}
  const lanes: Record<string, number> = {}
  const directions: Record<string, number> = {}
  const hours = new Array<number>(24).fill(0)
  const seconds: number[] = []
  let passages = 0
  let read = 0
  const count = (of: Record<string, number>, key: string) => {
    of[key] = (of[key] ?? 0) + 1
  }
  for (const row of rows) {
    passages++
    count(outcomes, row.outcome ?? 'open')
    count(lanes, row.lane)
    count(directions, row.direction ?? 'unknown')
    hours[new Date(row.arrivedAt + reader.zone.offset(row.arrivedAt)).getUTCHours()]!++
    if (row.plate !== null) read++
    if (row.outcome === 'cleared' && row.endedAt !== null) seconds.push((row.endedAt - row.arrivedAt) / 1000)
  }
  seconds.sort((a, b) => a - b)
  const mean = seconds.reduce((sum, s) => sum + s, 0) / seconds.length
  return {
    from: reader.zone.format(from),
    to: reader.zone.format(to),
    passages,
    outcomes,
    lanes,
    directions,
    hours,
    passage_s: seconds.length === 0 ? null : { mean: round(mean), p95: round(percentile(seconds, 0.95)) },
    read_rate: passages === 0 ? null : round(read / passages, 4),
  }
}

function round(n: number, digits = 2): number {
  return Number(n.toFixed(digits))
}
