/** Alarms of the whole site over who is inside. */
import type { Stay, StayFigures } from '../figures/stays.ts'
import type { Due } from './site-alarms.ts'

export const STAY_ALARMS = ['stay-over', 'empty-backlog'] as const
export type StayAlarm = (typeof STAY_ALARMS)[number]

const inWords = (h: number): string => `${Math.round(h * 10) / 10} h`

function kindOf(stay: Stay): string {
  if (stay.two_way) return 'on a two-way trip'
  return stay.traffic === 'empty' ? 'empty' : 'not on a two-way trip'
}

/** What should be raised. Pure. */
export function dueAlarms(figures: StayFigures, allowedEmpties: number): Due<StayAlarm>[] {
  const over = figures.over.map((s) => ({
    alarm: 'stay-over' as const,
    plate: s.vehicle,
    passage: s.passage,
    why: `${s.vehicle} is inside for more than ${inWords(s.limit_h)} (${kindOf(s)})`,
  }))
  if (!figures.backlog) return over
  return [...over, { alarm: 'empty-backlog', why: `${figures.empties} empty vehicles are inside, more than ${allowedEmpties}` }]
}
