import { afterEach, expect, test } from 'vitest'
import type { Event } from '../harness/event-log.ts'
import { type RunningSite, startSite } from '../harness/site.ts'
import type { VehicleTruth } from '../sim/truth.ts'

const running: RunningSite[] = []
afterEach(async () => {
  for (const site of running.splice(0)) await site.stop()
})

const END = /^luong\.passage\.(cleared|refused|redirected|aborted)\.v1$/
const through = (end: Event) => end.type.includes('cleared') || /drove through without/.test(end.data.why ?? '')

/** How each vehicle that came to a lane ended, in the order of arrival: what was published beside what happened. */
function pairs(site: RunningSite, lane: string): { vehicle: VehicleTruth; end: Event }[] {
  const vehicles = site.world.truth.vehicles.filter((v) => v.lane === lane)
  const ends = [...site.centre.log.passages().values()]
    .filter((events) => events[0]!.data.lane === lane)
    .map((events) => events.find((e) => END.test(e.type))!)
  expect(ends.length, `passages of ${lane}`).toBe(vehicles.length)
  return vehicles.map((vehicle, i) => ({ vehicle, end: ends[i]! }))
}

const SEEDS = (process.env.LUONG_TRAFFIC_SEEDS ?? '7').split(',')
const TRUCKS = Number(process.env.LUONG_TRAFFIC_TRUCKS ?? 60)

test.each(SEEDS)('mixed traffic over five lanes, seed %s: published counts are the truth, nobody is let through wrongly', async (seed) => {
  const site = await startSite({
    file: 'config/sites/demo.yaml',
    seed,
    pace: 20,
    traffic: { passages: TRUCKS, every_s: 30, trouble: 0.3 },
    officer: {},
  })
  running.push(site)
  await site.over()
  const { truth } = site.world
  const { log } = site.centre
  expect(log.faults()).toEqual([])
  expect(truth.disasters).toEqual([])
  expect(truth.counts.arrived).toBe(TRUCKS)
  const lanes = Object.keys(Object.fromEntries(site.world.lanes))
  const all = lanes.flatMap((lane) => pairs(site, lane))
  const wrong: string[] = []
  for (const { vehicle, end } of all) {
    const story = `#${vehicle.no} ${vehicle.plate} ${vehicle.trouble ?? 'in order'} on ${vehicle.lane}: ${vehicle.outcome}, published ${end.type} ${end.subject} by ${end.data.by ?? 'the rules'} (${end.data.decision?.rule})`
    if (through(end) !== (vehicle.outcome === 'passed')) wrong.push(`counted wrongly: ${story}`)
    if (end.subject !== undefined && end.subject !== vehicle.plate) wrong.push(`another plate: ${story}`)
    if (vehicle.outcome !== 'passed') continue
    // An officer may let a truck through after a look; the rules only what is in order; nobody a detained one.
    if (vehicle.trouble === 'detained') wrong.push(`detained: ${story}`)
    else if (vehicle.trouble !== null && end.data.by === undefined) wrong.push(`let through by the rules: ${story}`)
    if (!end.type.includes('cleared')) wrong.push(`without authorisation: ${story}`)
  }
  expect(wrong).toEqual([])
  expect(new Set(all.map(({ end }) => end.data.lane)).size).toBe(5)
  // What is in order passes without anybody's hand.
  const asked = all.filter(({ vehicle, end }) => vehicle.trouble === null && (end.data.by !== undefined || !end.type.includes('cleared')))
  expect(
    asked.map(({ vehicle, end }) => `#${vehicle.no} ${vehicle.plate} ${end.data.decision?.reasons[0]?.en} ${end.data.why ?? ''}`),
  ).toEqual([])
})
