/** A whole site in this process: memory bus, embedded broker, the world and its trucks, on any clock; plates are read from labels. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LoadedSite, loadSite } from '../../config/load.ts'
import { type MemoryLine, memoryLine } from '../../firmware-bridge/transport/memory.ts'
import { mqttTransport } from '../../firmware-bridge/transport/mqtt.ts'
import type { MessageTransport } from '../../firmware-bridge/transport/transport.ts'
import { type Clock, systemClock } from '../../gateway/kernel/clock.ts'
import type { Log } from '../../gateway/kernel/log.ts'
import { Gateway, type GatewayOptions } from '../../gateway/site/gateway.ts'
import { createWorld, type World, type WorldOptions } from '../sim/world.ts'
import { LabelPool, labelPainter, quiet, type SiteFileOptions, writeSite } from './chaos-site.ts'

export interface InsideOptions {
  readonly lanes: readonly string[]
  readonly clock?: Clock
  readonly file?: Partial<SiteFileOptions>
  readonly gateway?: Partial<GatewayOptions>
  readonly world?: Partial<WorldOptions>
  readonly log?: Log
  /** User of the broker that boards and cameras are, where it has users. */
  readonly as?: { readonly username: string; readonly password: string }
  /** Default: a new folder, removed on stop. */
  readonly dir?: string
}

export interface Inside {
  readonly dir: string
  readonly data: string
  readonly loaded: LoadedSite
  /** The one that runs now. */
  readonly gateway: Gateway
  readonly world: World
  readonly line: MemoryLine
  readonly messages: MessageTransport
  readonly brokerUrl: string
  readonly log: Spoken
  health(): Promise<{ ok: boolean; problems: string[] }>
  /** Value of the first line of /metrics that fits; NaN when there is none. */
  metric(line: RegExp): Promise<number>
  /** Stops the gateway only. */
  stopGateway(): Promise<void>
  /** Starts another on the same folder, after the one before has stopped. */
  startGateway(): Promise<void>
  stop(): Promise<void>
}

/** What was logged, for tests that look at the words. */
export interface Line {
  readonly level: string
  readonly message: string
  readonly about: Record<string, unknown>
}

export interface Spoken extends Log {
  readonly lines: readonly Line[]
  /** The first line whose message or fields fit. */
  find(text: RegExp): Line | undefined
}

export function listeningLog(): Spoken {
  const lines: Line[] = []
  const at = (level: string) => (about: object, message: string) => {
    if (lines.length >= 20_000) lines.shift()
    lines.push({ level, message, about: about as Record<string, unknown> })
  }
  const log: Spoken = {
    debug() {},
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => log,
    lines,
    find: (text) => lines.find((l) => text.test(`${l.message} ${JSON.stringify(l.about)}`)),
  }
  return log
}

export async function openInside(o: InsideOptions): Promise<Inside> {
  const clock = o.clock ?? systemClock
  const dir = o.dir ?? (await mkdtemp(join(tmpdir(), 'luong-inside-')))
  const log = listeningLog()
  const path = await writeSite({
    dir,
    lanes: o.lanes,
    bus: { kind: 'memory' },
    broker: { embedded: { port: 0, max_payload_kb: 65_536 } },
    ...o.file,
  })
  const loaded = await loadSite(path)
  const data = join(dir, 'data')
  const line = memoryLine('bus', clock)
  const make = (more: { mqttPort?: number } = {}) =>
    new Gateway({ loaded, dataDir: data, log, clock, bytesFor: () => line.master, pool: new LabelPool(), ...o.gateway, ...more })
  let gateway = make()
  await gateway.start()
  const external = loaded.site.broker as { external?: { url: string } }
  const brokerUrl = gateway.mqttUrl ?? external.external!.url
  const messages = mqttTransport({ name: 'world', url: brokerUrl, ...o.as, clock: systemClock, log: quiet })
  messages.start()
  const world = await createWorld(loaded, {
    clock,
    log: quiet,
    seed: 1,
    lineFor: () => line.device,
    messages,
    painter: labelPainter,
    ...o.world,
  })
  world.start()
  const http = (path: string) => fetch(`http://127.0.0.1:${gateway.httpPort}${path}`)
  return {
    dir,
    data,
    loaded,
    get gateway() {
      return gateway
    },
    world,
    line,
    messages,
    brokerUrl,
    log,
    health: async () => (await http('/health')).json() as Promise<{ ok: boolean; problems: string[] }>,
    async metric(name) {
      const lines = (await (await http('/metrics')).text()).split('\n')
      return Number(
        lines
          .find((l) => !l.startsWith('#') && name.test(l))
          ?.split(' ')
          .at(-1) ?? Number.NaN,
      )
    },
    stopGateway: () => gateway.stop(),
    async startGateway() {
      // The world looks for the broker where it was.
      gateway = make(external.external ? {} : { mqttPort: Number(new URL(brokerUrl).port) })
      await gateway.start()
    },
    async stop() {
      await world.stop()
      await gateway.stop()
      await messages.stop()
      if (o.dir === undefined) await rm(dir, { recursive: true, force: true })
    },
  }
}
