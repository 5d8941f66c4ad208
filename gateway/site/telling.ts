/** What a running site tells: its brokers every few seconds, and of a lane whenever it changes; `/health` and `/metrics` when they are asked. */
import type { Devices } from '../../firmware-bridge/build.ts'
import type { ReaderPool } from '../../models/plate.ts'
import type { RunningBroker } from '../broker/config.ts'
import type { DeclarationIndex } from '../identity/declarations.ts'
import type { ListIndex } from '../identity/lists.ts'
import type { Zone } from '../journal/zone.ts'
import { type Clock, systemClock, type Timer } from '../kernel/clock.ts'
import type { Inbox } from '../uplink/inbox.ts'
import type { Status } from '../uplink/schema/up.ts'
import type { Box } from './box.ts'
import type { Desk } from './desk.ts'
import type { SiteFigures } from './figures.ts'
import type { ListFreshness } from './freshness.ts'
import type { HealthReport, LoopDelay, Sample } from './health.ts'
import type { LanePlans } from './lane-plans.ts'
import { type LaneUnit, laneState } from './lanes.ts'
import type { Target } from './links.ts'
import type { Pair } from './pair.ts'
import type { Renewal } from './renewal.ts'
import { healthReport, type SiteView, samples } from './report.ts'
import type { Storage } from './storage.ts'
import type { Turns } from './turns.ts'

const EVERY_MS = 5_000

/** The parts of a site once all are made. */
export interface TellingParts {
  readonly lanes: ReadonlyMap<string, LaneUnit>
  readonly targets: readonly Target[]
  readonly devices: Devices
  readonly storage: Storage
  readonly pool: ReaderPool
  readonly broker: RunningBroker | null
  readonly inbox: Inbox
  readonly pair: Pair | null
  readonly declarations: DeclarationIndex
  readonly lists: ListIndex
  readonly freshness: ListFreshness
  readonly figures: SiteFigures
  readonly desk: Desk
  readonly turns: Turns
  readonly plans: LanePlans
  readonly box: Box
  readonly renewal: Renewal
  readonly loop: LoopDelay
  readonly status: () => Status
  readonly clock: Clock
  readonly zone: Zone
}

export class Telling {
  readonly #o: TellingParts
  #timer: Timer | null = null
  #stopped = false

  constructor(parts: TellingParts) {
    this.#o = parts
  }

  /** From now on every few seconds, until {@link stop}. */
  start(): void {
    this.#tick()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  /** A lane has changed. */
  lane(id: string): void {
    const { lanes, desk, turns, plans, devices, freshness, targets, zone, clock } = this.#o
    const unit = lanes.get(id)
    if (!unit) return
    turns.changed(id)
    const about = { desk: desk.of(id), turn: turns.why(id), plan: plans.about(id) }
    const state = laneState(unit, about, devices, freshness.read(), zone, clock.now())
    for (const target of targets) target.lane(id, state)
  }

  health(): HealthReport {
    return healthReport(this.#view())
  }

  samples(): Sample[] {
    return samples(this.#view())
  }

  #tick(): void {
    if (this.#stopped) return
    const { lanes, targets, freshness, figures, box, renewal, status } = this.#o
    freshness.tick()
    const stats = figures.stats()
    for (const target of targets) {
      target.stats(stats)
      target.status(status())
    }
    box.tick()
    renewal.tick([...lanes.values()].map(({ runner }) => runner.state.phase))
    for (const id of lanes.keys()) this.lane(id)
    this.#timer = systemClock.after(EVERY_MS, () => this.#tick())
  }

  #view(): SiteView {
    const { lanes, devices, storage, freshness, zone, desk, box } = this.#o
    return {
      ...{ lanes, devices, zone },
      journal: storage.journal.stats(),
      head: storage.journal.head(),
      recorder: storage.recorder,
      evidence: storage.evidence.stats(),
      pool: this.#o.pool.stats(),
      targets: this.#o.targets.map((t) => ({ connection: t.connection.stats(), publisher: t.publisher.stats() })),
      broker: this.#o.broker?.stats() ?? null,
      loop: this.#o.loop.read(),
      declarations: this.#o.declarations.size,
      listEntries: this.#o.lists.entries,
      freshness: freshness.read(),
      inside: this.#o.figures.inside(),
      now: this.#o.clock.now(),
      inbox: this.#o.inbox.stats(),
      said: [...desk.problems(), ...box.problems()],
      pair: this.#o.pair?.stats() ?? null,
      certificates: this.#o.renewal.certificates,
    }
  }
}
