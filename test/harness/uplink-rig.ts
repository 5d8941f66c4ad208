/** The real uplink without a site around it: journal on disk, publisher, connection, and `resend-from` by command. */
import { Backoff } from '../../firmware-bridge/transport/backoff.ts'
import { createJournal } from '../../gateway/journal/create.ts'
import type { Journal } from '../../gateway/journal/journal.ts'
import { systemClock } from '../../gateway/kernel/clock.ts'
import { messageOf } from '../../gateway/kernel/errors.ts'
import { type Log, silentLog } from '../../gateway/kernel/log.ts'
import { BrokerConnection, type ConnectionOptions } from '../../gateway/uplink/connection.ts'
import { Inbox } from '../../gateway/uplink/inbox.ts'
import { parkedInJournal } from '../../gateway/uplink/parked.ts'
import { Publisher, type PublisherOptions } from '../../gateway/uplink/publisher.ts'
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
  readonly connection?: Partial<ConnectionOptions>
  readonly publisher?: Partial<PublisherOptions>
  readonly log?: Log
}

export const BASE = { root: 'luong/v1', site: SITE } as const

export async function openUplink(o: RigOptions): Promise<UplinkRig> {
  const { dir, url, log = silentLog } = o
  const clock = systemClock
  const journal = createJournal({ dir, site: SITE, minFreeMb: 1 })
  await journal.open()
  const connection = new BrokerConnection({
    name: 'uplink',
    url,
    clientId: `luong-${SITE}`,
    keepSession: true,
    protocol: 'auto',
    clock,
    log,
    backoff: new Backoff(20, 200),
    ...o.connection,
  })
  const publisher = new Publisher({
    ...BASE,
    target: 'uplink',
    link: connection,
    source: journal,
    parked: parkedInJournal(journal, 'uplink'),
    clock,
    log,
    ...o.publisher,
  })
  const seen = new SeenCommands(journal, clock)
  await seen.load()
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
          publisher.resendFrom(c.from)
          return { ok: true }
        } catch (error) {
          return { ok: false, error: messageOf(error) }
        }
      },
    },
  })
  const detach = inbox.attach(connection)
  await publisher.start()
  connection.start()
  return {
    journal,
    connection,
    publisher,
    async stop() {
      await publisher.stop()
      detach()
      await connection.stop()
      await journal.close()
    },
  }
}
