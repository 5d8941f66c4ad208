/** What a site says of itself: that it started or stopped, and how it is. */
import type { EventEntry } from '../journal/journal.ts'
import type { Zone } from '../journal/zone.ts'
import type { Status } from '../uplink/schema/up.ts'
import { version } from '../version.ts'
import type { ClockQuality } from './passage.ts'

/** What is true of this run just now. */
export interface SiteFacts {
  /** Of this start of the program. */
  readonly boot: string
  readonly config: `sha256:${string}`
  readonly clock: ClockQuality
  /** Wall clock, ms. */
  readonly now: number
}

export function siteEvent(type: 'started' | 'stopped', facts: SiteFacts, extra: Record<string, unknown> = {}): EventEntry {
  const { boot, config, clock, now } = facts
  return {
    kind: 'event',
    type: `luong.site.${type}.v1`,
    at: now,
    data: { boot, version, config, clock, historical: false, ...extra },
  }
}

/** @param sequence of the journal's last event */
export function siteStatus(site: string, facts: SiteFacts, sequence: number, zone: Zone): Status {
  const { boot, config, clock, now } = facts
  return { site, online: true, boot, version, config, clock, sequence, at: zone.format(now) }
}
