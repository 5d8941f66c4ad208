/** Alarms of the whole site over who is inside: raised once, cleared once, also over a restart. */
import type { Stay, StayFigures } from '../figures/stays.ts'
import type { EventEntry, StoredEvent } from '../journal/journal.ts'
import type { ClockQuality } from './passage.ts'

const CODES = ['stay-over', 'empty-backlog'] as const
export type StayAlarm = (typeof CODES)[number]

/** An alarm that should be raised just now. */
interface Due {
  readonly alarm: StayAlarm
  /** Absent: about no single vehicle. */
  readonly plate?: string
  readonly passage?: string
  readonly why: string
}

const key = (alarm: string, plate: string | undefined): string => `${alarm} ${plate ?? ''}`
const inWords = (h: number): string => `${Math.round(h * 10) / 10} h`

function kindOf(stay: Stay): string {
  if (stay.two_way) return 'on a two-way trip'
  return stay.traffic === 'empty' ? 'empty' : 'not on a two-way trip'
}

/** What should be raised. Pure. */
export function dueAlarms(figures: StayFigures, allowedEmpties: number): Due[] {
  const over = figures.over.map((s) => ({
    alarm: 'stay-over' as const,
    plate: s.vehicle,
    passage: s.passage,
    why: `${s.vehicle} is inside for more than ${inWords(s.limit_h)} (${kindOf(s)})`,
  }))
  if (!figures.backlog) return over
  return [...over, { alarm: 'empty-backlog', why: `${figures.empties} empty vehicles are inside, more than ${allowedEmpties}` }]
}

export class StayAlarms {
  readonly #open = new Map<string, { readonly alarm: StayAlarm; readonly plate?: string }>()

  /** Those that an earlier run raised and did not clear. */
  restore(events: readonly Pick<StoredEvent, 'type' | 'json'>[]): void {
    for (const { type, json } of events) {
      const { alarm, plate } = (JSON.parse(json) as { data: { alarm?: unknown; plate?: unknown } }).data
      const code = CODES.find((c) => c === alarm)
      if (code === undefined) continue
      const vehicle = typeof plate === 'string' ? plate : undefined
      if (type === 'luong.alarm.cleared.v1') this.#open.delete(key(code, vehicle))
      else this.#open.set(key(code, vehicle), { alarm: code, ...(vehicle === undefined ? {} : { plate: vehicle }) })
    }
  }

  get open(): readonly string[] {
    return [...this.#open.values()].map(({ alarm, plate }) => (plate === undefined ? alarm : `${alarm} ${plate}`))
  }

  /** The events that make what is raised what is due. */
  change(due: readonly Due[], at: number, clock: ClockQuality): EventEntry[] {
    const wanted = new Map(due.map((d) => [key(d.alarm, d.plate), d]))
    const gone = [...this.#open].filter(([k]) => !wanted.has(k))
    const fresh = [...wanted].filter(([k]) => !this.#open.has(k))
    for (const [k] of gone) this.#open.delete(k)
    for (const [k, { alarm, plate }] of fresh) this.#open.set(k, { alarm, ...(plate === undefined ? {} : { plate }) })
    return [...gone.map(([, about]) => event('cleared', about, at, clock)), ...fresh.map(([, about]) => event('raised', about, at, clock))]
  }
}

function event(change: 'raised' | 'cleared', about: Omit<Due, 'why'> & { why?: string }, at: number, clock: ClockQuality): EventEntry {
  return {
    kind: 'event',
    type: `luong.alarm.${change}.v1`,
    subject: about.alarm,
    at,
    data: { ...about, ...(about.plate === undefined ? {} : { plate: about.plate.slice(0, 16) }), clock, historical: false },
  }
}
