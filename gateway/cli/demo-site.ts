/** One site of a demo in this process: gateway, own broker, simulated hardware and trucks. */
import type { LoadedSite } from '../../config/load.ts'
import { memoryLine } from '../../firmware-bridge/transport/memory.ts'
import type { MessageTransport } from '../../firmware-bridge/transport/transport.ts'
import type { ReaderPool } from '../../models/plate.ts'
import type { World, WorldOptions } from '../../test/sim/world.ts'
import { type Clock, sleep, systemClock } from '../kernel/clock.ts'
import { LuongError } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import type { Gateway, GatewayOptions } from '../site/gateway.ts'

/** Longer than any lane's gap time in the demo, ms. */
const EMPTY_MS = 10_000

export interface Ports {
  readonly mqttPort?: number
  readonly httpPort?: number
}

export interface DemoSiteOptions extends Pick<GatewayOptions, 'dataDir' | 'uplinkUrl' | 'peerUrl' | 'onPassage'>, Ports {
  readonly loaded: LoadedSite
  readonly clock: Clock
  readonly log: Log
  readonly seed: string
  readonly traffic: WorldOptions['traffic']
  /** Readers that were started early; closed with the gateway. */
  readonly pool: ReaderPool
  /** Called when the gateway runs, before the first truck comes. */
  readonly onStarted: (gateway: Gateway) => void
}

export interface DemoSite {
  readonly loaded: LoadedSite
  readonly gateway: Gateway
  readonly world: World
  readonly messages: MessageTransport
  /** No vehicle is in its lanes, as far as the gateway knows; waits a little for that, and until all of it is told. */
  empty(): Promise<void>
  stop(): Promise<void>
}

export async function startDemoSite(o: DemoSiteOptions): Promise<DemoSite> {
  const { loaded, clock, log } = o
  const site = await import('../site/gateway.ts')
  // Every wire ends in memory, whatever it is at the real gate.
  const lines = new Map(
    Object.entries(loaded.site.links)
      .filter(([, l]) => l.kind !== 'mqtt')
      .map(([id]) => [id, memoryLine(id, clock)]),
  )
  // Plugged in when there is hardware at the other end.
  for (const line of lines.values()) line.cut()
  let early: ReaderPool | null = o.pool
  const gateway = await startOnFreePorts((ports) => {
    // A gateway that could not start has closed its readers.
    const pool = early
    early = null
    return new site.Gateway({
      loaded,
      ...(pool ? { pool } : {}),
      dataDir: o.dataDir,
      log,
      clock,
      bytesFor: (link) => lines.get(link)?.master,
      ...ports,
      ...(o.uplinkUrl === undefined ? {} : { uplinkUrl: o.uplinkUrl }),
      ...(o.peerUrl === undefined ? {} : { peerUrl: o.peerUrl }),
      ...(o.onPassage ? { onPassage: o.onPassage } : {}),
    })
  }, o)
  o.onStarted(gateway)
  const { createWorld } = await import('../../test/sim/world.ts')
  const { mqttTransport } = await import('../../firmware-bridge/transport/mqtt.ts')
  const messages = mqttTransport({ name: 'simulated devices', url: gateway.mqttUrl!, clock: systemClock, log })
  messages.start()
  const world = await createWorld(loaded, {
    clock,
    log,
    seed: o.seed,
    lineFor: (link) => lines.get(link)!.device,
    messages,
    ...(o.traffic === undefined ? {} : { traffic: o.traffic }),
    officer: {},
  })
  world.start()
  for (const line of lines.values()) line.restore()
  const lanes = Object.keys(loaded.site.lanes)
  return {
    loaded,
    gateway,
    world,
    messages,
    async empty() {
      // The gateway needs a moment longer than the world to know that the last truck is gone.
      const until = clock.mono() + EMPTY_MS
      while (lanes.some((id) => gateway.lane(id)?.passage) && clock.mono() < until) await sleep(clock, 100)
      // The last events are on their way when the last truck is out of sight.
      await gateway.settle()
    },
    async stop() {
      // The hardware goes last: a gateway that still looks at it would miss it.
      await messages.stop()
      await gateway.stop()
      await world.stop()
    },
  }
}

/** Ports that were asked for must be free; the usual ones give way to any free one, and the banner says which. */
async function startOnFreePorts(make: (ports: Ports) => Gateway, o: Ports): Promise<Gateway> {
  const ports: { mqttPort?: number; httpPort?: number } = {
    ...(o.mqttPort === undefined ? {} : { mqttPort: o.mqttPort }),
    ...(o.httpPort === undefined ? {} : { httpPort: o.httpPort }),
  }
  for (;;) {
    const gateway = make(ports)
    try {
      await gateway.start()
      return gateway
    } catch (error) {
      if (!(error instanceof LuongError) || error.code !== 'PORT_IN_USE') throw error
      const which = /http/.test(error.message) ? 'httpPort' : 'mqttPort'
      if (o[which] !== undefined || ports[which] === 0) throw error
      process.stderr.write(`${error.message}; taking a free port instead\n`)
      ports[which] = 0
    }
  }
}
