/** The demo site with its world in one process on a virtual clock: a day of trucks as fast as the machine can. */
import { join } from 'node:path'
import { loadSite } from '../../config/load.ts'
import { memoryLine } from '../../firmware-bridge/transport/memory.ts'
import { mqttTransport } from '../../firmware-bridge/transport/mqtt.ts'
import { systemClock } from '../../gateway/kernel/clock.ts'
import { silentLog } from '../../gateway/kernel/log.ts'
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts'
import { Gateway } from '../../gateway/site/gateway.ts'
import type { ReaderPool } from '../../models/plate.ts'
import type { Painter } from '../sim/camera.ts'
import { createWorld } from '../sim/world.ts'

export interface VirtualSiteOptions {
  readonly dir: string
  readonly passages: number
  /** Mean seconds between two trucks of one lane. */
  readonly every: number
  readonly pool?: ReaderPool
  readonly painter?: Painter
  /** Called when a truck has left, with how many have so far; the clock waits for it. */
  readonly onLeft?: (left: number) => Promise<void> | void
}

export interface VirtualDay {
  /** Trucks that came, passed, and turned back; arms that came down on somebody (never). */
  readonly arrived: number
  readonly passed: number
  readonly disasters: number
  readonly events: number
  /** Hours of gate time, and real seconds that they took. */
  readonly hours: number
  readonly seconds: number
}

/** Runs until all passages are over. */
export async function virtualDay(o: VirtualSiteOptions): Promise<VirtualDay> {
  const loaded = await loadSite('config/sites/demo.yaml')
  const clock = new VirtualClock({ epoch: Date.UTC(2026, 10, 20, 17) })
  const lines = new Map(Object.keys(loaded.site.links).map((id) => [id, memoryLine(id, clock)]))
  const gateway = new Gateway({
    loaded,
    dataDir: join(o.dir, 'data'),
    log: silentLog,
    clock,
    bytesFor: (link) => lines.get(link)?.master,
    mqttPort: 0,
    httpPort: 0,
    ...(o.pool ? { pool: o.pool } : {}),
  })
  clock.start()
  await gateway.start()
  const messages = mqttTransport({ name: 'world', url: gateway.mqttUrl!, clock: systemClock, log: silentLog })
  messages.start()
  const world = await createWorld(loaded, {
    clock,
    log: silentLog,
    seed: 1,
    lineFor: (link) => lines.get(link)!.device,
    messages,
    traffic: { every_s: o.every, passages: o.passages },
    officer: {},
    ...(o.painter ? { painter: o.painter } : {}),
  })
  let left = 0
  world.onEvent((event) => {
    if (event.what !== 'left') return
    const work = o.onLeft?.(++left)
    if (work) void clock.track(work)
  })
  const [since, began] = [performance.now(), clock.mono()]
  world.start()
  await world.done
  const day: VirtualDay = {
    arrived: world.truth.counts.arrived,
    passed: world.truth.counts.passed,
    disasters: world.truth.disasters.length,
    events: gateway.journal.head().sequence,
    hours: (clock.mono() - began) / 3_600_000,
    seconds: (performance.now() - since) / 1000,
  }
  await gateway.settle()
  await world.stop()
  await gateway.stop()
  await messages.stop()
  await clock.stop()
  return day
}
