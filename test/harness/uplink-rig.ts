/** The real uplink without a site around it: journal on disk, a site's way to its broker, and `resend-from` by command. */
import { Backoff } from '../../firmware-bridge/transport/backoff.ts'
import { createJournal } from '../../gateway/journal/create.ts'
import type { Journal } from '../../gateway/journal/journal.ts'
import { zoneOf } from '../../gateway/journal/zone.ts'
import { systemClock } from '../../gateway/kernel/clock.ts'
import { messageOf } from '../../gateway/kernel/errors.ts'
import { silentLog } from '../../gateway/kernel/log.ts'
import { siteStatus } from '../../gateway/site/about.ts'
import { Target, type TargetOptions } from '../../gateway/site/links.ts'
import type { BrokerConnection } from '../../gateway/uplink/connection.ts'
import { Inbox } from '../../gateway/uplink/inbox.ts'
import type { Publisher } from '../../gateway/uplink/publisher.ts'
import { SeenCommands } from '../../gateway/uplink/seen.ts'
import { SITE } from './traffic-events.ts'

export interface UplinkRig {
  readonly journal: Journal
  readonly connection: BrokerConnection
  readonly publisher: Publisher
  /** Stops the uplink and closes the journal. */
  stop(): Promise<void>
}

export interface RigOptions {
  readonly dir: string
  readonly url: string
  readonly connection?: Partial<TargetOptions['connection']>
  readonly latePerSecond?: number | undefined
}

export const BASE = { root: 'luong/v1', site: SITE } as const
/** As a site tells its status. */
const STATUS_MS = 1_000
const FACTS = { boot: 'boot', config: `sha256:${'0'.repeat(64)}`, clock: { synced: null, offset_ms: null } } as const

export async function openUplink(o: RigOptions): Promise<UplinkRig> {
  const clock = systemClock
  const log = silentLog
  const journal = createJournal({ dir: o.dir, site: SITE, minFreeMb: 1 })
  await journal.open()
  const seen = new SeenCommands(journal, clock)
  await seen.load()
  const zone = zoneOf('Asia/Ho_Chi_Minh')
  const status = () => siteStatus(SITE, { ...FACTS, now: clock.now() }, journal.head().sequence, zone)
  const inbox = new Inbox({
    ...BASE,
    clock,
    log,
    seen,
    handlers: {
      onDeclaration: () => {},
      onListEntry: () => {},
      async onCommand(c) {
        if (c.do !== 'resend-from') return { ok: false, error: `${c.do} is not known here` }
        try {
          target.publisher.resendFrom(c.from)
          return { ok: true }
        } catch (error) {
          return { ok: false, error: messageOf(error) }
        }
      },
    },
  })
  const target = new Target({
    ...BASE,
    target: 'uplink',
    connection: { url: o.url, keepSession: true, protocol: 'auto', backoff: new Backoff(20, 200), ...o.connection },
    clientId: `luong-${SITE}`,
    window: 32,
    ...(o.latePerSecond === undefined ? {} : { latePerSecond: o.latePerSecond }),
    journal,
    inbox,
    status,
    clock,
    log,
  })
  await target.start()
  const timer = setInterval(() => target.status(status()), STATUS_MS)
  return {
    journal,
    connection: target.connection,
    publisher: target.publisher,
    async stop() {
      clearInterval(timer)
      await target.stop()
      await journal.close()
    },
  }
}
