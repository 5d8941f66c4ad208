/** How far the wall clock can be trusted, from what the system's time service leaves behind. */
import { existsSync } from 'node:fs'
import type { Clock } from '../kernel/clock.ts'
import type { ClockQuality } from './passage.ts'

/** systemd-timesyncd touches this file once it has set the clock from a server. */
const SYNCED = '/run/systemd/timesync/synchronized'
const TIMESYNCD = '/run/systemd/timesync'
const EVERY_MS = 30_000

/** `synced` is null where no time service that we know runs. The answer is looked up every half minute at most. */
export function clockQuality(clock: Clock): () => ClockQuality {
  let asked = Number.NEGATIVE_INFINITY
  let answer: ClockQuality = { synced: null, offset_ms: null }
  return () => {
    const now = clock.mono()
    if (now - asked >= EVERY_MS) {
      asked = now
      answer = { synced: existsSync(SYNCED) ? true : existsSync(TIMESYNCD) ? false : null, offset_ms: null }
    }
    return answer
  }
}
