/** One gate of a country without its hardware: the real journal, and the real way up (gateway/site/links.ts) as an uplink is wired. */
import type { EventEntry } from '../../gateway/journal/journal.ts'
import { openSeal } from '../../gateway/journal/seal.ts'
import { zoneOf } from '../../gateway/journal/zone.ts'
import { systemClock } from '../../gateway/kernel/clock.ts'
import { LuongError } from '../../gateway/kernel/errors.ts'
import type { Log } from '../../gateway/kernel/log.ts'
import { siteEvent, siteStatus } from '../../gateway/site/about.ts'
import { Heads } from '../../gateway/site/heads.ts'
import { Target } from '../../gateway/site/links.ts'
import { Inbox } from '../../gateway/uplink/inbox.ts'
import { SeenCommands } from '../../gateway/uplink/seen.ts'
import { StoreJournal } from './store-journal.ts'

export const ROOT = 'luong/v1'
const STATUS_MS = 5_000

export interface GateOptions {
  readonly site: string
  readonly dir: string
  /** Broker addresses of the uplink, tried in turn. */
  readonly urls: readonly string[]
  readonly username?: string
  readonly password?: string
  readonly log: Log
}

export class Gate {
  readonly site: string
  readonly journal: StoreJournal
  readonly #o: GateOptions
  readonly #target: Target
  readonly #heads: Heads
  #timer: NodeJS.Timeout | undefined

  constructor(o: GateOptions) {
    const { site, dir, log } = o
    this.#o = o
    this.site = site
    this.journal = new StoreJournal(dir, site)
    const zone = zoneOf('Asia/Ho_Chi_Minh')
    const boot = `boot-of-${site}`
    const facts = () =>
      ({ boot, config: `sha256:${'0'.repeat(64)}`, clock: { synced: null, offset_ms: null }, now: systemClock.now() }) as const
    const seen = new SeenCommands(this.journal, systemClock)
    const inbox = new Inbox({
      root: ROOT,
      site,
      clock: systemClock,
      log,
      seen,
      handlers: {
        onDeclaration: (id, value) => this.journal.putDocument('declarations', id, value),
        onListEntry: (list, key, entry) => this.journal.putDocument('lists', `${list}/${key}`, entry),
        onCommand: async (c) => {
          if (c.do !== 'resend-from') throw new LuongError('BAD_USAGE', `a gate without lanes cannot ${c.do}`)
          this.#target.publisher.resendFrom(c.from)
          return { ok: true }
        },
      },
    })
    const [url, ...others] = o.urls
    const account = o.username === undefined ? {} : { username: o.username, password: o.password ?? '' }
    const status = () => siteStatus(site, facts(), this.journal.head().sequence, zone)
    this.#target = new Target({
      root: ROOT,
      site,
      target: 'uplink',
      clientId: `luong-${site}-uplink`,
      connection: { url: url!, others, keepSession: true, protocol: 'auto', ...account },
      window: 32,
      journal: this.journal,
      inbox,
      status,
      clock: systemClock,
      log,
    })
    this.#heads = new Heads({
      dataDir: dir,
      site,
      boot,
      head: () => this.journal.head(),
      targets: [this.#target],
      clock: systemClock,
      zone,
    })
    this.journal.record([siteEvent('started', facts())])
    openSeal(dir)
  }

  async start(): Promise<void> {
    this.#heads.open()
    await this.#target.start()
    const tick = () => {
      this.#heads.tick()
      this.#timer = setTimeout(tick, STATUS_MS)
    }
    tick()
  }

  record(entries: readonly EventEntry[]): void {
    this.journal.record(entries)
  }

  get lag(): number {
    return this.#target.publisher.stats().lag
  }
  /** Times that the way up stood. */
  get connects(): number {
    return this.#target.connection.stats().connects
  }
  /** Publishes handed over, repeats included. */
  get sent(): number {
    return this.#target.publisher.stats().sent
  }
  get why(): string | null {
    return this.#target.connection.stats().why ?? this.#target.publisher.stats().why
  }
  get options(): GateOptions {
    return this.#o
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#target.stop()
    this.journal.close()
  }
}
