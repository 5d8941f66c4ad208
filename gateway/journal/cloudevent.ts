/** CloudEvents 1.0 JSON, rendered once when an event is stored and published byte for byte. */
import type { Zone } from './zone.ts'

export interface EventFields {
  readonly sequence: number
  readonly type: string
  readonly lane: string | null
  readonly subject: string | null
  readonly at: number
  /** JSON text of `data`. */
  readonly data: string
}

export const eventId = (site: string, sequence: number): string => `${site}:${sequence}`
export const eventSource = (site: string, lane: string | null): string => `/luong/${site}${lane === null ? '' : `/lane/${lane}`}`

export function renderEvent(site: string, zone: Zone, e: EventFields): string {
  const head = JSON.stringify({
    specversion: '1.0',
    id: eventId(site, e.sequence),
    source: eventSource(site, e.lane),
    type: e.type,
    ...(e.subject === null ? {} : { subject: e.subject }),
    time: zone.format(e.at),
    datacontenttype: 'application/json',
    sequence: String(e.sequence),
  })
  return `${head.slice(0, -1)},"data":${e.data}}`
}
