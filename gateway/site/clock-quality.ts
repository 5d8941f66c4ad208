/** How far the wall clock can be trusted, from what the system's time service leaves behind and from the steps it makes. */
import { existsSync } from 'node:fs'
import type { EventEntry } from '../journal/journal.ts'
import type { Zone } from '../journal/zone.ts'
import type { Clock } from '../kernel/clock.ts'
import type { ClockQuality } from './passage.ts'

/** systemd-timesyncd touches this file once it has set the clock from a server. */
const SYNCED = '/run/systemd/timesync/synchronized'
const TIMESYNCD = '/run/systemd/timesync'
const EVERY_MS = 30_000
/** Time services slew smaller errors away; what moves the wall clock further at once has set it. */
const STEP_MS = 500
/** No clock was right before this program was written. */
const SURELY_WRONG = Date.parse('2026-01-01T00:00:00Z')

export interface ClockWatchOptions {
  readonly clock: Clock
  readonly zone: Zone
  /** Told when the clock was set, or its state became known: to be recorded before anything that is stamped anew. */
  readonly onSet: (event: EventEntry) => void
  /** Whether the clock follows a server; null: not known. Default: asks the system. */
  readonly synced?: () => boolean | null
}

/**
 * Notices steps whenever somebody asks for the quality, which everybody does who stamps an event: so the event `luong.clock.set.v1`
 * stands in the journal between what was stamped by the old clock and what is stamped by the new one.
 */
export function watchClock({ clock, zone, onSet, synced = askSystem }: ClockWatchOptions): () => ClockQuality {
  let asked = clock.mono()
  /** Wall clock less monotonic clock. */
  let apart = clock.now() - asked
  let answer: ClockQuality = { synced: synced(), offset_ms: null, since: zone.format(clock.now()) }
  return () => {
    const now = clock.mono()
    const wall = clock.now()
    const by = wall - now - apart
    apart = wall - now
    const stepped = Math.abs(by) >= STEP_MS
    if (!stepped && now - asked < EVERY_MS) return answer
    asked = now
    const before = answer
    const known = synced()
    if (!stepped && known === before.synced) return answer
    answer = { synced: known, offset_ms: null, since: zone.format(wall) }
    const by_ms = stepped ? Math.round(by) : 0
    const wrong = before.synced === false || wall - by < SURELY_WRONG
    const restamp = stepped && known !== false && wrong && wall >= SURELY_WRONG
    onSet({
      kind: 'event',
      type: 'luong.clock.set.v1',
      at: wall,
      data: { by_ms, before: zone.format(wall - by), restamp, was: before.synced, clock: answer, historical: false },
    })
    return answer
  }
}

/** null where no time service that we know runs. */
function askSystem(): boolean | null {
  return existsSync(SYNCED) ? true : existsSync(TIMESYNCD) ? false : null
}
