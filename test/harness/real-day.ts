/** Runs a seeded day through a whole site with known plates, and holds its report against what really happened. */

import { arrivalOf, DAY_LISTS, type DayPlan, dayTrips, type Trip, wayBack } from '../sim/day.ts'
import { type Arrival, announce } from '../sim/traffic.ts'
import type { VehicleTruth } from '../sim/truth.ts'
import { sameFigures } from './day-figures.ts'
import { type Prompt, Promptness } from './promptness.ts'
import { type RunningSite, startSite } from './site.ts'

/** 07:00 at the gate. */
export const OPENING = Date.parse('2026-11-21T00:00:00Z')
/** Declared this long before the truck stands there, seconds. */
const AHEAD_S = 60

export interface RealDay {
  readonly trucks: number
  readonly passed: number
  /** Passages that an officer let through, and those turned back. */
  readonly byOfficer: number
  readonly turnedBack: number
  readonly events: number
  readonly hours: number
  readonly seconds: number
  /** Of every decision; of those that had to wait for their turn before the arm opened, not when it did. */
  readonly prompts: readonly Prompt[]
  /** Whatever is not as it was: counts that differ, wrong openings, lost events, decisions that nothing explains. */
  readonly wrong: readonly string[]
}

/** Trucks that have left, of how many that are known to come, and how long it took: hours at the gate, real seconds. */
export interface DayProgress {
  readonly left: number
  readonly of: number
  readonly hours: number
  readonly seconds: number
}

export interface RealDayOptions {
  readonly onProgress?: (progress: DayProgress) => void
  /** Where the day is kept, for `luong report`; default: a folder that is deleted at the end. */
  readonly dataDir?: string | undefined
}

/** Puts the trucks of the day on the road; resolves when the last has left. */
async function drive(site: RunningSite, plan: DayPlan, onLeft: (left: number, of: number) => void): Promise<void> {
  const { clock, world, feed, gateway } = site
  const lanes = new Map(Object.keys(Object.fromEntries(world.lanes)).map((id) => [id, laneFacts(site, id)]))
  let [no, left] = [0, 0]
  const under = new Map<VehicleTruth, { trip: Trip; arrival: Arrival }>()
  const trips = dayTrips(plan)
  let expected = trips.length
  let done = () => {}
  const over = new Promise<void>((resolve) => {
    done = resolve
  })
  const send = (lane: string, seconds: number, make: (no: number) => Arrival, trip: Trip | null) => {
    clock.after(Math.max(0, seconds) * 1_000, () => {
      const arrival = make(++no)
      announce(feed, arrival)
      clock.after(AHEAD_S * 1_000, () => {
        const vehicle = world.send(lane, arrival)
        if (trip) under.set(vehicle, { trip, arrival })
      })
    })
  }
  world.onEvent(({ what, vehicle }) => {
    if (what !== 'left') return
    const there = under.get(vehicle)
    under.delete(vehicle)
    if (there?.trip.back_after !== undefined && vehicle.outcome === 'passed') {
      const lane = there.trip.kind === 'two_way' ? 'export-1' : 'export-2'
      expected++
      send(lane, there.trip.back_after, (n) => wayBack(there.trip, there.arrival, n, lanes.get(lane)!, clock.now()), null)
    }
    onLeft(++left, expected)
    if (left === expected) done()
  })
  for (const [list, key] of DAY_LISTS) feed.list(list, key, { key })
  for (const trip of trips) send(trip.lane, trip.at, (n) => arrivalOf(trip, n, lanes.get(trip.lane)!, clock.now()), trip)
  await over
  await site.phases('idle', 'closed')
  await gateway.settle()
  await site.heard()
}

/** Who had to wait for its turn says nothing of how soon the arm opens. */
function withoutWaits(site: RunningSite, prompts: readonly Prompt[]): Prompt[] {
  const waited = new Set(site.centre.log.events.filter((e) => e.type === 'luong.passage.queued.v1').map((e) => e.data.passage))
  return prompts.map(({ open_ms, wire_ms, ...p }) =>
    waited.has(p.passage) || open_ms === undefined || wire_ms === undefined ? p : { ...p, open_ms, wire_ms },
  )
}

function laneFacts(site: RunningSite, id: string) {
  const lane = site.gateway.lane(id)!
  const { takes, scale, tag, code } = lane.policy.facts
  return { id, direction: lane.direction, takes, scale, tag, code }
}

/** The whole day; see {@link RealDay}. Rejects when the site cannot start or something never comes to an end. */
export async function realDay(plan: DayPlan, { onProgress, dataDir }: RealDayOptions = {}): Promise<RealDay> {
  let watch!: Promptness
  const site = await startSite({
    file: 'config/sites/demo.yaml',
    seed: plan.seed,
    pace: 'free',
    epoch: OPENING,
    traffic: false,
    officer: {},
    keep: 10_000,
    ...(dataDir === undefined ? {} : { dataDir }),
    watch: (loaded, clock) => {
      watch = new Promptness(loaded, clock)
      return watch
    },
  })
  try {
    const [since, began] = [performance.now(), site.clock.mono()]
    const took = () => ({ hours: (site.clock.mono() - began) / 3_600_000, seconds: (performance.now() - since) / 1_000 })
    await drive(site, plan, (left, of) => onProgress?.({ left, of, ...took() }))
    const { truth } = site.world
    const figures = sameFigures(site, OPENING)
    return {
      trucks: truth.counts.arrived,
      passed: truth.counts.passed,
      byOfficer: figures.byOfficer,
      turnedBack: truth.counts.backedOut,
      events: site.gateway.journal.head().sequence,
      ...took(),
      prompts: withoutWaits(site, watch.all),
      wrong: figures.wrong,
    }
  } finally {
    await site.stop()
  }
}
