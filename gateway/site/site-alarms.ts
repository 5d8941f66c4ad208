/** Alarms of the whole site: raised once, cleared once, also over a restart. */
import type { EventEntry, StoredEvent } from '../journal/journal.ts'
import type { ClockQuality } from './passage.ts'

/** An alarm that should be raised just now. */
export interface Due<Code extends string> {
  readonly alarm: Code
  /** Absent: about no single vehicle. */
  readonly plate?: string
  readonly passage?: string
  readonly why: string
}

const key = (alarm: string, plate: string | undefined): string => `${alarm} ${plate ?? ''}`

export class SiteAlarms<Code extends string> {
  readonly #codes: readonly Code[]
  readonly #open = new Map<string, { readonly alarm: Code; readonly plate?: string }>()

  /** @param codes that are looked after here; others are not touched */
  constructor(codes: readonly Code[]) {
    this.#codes = codes
  }

  /** Those that an earlier run raised and did not clear. */
  restore(events: readonly Pick<StoredEvent, 'type' | 'json'>[]): void {
    for (const { type, json } of events) {
      const { alarm, plate } = (JSON.parse(json) as { data: { alarm?: unknown; plate?: unknown } }).data
      const code = this.#codes.find((c) => c === alarm)
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
  change(due: readonly Due<Code>[], at: number, clock: ClockQuality): EventEntry[] {
    const wanted = new Map(due.map((d) => [key(d.alarm, d.plate), d]))
    const gone = [...this.#open].filter(([k]) => !wanted.has(k))
    const fresh = [...wanted].filter(([k]) => !this.#open.has(k))
    for (const [k] of gone) this.#open.delete(k)
    for (const [k, { alarm, plate }] of fresh) this.#open.set(k, { alarm, ...(plate === undefined ? {} : { plate }) })
    return [...gone.map(([, about]) => event('cleared', about, at, clock)), ...fresh.map(([, about]) => event('raised', about, at, clock))]
  }
}

function event(
  change: 'raised' | 'cleared',
  about: Omit<Due<string>, 'why'> & { why?: string },
  at: number,
  clock: ClockQuality,
): EventEntry {
  return {
    kind: 'event',
    type: `luong.alarm.${change}.v1`,
    subject: about.alarm,
    at,
    data: { ...about, ...(about.plate === undefined ? {} : { plate: about.plate.slice(0, 16) }), clock, historical: false },
  }
}
