/** What a site reports of a day beside the simulator's truth: everything that differs, in words. */
import type { PeriodFigures } from '../../gateway/figures/period.ts'
import { siteReport } from '../../gateway/figures/report.ts'
import { openReader } from '../../gateway/journal/reader.ts'
import type { VehicleTruth } from '../sim/truth.ts'
import type { Event } from './event-log.ts'
import type { RunningSite } from './site.ts'

const DAY = 86_400_000
const END = /^luong\.passage\.(cleared|refused|redirected|aborted)\.v1$/
/** Decisions that a vehicle in order may meet: it was drawn for inspection. */
const EXPLAINED = ['fruit-drawn']

const count = <T>(all: readonly T[], key: (of: T) => string): Record<string, number> => {
  const out: Record<string, number> = {}
  for (const of of all) out[key(of)] = (out[key(of)] ?? 0) + 1
  return out
}
const inOrder = (o: Readonly<Record<string, number>>) => JSON.stringify(Object.entries(o).sort(([a], [b]) => (a < b ? -1 : 1)))
const netOf = (v: VehicleTruth): number => (v.declaration?.cargo ?? []).reduce((kg, c) => kg + Number(c.net_kg ?? 0), 0)
const sum = (all: readonly VehicleTruth[], of: (v: VehicleTruth) => number) => all.reduce((n, v) => n + of(v), 0)

/** @param day wall-clock ms within the local day */
export function sameFigures(site: RunningSite, day: number): { wrong: string[]; byOfficer: number } {
  const { truth } = site.world
  const wrong = [...site.centre.log.faults(), ...truth.disasters.map((d) => `disaster: ${JSON.stringify(d)}`)]
  const reader = openReader(site.dataDir)
  let period: PeriodFigures
  let inside: number | undefined
  try {
    const report = siteReport(reader, day - 7 * 3_600_000, day - 7 * 3_600_000 + DAY)
    period = report.period
    inside = report.stays?.inside
  } finally {
    reader.close()
  }
  const same = (what: string, reported: unknown, real: unknown) => {
    if (reported !== real) wrong.push(`${what}: reported ${reported}, really ${real}`)
  }
  const direction = (v: VehicleTruth) => v.lane.split('-')[0]!
  const passed = truth.vehicles.filter((v) => v.outcome === 'passed')
  same('passages', period.passages, truth.counts.arrived)
  same('passages by lane', inOrder(period.lanes), inOrder(count(truth.vehicles, (v) => v.lane)))
  same('trucks through', period.loads.all.trucks, truth.counts.passed)
  const trucks = (groups: PeriodFigures['loads']['lane']) =>
    inOrder(Object.fromEntries(Object.entries(groups).map(([k, g]) => [k, g.trucks])))
  same('through by direction', trucks(period.loads.direction), inOrder(count(passed, direction)))
  same('through by lane', trucks(period.loads.lane), inOrder(count(passed, (v) => v.lane)))
  same('through by traffic', trucks(period.loads.traffic), inOrder(count(passed, (v) => v.declaration?.traffic ?? 'not declared')))
  same('through by firm', trucks(period.loads.firm), inOrder(count(passed, (v) => v.declaration?.firm ?? 'not declared')))
  for (const way of ['import', 'export'])
    same(
      `net kg ${way}`,
      period.loads.direction[way]?.net_kg ?? 0,
      sum(
        passed.filter((v) => direction(v) === way),
        netOf,
      ),
    )
  const apples = passed.filter((v) => v.declaration?.cargo?.[0]?.kind === 'apple')
  same('apples', period.loads.goods.apple?.trucks ?? 0, apples.length)
  same(
    'value of apples',
    period.loads.goods.apple?.value.CNY ?? 0,
    sum(apples, (v) => Number(v.declaration!.cargo![0]!.value)),
  )
  same('two-way passages', period.two_way.passages, passed.filter((v) => v.declaration?.traffic === 'two-way').length)
  same('empty returns', period.two_way.empty_returns, passed.filter((v) => v.declaration?.traffic === 'empty').length)
  const last = new Map(passed.map((v) => [v.plate, direction(v)]))
  same('inside', inside, [...last].filter(([plate, way]) => way === 'import' && /^\p{Script=Han}/u.test(plate ?? '')).length)
  return { wrong, byOfficer: decisions(site, wrong) }
}

/** Each vehicle beside how its passage ended; counts those that an officer let through. */
function decisions(site: RunningSite, wrong: string[]): number {
  let byOfficer = 0
  for (const lane of site.world.lanes.keys()) {
    const vehicles = site.world.truth.vehicles.filter((v) => v.lane === lane)
    const passages = [...site.centre.log.passages().values()].filter((events) => events[0]!.data.lane === lane)
    for (const [i, v] of vehicles.entries()) {
      const end = passages[i]?.find((e) => END.test(e.type))
      if (!end) wrong.push(`no passage of #${v.no} ${v.plate} on ${lane}`)
      else wrong.push(...judge(v, end))
      if (v.outcome === 'passed' && end?.data.by !== undefined) byOfficer++
    }
  }
  return byOfficer
}

function judge(v: VehicleTruth, end: Event): string[] {
  const rule = end.data.decision?.rule
  const story = `#${v.no} ${v.plate} ${v.trouble ?? 'in order'} on ${v.lane}: ${v.outcome}, published ${end.type} by ${end.data.by ?? 'the rules'} (${rule} ${end.data.decision?.reasons[0]?.en ?? ''})`
  const through = end.type.includes('cleared')
  if (through !== (v.outcome === 'passed')) return [`counted wrongly: ${story}`]
  if (end.subject !== undefined && end.subject !== v.plate) return [`another plate: ${story}`]
  if (through && v.trouble === 'detained') return [`wrong opening: ${story}`]
  if (through && v.trouble !== null && end.data.by === undefined) return [`wrong opening: ${story}`]
  const alone = through && end.data.by === undefined
  return v.trouble === null && !alone && !EXPLAINED.includes(String(rule)) ? [`not explained: ${story}`] : []
}
