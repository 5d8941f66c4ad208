/** Counts and times of the local day so far, over passages; what congestion looks like now. */
import { dayStart, type Zone } from '../journal/zone.ts'
import { type Crossing, passageOf, waitOf } from './crossing.ts'
import { type Summary, summary } from './summary.ts'

const HOUR = 3_600_000

export interface LaneDay {
  readonly arrived: number
  readonly cleared: number
  readonly refused: number
  readonly referred: number
  readonly redirected: number
  readonly aborted: number
  /** Arrival to decision, and to cleared, ms. */
  readonly waiting_ms: Summary
  readonly passage_ms: Summary
  /** Cleared in the last 60 minutes. */
  readonly last_hour: number
  /** Share of the last 60 minutes in which a vehicle was in the lane, 0…1. */
  readonly busy: number
}

export interface DayFigures {
  /** Wall-clock ms. */
  readonly since: number
  readonly lanes: Readonly<Record<string, LaneDay>>
  readonly waiting_ms: Summary
  readonly passage_ms: Summary
  readonly perishable: { readonly waiting_ms: Summary; readonly passage_ms: Summary }
  readonly other: { readonly waiting_ms: Summary; readonly passage_ms: Summary }
  /** Share of decided passages with a sure plate; null: none yet. */
  readonly read_rate: number | null
}

const times = (decided: readonly Crossing[], ended: readonly Crossing[]) => ({
  waiting_ms: summary(decided.map(waitOf)),
  passage_ms: summary(ended.map(passageOf)),
})

function laneDay(all: readonly Crossing[], since: number, now: number): LaneDay {
  const today = (at: number | null) => at !== null && at >= since && at <= now
  const ended = all.filter((c) => today(c.endedAt))
  const outcome = (name: string) => ended.filter((c) => c.outcome === name).length
  const hour = now - HOUR
  const inLane = all.reduce((ms, c) => ms + Math.max(0, Math.min(c.endedAt ?? now, now) - Math.max(c.arrivedAt, hour)), 0)
  return {
    arrived: all.filter((c) => today(c.arrivedAt)).length,
    cleared: outcome('cleared'),
    refused: outcome('refused'),
    referred: all.filter((c) => today(c.referredAt)).length,
    redirected: outcome('redirected'),
    aborted: ended.length - outcome('cleared') - outcome('refused') - outcome('redirected'),
    ...times(
      all.filter((c) => today(c.decidedAt)),
      ended,
    ),
    last_hour: all.filter((c) => c.outcome === 'cleared' && c.endedAt !== null && c.endedAt > hour && c.endedAt <= now).length,
    busy: Math.min(1, inLane / HOUR),
  }
}

/** @param lanes lanes of the site; passages of others are left out */
export function dayFigures(crossings: Iterable<Crossing>, lanes: readonly string[], zone: Zone, now: number): DayFigures {
  const since = dayStart(zone, now)
  const byLane = new Map<string, Crossing[]>(lanes.map((id) => [id, []]))
  for (const c of crossings) byLane.get(c.lane)?.push(c)
  const all = [...byLane.values()].flat()
  const decided = all.filter((c) => c.decidedAt !== null && c.decidedAt >= since)
  const ended = all.filter((c) => c.endedAt !== null && c.endedAt >= since)
  const known = decided.filter((c) => c.load !== null)
  const spoils = (c: Crossing) => c.load?.perishable === true
  return {
    since,
    lanes: Object.fromEntries([...byLane].map(([id, of]) => [id, laneDay(of, since, now)])),
    ...times(decided, ended),
    perishable: times(decided.filter(spoils), ended.filter(spoils)),
    other: times(
      decided.filter((c) => !spoils(c)),
      ended.filter((c) => !spoils(c)),
    ),
    read_rate: known.length === 0 ? null : known.filter((c) => c.load!.sure).length / known.length,
  }
}
