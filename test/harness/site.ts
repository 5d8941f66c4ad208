/** A whole site in this process: gateway, its broker, simulated hardware and trucks, on a virtual clock, and a centre that checks what it hears. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LoadedSite, loadSite } from '../../config/load.ts'
import { type MemoryLine, memoryLine } from '../../firmware-bridge/transport/memory.ts'
import { mqttTransport } from '../../firmware-bridge/transport/mqtt.ts'
import { type Clock, systemClock } from '../../gateway/kernel/clock.ts'
import { type Log, silentLog } from '../../gateway/kernel/log.ts'
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts'
import { Gateway } from '../../gateway/site/gateway.ts'
import type { Passage } from '../../gateway/site/passage.ts'
import type { ReaderPool } from '../../models/plate.ts'
import type { Painter } from '../sim/camera.ts'
import { type Feed, MqttFeed } from '../sim/feed.ts'
import { loadScenario } from '../sim/scenario.ts'
import { createWorld, type World, type WorldOptions } from '../sim/world.ts'
import { LabelPool, labelPainter, until } from './chaos-site.ts'
import { Collector } from './collector.ts'

export interface SiteOptions extends Pick<WorldOptions, 'traffic' | 'officer' | 'fps' | 'keep'> {
  /** Site file; its byte links, of whatever kind, end in memory. */
  readonly file: string
  /** Times real time, or as fast as the machine can. Default 30. */
  readonly pace?: number | 'free'
  /** Wall clock at the start, ms. Default: in the morning, so that pictures are bright. */
  readonly epoch?: number
  readonly seed?: string | number
  /** A scene of test/sim/scenarios by name. */
  readonly scene?: string
  /** Drawn pictures, or these, and the real reader; default: labelled pictures and a reader that knows the labels. */
  readonly realReader?: boolean | Painter
  /** Default: a new one, removed at stop. */
  readonly dataDir?: string
  readonly log?: Log
  /** A clock that others share; whoever made it stops it. Default: an own one. */
  readonly clock?: VirtualClock
  /** How far the wall clock of this site is wrong, ms. */
  readonly skewMs?: number
  /** Where the other half of a smart gate is met. */
  readonly peerUrl?: string
  /** Looks on from outside. */
  readonly watch?: (loaded: LoadedSite, clock: Clock) => SiteWatch
}

/** May put itself between the gateway and what brings it its inputs, and changes nothing. */
export interface SiteWatch {
  pool(pool: ReaderPool): ReaderPool
  line(id: string, line: MemoryLine): MemoryLine
  onPassage(type: string, passage: Passage): void
}

export interface RunningSite {
  readonly loaded: LoadedSite
  readonly gateway: Gateway
  readonly world: World
  /** Where declarations and lists are told. */
  readonly feed: Feed
  readonly clock: VirtualClock
  readonly centre: Collector
  readonly dataDir: string
  readonly lines: ReadonlyMap<string, MemoryLine>
  /** Waits until every lane's core is in one of these phases. */
  phases(...phases: readonly string[]): Promise<void>
  /** Waits until the centre has heard everything that is in the journal. */
  heard(): Promise<void>
  /** The scene or the traffic is over, the lanes are empty, and all of it was heard. */
  over(): Promise<void>
  stop(): Promise<void>
}

/** Daylight at the gates, so that pictures are bright. */
const MORNING = Date.parse('2026-11-21T03:00:00Z')

/** The same time, on a wall clock that is wrong. */
const skewed = (clock: Clock, ms: number): Clock => ({
  now: () => clock.now() + ms,
  mono: () => clock.mono(),
  after: (wait, fn) => clock.after(wait, fn),
  track: (work) => clock.track(work),
})

export async function startSite(o: SiteOptions): Promise<RunningSite> {
  const loaded = await loadSite(o.file)
  const dataDir = o.dataDir ?? (await mkdtemp(join(tmpdir(), 'luong-site-')))
  const shared = o.clock ?? new VirtualClock({ ...(o.pace === 'free' ? {} : { pace: o.pace ?? 30 }), epoch: o.epoch ?? MORNING })
  const clock = o.skewMs === undefined ? shared : skewed(shared, o.skewMs)
  const log = o.log ?? silentLog
  const watch = o.watch?.(loaded, clock)
  const lines = new Map(
    Object.keys(loaded.site.links).map((id) => {
      const line = memoryLine(id, clock)
      return [id, watch?.line(id, line) ?? line]
    }),
  )
  const undo: (() => unknown)[] = []
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  if (o.dataDir === undefined) undo.push(() => rm(dataDir, { recursive: true, force: true }))
  if (!o.clock) undo.push(() => shared.stop())
  const gateway = new Gateway({
    loaded,
    dataDir,
    log,
    clock,
    bytesFor: (link) => lines.get(link)?.master,
    mqttPort: 0,
    httpPort: 0,
    ...(o.peerUrl === undefined ? {} : { peerUrl: o.peerUrl }),
    ...(o.realReader ? {} : { pool: watch?.pool(new LabelPool()) ?? new LabelPool() }),
    ...(watch ? { onPassage: (type, passage) => watch.onPassage(type, passage) } : {}),
  })
  try {
    // The centre is there before the first event is: it listens as soon as the broker does.
    const started = gateway.start()
    undo.push(() => gateway.stop())
    await Promise.race([started, until('the broker listens', () => gateway.mqttUrl !== null)])
    const centre = new Collector({ url: gateway.mqttUrl!, site: loaded.site.site.id, now: () => clock.now() })
    await centre.start()
    undo.push(() => centre.stop())
    await started
    const messages = mqttTransport({ name: 'simulated devices', url: gateway.mqttUrl!, clock: systemClock, log })
    messages.start()
    undo.push(() => messages.stop())
    const feed = new MqttFeed(messages, `${loaded.site.site.root}/${loaded.site.site.id}`, log)
    feed.start()
    undo.push(() => feed.stop())
    const world = await createWorld(loaded, {
      feed,
      ...(o.keep === undefined ? {} : { keep: o.keep }),
      clock,
      log,
      seed: o.seed ?? 1,
      lineFor: (link) => lines.get(link)!.device,
      messages,
      traffic: o.traffic ?? false,
      officer: o.officer ?? false,
      ...(o.fps === undefined ? {} : { fps: o.fps }),
      ...(o.scene === undefined ? {} : { scenario: loadScenario(`test/sim/scenarios/${o.scene}.yaml`) }),
      ...(o.realReader === true ? {} : { painter: o.realReader || labelPainter }),
    })
    undo.push(() => world.stop())
    world.start()
    // Time stands still until the hardware is there: no device is missed at the start, however slow this machine is.
    shared.start()
    const lanes = Object.keys(loaded.site.lanes)
    const now = () => lanes.map((id) => `${id} ${gateway.lane(id)!.state.phase}`)
    const site: RunningSite = {
      loaded,
      gateway,
      world,
      feed,
      clock: shared,
      centre,
      dataDir,
      lines,
      phases: async (...phases) => {
        const there = () => lanes.every((id) => phases.includes(gateway.lane(id)!.state.phase))
        await until(`all lanes ${phases.join(' or ')}`, there).catch((e) => {
          throw new Error(`${e}: ${now()}`)
        })
      },
      async heard() {
        await until('the centre has heard all', () => {
          const { sequence } = gateway.journal.head()
          return centre.log.last >= sequence && centre.log.events.length >= sequence
        }).catch((e) => {
          throw new Error(`${e}: journal ${gateway.journal.head().sequence}, heard ${centre.log.events.length}, last ${centre.log.last}`)
        })
      },
      async over() {
        await world.done
        await site.phases('idle', 'closed')
        await gateway.settle()
        await site.heard()
      },
      stop,
    }
    return site
  } catch (error) {
    await stop()
    throw error
  }
}
