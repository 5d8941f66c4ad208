/** A site: everything put together, started in an order in which nothing can be lost, and stopped in one in which nothing moves. */
import { randomBytes } from 'node:crypto'
import { loadSite } from '../../config/load.ts'
import type { Devices } from '../../firmware-bridge/build.ts'
import type { ReaderPool } from '../../models/plate.ts'
import type { RunningBroker } from '../broker/config.ts'
import { DeclarationIndex } from '../identity/declarations.ts'
import { ListIndex } from '../identity/lists.ts'
import type { EventEntry, Journal, PassageRow } from '../journal/journal.ts'
import { type Zone, zoneOf } from '../journal/zone.ts'
import { type Clock, systemClock, withDeadline } from '../kernel/clock.ts'
import { LuongError, messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import type { RuleSet } from '../rules/load.ts'
import type { Inbox } from '../uplink/inbox.ts'
import type { Status } from '../uplink/schema/up.ts'
import { type SiteFacts, siteEvent, siteStatus } from './about.ts'
import { Box } from './box.ts'
import { watchClock } from './clock-quality.ts'
import { combinedHash, platformLink, targetConnections } from './derive.ts'
import { Desk } from './desk.ts'
import { allSaid, lanesDrained } from './ending.ts'
import { SiteFigures } from './figures.ts'
import { ListFreshness } from './freshness.ts'
import type { GatewayOptions } from './gateway-options.ts'
import { type HealthServer, LoopDelay, startHealth } from './health.ts'
import { Imports } from './imports.ts'
import { openInbox, recall } from './inbound.ts'
import type { LanePlans, TurnAgreement } from './lane-plans.ts'
import type { LaneRunner } from './lane-runner.ts'
import { otherLane, sitePlans, siteTurns } from './lane-views.ts'
import { type LaneUnit, makeLane, policyOf } from './lanes.ts'
import { resendOver, type Target } from './links.ts'
import { type Pair, startPair } from './pair.ts'
import { embeddedBroker, loadParts, type Parts } from './parts.ts'
import type { ClockQuality } from './passage.ts'
import { startReaders } from './readers.ts'
import { checkedRules, needRestart } from './reload.ts'
import { Renewal } from './renewal.ts'
import { SentOn } from './sent-on.ts'
import { Storage } from './storage.ts'
import { Telling } from './telling.ts'
import type { Turns } from './turns.ts'

export type { GatewayOptions } from './gateway-options.ts'

const SETTLE_MS = 5_000
const FAREWELL_MS = 1_000
const STOP_RECORD_MS = 3_000

export class Gateway {
  readonly #o: GatewayOptions
  readonly #clock: Clock
  readonly #log: Log
  readonly #zone: Zone
  readonly #quality: () => ClockQuality
  readonly #boot = randomBytes(8).toString('hex')
  readonly #loop = new LoopDelay()
  readonly declarations = new DeclarationIndex()
  readonly lists = new ListIndex()
  readonly freshness: ListFreshness
  readonly #imports: Imports
  readonly #lanes = new Map<string, LaneUnit>()
  readonly #desk: Desk
  #pair: Pair | null = null
  readonly #targets: Target[] = []
  readonly #sent: SentOn
  readonly #plans: LanePlans
  readonly #turns: Turns
  #parts!: Parts
  #rules!: RuleSet
  #storage: Storage | null = null
  #pool!: ReaderPool
  #devices!: Devices
  /** What devices say and are told over the site broker. */
  #messages!: Target['connection']
  #inbox!: Inbox
  readonly figures: SiteFigures
  #broker: RunningBroker | null = null
  #health: HealthServer | null = null
  #telling: Telling | null = null
  #stopping: Promise<void> | null = null
  #announced = false
  readonly #renewal: Renewal
  readonly #box: Box
  readonly #started: (() => Promise<unknown> | unknown)[] = []

  constructor(options: GatewayOptions) {
    this.#o = options
    this.#clock = options.clock ?? systemClock
    this.#log = options.log
    this.#sent = new SentOn(this.#clock)
    const [{ dataDir, log }, { site }] = [options, options.loaded]
    this.#zone = zoneOf(site.site.timezone)
    const onSet = (e: EventEntry) => void (this.#announced && this.storage.recorder.record([e]).catch(() => {}))
    this.#quality = watchClock({ clock: this.#clock, zone: this.#zone, onSet })
    this.#renewal = new Renewal(site, options.uplinkUrl)
    const [journal, recorder, clock, boot] = [() => this.journal, () => this.storage.recorder, this.#clock, this.#boot]
    this.freshness = new ListFreshness({ policy: site.lists, journal, link: () => platformLink(site, this.#targets), clock, log })
    const changed = (lane: string) => this.#telling?.lane(lane)
    const about = { clock, clockQuality: this.#quality, zone: this.#zone, log }
    this.#desk = new Desk({ ...about, recorder, policy: site.desk })
    this.figures = new SiteFigures({ ...about, lanes: Object.keys(site.lanes), policy: site.stays })
    const mayTurn: TurnAgreement['mayTurn'] = async (lane, way) => (this.#pair ? this.#pair.mayTurn(lane, way) : 'not started')
    const agreement = options.turnAgreement ?? (site.peer ? { mayTurn } : null)
    this.#plans = sitePlans(options.loaded, this.#lanes, agreement, { ...about, journal, recorder, changed })
    this.#turns = siteTurns(site, this.#lanes, { ...about, recorder })
    this.#imports = new Imports({ dataDir, journal, declarations: this.declarations, freshness: this.freshness, clock, log })
    this.#box = new Box({ ...about, root: site.site.root, site: site.site.id, dataDir, boot, targets: this.#targets, journal, recorder })
  }

  get mqttUrl(): string | null {
    return this.#broker ? `mqtt://${this.#broker.host}:${this.#broker.port}` : null
  }
  get httpPort(): number | null {
    return this.#health?.port ?? null
  }
  /** Throws before {@link start} has opened it. */
  get storage(): Storage {
    if (!this.#storage) throw new LuongError('STOPPED', 'the site is not started')
    return this.#storage
  }
  get journal(): Journal {
    return this.storage.journal
  }
  get config(): `sha256:${string}` {
    return combinedHash(this.#o.loaded.hash, this.#rules.hash)
  }
  lane(id: string): LaneRunner | undefined {
    return this.#lanes.get(id)?.runner
  }

  /** Rejects with the first thing that keeps the site from running; what was started by then is stopped again. */
  async start(): Promise<void> {
    try {
      await this.#start()
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  async #start(): Promise<void> {
    const { loaded, dataDir } = this.#o
    const { site } = loaded
    this.#loop.start()
    this.#started.push(() => this.#loop.stop())
    // Models take longest to load, and in threads of their own.
    this.#pool = this.#o.pool ?? startReaders(site.plates, this.#log)
    this.#started.push(() => this.#pool.close())
    const pool = this.#pool.start()
    pool.catch(() => {})
    this.#storage = new Storage(site, dataDir, this.#clock, this.#log, this.figures.recorded)
    this.#started.push(() => this.#storage?.close())
    // In a thread of its own as well.
    const opened = this.#storage.open()
    opened.catch(() => {})
    this.#parts = await loadParts()
    this.#rules = await checkedRules(loaded)
    await opened
    await this.#box.open()
    const unfinished = await recall(this.journal, this.declarations, this.lists, this.#log)
    await Promise.all([this.figures.restore(this.journal), this.#desk.restore(this.journal), this.freshness.load()])
    this.#started.push(() => this.freshness.save())
    await this.#imports.start()
    this.#started.push(() => this.#imports.stop())
    await this.#connect()
    const looked = this.#box.look()
    this.#started.push(() => this.#box.stop())
    await this.#build(unfinished)
    await pool
    const telling = this.#tell()
    // A port that is taken must be known before anything is wired up.
    const about = { health: () => telling.health(), samples: () => telling.samples() }
    this.#health = await startHealth({ host: site.http.host, port: this.#o.httpPort ?? site.http.port, ...about })
    this.#started.push(() => this.#health?.stop())
    await this.#announce(unfinished)
    this.#announced = true
    await looked
    this.figures.start(this.storage.recorder)
    this.#started.push(() => this.figures.stop())
    for (const unit of this.#lanes.values()) unit.start()
    await this.#plans.start()
    this.#started.push(() => this.#plans.stop())
    this.#devices.start()
    // Where devices use it.
    if ([...this.#devices.links.values()].includes(this.#messages)) this.#messages.start()
    for (const target of this.#targets) await target.start()
    if (!this.#stopping) telling.start()
  }

  async #connect(): Promise<void> {
    const { site } = this.#o.loaded
    const base = { root: site.site.root, site: site.site.id }
    this.#inbox = await openInbox({
      ...base,
      journal: this.journal,
      recorder: this.storage.recorder,
      declarations: this.declarations,
      lists: this.lists,
      freshness: this.freshness,
      desk: this.#desk,
      pair: () => this.#pair,
      lane: (id) => this.lane(id),
      lanes: () => [...this.#lanes.keys()],
      plans: this.#plans,
      resendFrom: (sequence, via) => resendOver(this.#targets, via, sequence),
      clock: this.#clock,
      clockQuality: this.#quality,
      log: this.#log,
    })
    this.#broker = await embeddedBroker(this.#parts, this.#o)
    this.#started.push(() => this.#broker?.stop())
    for (const t of targetConnections(site, this.#broker, this.#o.uplinkUrl)) {
      const target = new this.#parts.Target({
        ...base,
        ...t,
        ...this.#box.before(t),
        journal: this.#box.source(),
        inbox: this.#inbox,
        status: () => this.#status(),
        clock: systemClock,
        log: this.#log,
      })
      this.#box.listen(target)
      this.#targets.push(target)
      this.#started.push(() => target.stop())
    }
    const local = this.#targets[0]!.connection
    const { journal, declarations } = this
    const [lane, clock, quality] = [(id: string) => this.lane(id), this.#clock, this.#quality]
    this.#pair = await startPair(site, { ...this.#o, local, journal, declarations, lane, clock, quality })
    this.#started.push(() => this.#pair?.stop())
  }

  async #build(unfinished: readonly PassageRow[]): Promise<void> {
    const { loaded } = this.#o
    this.#messages = this.#targets[0]!.forDevices()
    this.#started.push(() => this.#messages.stop())
    this.#devices = await this.#parts.buildDevices({
      links: loaded.site.links,
      devices: loaded.devices,
      clock: this.#clock,
      log: this.#log,
      messages: this.#messages,
      ...(this.#o.bytesFor ? { bytesFor: this.#o.bytesFor } : {}),
    })
    this.#started.push(() => this.#devices.stop())
    const plans = new Map((await this.journal.documents('lane-plan')).map(({ key, value }) => [key, value]))
    for (const [id, config] of Object.entries(loaded.site.lanes)) {
      const unit = makeLane({
        id,
        config,
        plates: loaded.site.plates,
        devices: this.#devices,
        recorder: this.storage.recorder,
        pool: this.#pool,
        declarations: this.declarations,
        lists: this.lists,
        freshness: () => this.freshness.read(),
        earlier: this.figures,
        peer: this.#pair ? (identity, direction) => this.#pair!.facts(identity, direction) : undefined,
        rules: this.#rules,
        loaded,
        keep: (passage, name, image) => this.storage.keep(passage, name, image),
        inhibited: () => this.storage.inhibited() ?? this.#box.inhibited(),
        mayTurn: (direction) => this.#plans.mayTurn(id, direction),
        otherLanes: { lanes: () => [...this.#lanes].map(([other, u]) => otherLane(u, this.#sent.coming(other))), sent: this.#sent },
        unfinished: unfinished.find((row) => row.lane === id) ?? null,
        plan: plans.get(id),
        savePlan: (plan) => this.journal.putDocument('lane-plan', id, plan),
        clock: this.#clock,
        clockQuality: this.#quality,
        zone: this.#zone,
        log: this.#log,
        turns: this.#turns,
        onChange: () => this.#telling?.lane(id),
        onPassage: (type, passage) => {
          this.#desk.passage(type, passage)
          // What is recorded with this event is not yet: it is counted a moment later.
          if (type === 'luong.passage.cleared.v1') queueMicrotask(() => this.figures.watch())
          this.#o.onPassage?.(type, passage)
        },
      })
      this.#lanes.set(id, unit)
      this.#started.push(() => unit.stop())
    }
  }

  /** All parts are there: what it tells from now on. */
  #tell(): Telling {
    const { declarations, lists, freshness, figures, storage } = this
    this.#telling = new Telling({
      ...{ declarations, lists, freshness, figures, storage },
      lanes: this.#lanes,
      targets: this.#targets,
      devices: this.#devices,
      pool: this.#pool,
      broker: this.#broker,
      inbox: this.#inbox,
      pair: this.#pair,
      desk: this.#desk,
      turns: this.#turns,
      plans: this.#plans,
      box: this.#box,
      renewal: this.#renewal,
      loop: this.#loop,
      status: () => this.#status(),
      clock: this.#clock,
      zone: this.#zone,
    })
    return this.#telling
  }

  /** `site.started`, and the end of every unfinished passage whose lane is not there any more. */
  async #announce(unfinished: readonly PassageRow[]): Promise<void> {
    await this.storage.recorder.record([
      siteEvent('started', this.#facts(), unfinished.length > 0 ? { unfinished: unfinished.map((r) => r.id).slice(0, 256) } : {}),
    ])
  }

  #facts(): SiteFacts {
    return { boot: this.#boot, config: this.config, clock: this.#quality(), now: this.#clock.now() }
  }

  #status(): Status {
    return siteStatus(this.#o.loaded.site.site.id, this.#facts(), this.journal.head().sequence, this.#zone)
  }

  /**
   * Reads the site file and the rules again. Every lane takes what may be exchanged as soon as it is idle. Returns the keys whose
   * change needs a restart. Rejects with everything that is wrong, and changes nothing then.
   */
  async reload(): Promise<readonly string[]> {
    const loaded = await loadSite(this.#o.loaded.path)
    const rules = await checkedRules(loaded)
    const restart = needRestart(this.#o.loaded, loaded)
    const targets = [...this.#targets, { name: 'local', connection: this.#messages } as const]
    const parts = { broker: this.#broker, targets, pair: this.#pair, devices: this.#devices }
    this.#renewal.take(loaded, restart, { running: this.#o.loaded, ...parts })
    this.#rules = rules
    this.freshness.policy = loaded.site.lists
    this.#plans.exchange(loaded.site.lane_plan)
    for (const [id, unit] of this.#lanes) {
      const config = loaded.site.lanes[id]
      if (config) unit.runner.exchange(policyOf(id, config, rules))
    }
    this.#log.info({ config: loaded.hash, rules: rules.hash, restart }, 'configuration read again')
    return restart
  }

  /** Waits until everything recorded is durable and acknowledged by the brokers that are there; at most `ms`. */
  async settle(ms = SETTLE_MS): Promise<void> {
    await allSaid(this.storage.recorder, this.#targets, ms)
  }

  /** A stop will follow: {@link start} waits for nobody elsewhere any more. */
  hurry(): void {
    void this.#box.stop()
  }

  /** Lets nobody in any more and waits until those who were let in are through and no arm moves; at most 20 s. */
  drain(): Promise<void> {
    return lanesDrained([...this.#lanes.values()].map((unit) => unit.runner))
  }

  /** Finishes what is durable to finish, and closes everything in the reverse order of starting. Moves nothing. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    this.#telling?.stop()
    for (const unit of this.#lanes.values()) unit.stop()
    this.#desk.stop()
    if (this.#storage && this.#announced) {
      const stopped = this.#storage.recorder.record([siteEvent('stopped', this.#facts())]).catch(() => {})
      await withDeadline(systemClock, stopped, STOP_RECORD_MS, () => new Error('late')).catch(() => {})
      this.#box.sign()
      // Whoever listens hears of the stop now, not at the next start.
      await this.settle(FAREWELL_MS)
    }
    for (const stop of this.#started.reverse())
      try {
        await stop()
      } catch (error) {
        this.#log.warn({ err: messageOf(error) }, 'stopping')
      }
    this.#started.length = 0
  }
}
