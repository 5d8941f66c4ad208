/** Which plan is in force when. Pure. */
import { type LanePlanConfig, WEEKDAYS } from '../../config/schema/plan.ts'
import type { Zone } from '../journal/zone.ts'

/** A plan, and since when: local date and time of the entry that brought it. */
export interface InForce {
  readonly plan: string
  readonly since: string
}

const DAY = 86_400_000

/**
 * The entry that began last, by the clock on the wall at the site: where clocks are set back an hour comes twice, and nothing is
 * switched a second time by it. Null: there is no schedule.
 * @param now wall clock, ms
 */
export function planInForce(schedule: LanePlanConfig['schedule'], zone: Pick<Zone, 'offset'>, now: number): InForce | null {
  const local = now + zone.offset(now)
  const today = Math.floor(local / DAY)
  const time = new Date(local).toISOString().slice(11, 16)
  for (let back = 0; back <= 7; back++) {
    const date = new Date((today - back) * DAY)
    const weekday = WEEKDAYS[date.getUTCDay()]!
    const begun = schedule.filter((e) => e.days.includes(weekday) && (back > 0 || e.at <= time))
    const last = begun.reduce<(typeof begun)[number] | null>((a, b) => (a === null || b.at > a.at ? b : a), null)
    if (last) return { plan: last.plan, since: `${date.toISOString().slice(0, 10)} ${last.at}` }
  }
  return null
}
