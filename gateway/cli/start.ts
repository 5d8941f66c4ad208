/** `luong start` (npm start): the demo site on simulated hardware, with its own broker, in one process. */
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { loadSite } from '../../config/load.ts'
import { memoryLine } from '../../firmware-bridge/transport/memory.ts'
import type { ReaderPool } from '../../models/plate.ts'
import { zoneOf } from '../journal/zone.ts'
import { type Clock, sleep, systemClock } from '../kernel/clock.ts'
import { LuongError } from '../kernel/errors.ts'
import { packageRoot } from '../kernel/package-root.ts'
import { VirtualClock } from '../kernel/virtual-clock.ts'
import type { Gateway } from '../site/gateway.ts'
import { createLogger } from '../site/logger.ts'
import { startReaders } from '../site/readers.ts'
import { paint } from './colour.ts'
import { LEVELS, level, positive, whole } from './options.ts'
import { PassageLines } from './passage-line.ts'

/** Longer than any lane's gap time in the demo, ms. */
const EMPTY_MS = 10_000
const DEMO = join(packageRoot, 'config', 'sites', 'demo.yaml')

interface StartOptions {
  readonly mqttPort?: number
  readonly httpPort?: number
  readonly data?: string
  readonly speed: number
  readonly passages?: number
  readonly seed: string
  readonly uplink?: string
  readonly log: (typeof LEVELS)[number]
  readonly json?: boolean
}

export function start(program: Command): void {
  program
    .command('start')
    .description('the demo: five lanes on simulated hardware, with an embedded broker (npm start)')
    .option(
      '--mqtt-port <n>',
      'port of the embedded broker; default 1883, or a free one when that is taken; 0: any free one',
      whole(0, 65_535),
    )
    .option('--http-port <n>', 'port of /health and /metrics; default 8080, or a free one when that is taken', whole(0, 65_535))
    .option('--data <dir>', 'data folder; default: a new one below the temporary folder')
    .option('--speed <x>', 'times real time', positive(1_000), 1)
    .option('--passages <n>', 'stop after so many trucks', whole(1, 1_000_000))
    .option('--seed <s>', 'same seed, same trucks', '1')
    .option('--uplink <url>', 'also publish to this central broker, e.g. mqtt://127.0.0.1:1884')
    .option('--log <level>', `log level: ${LEVELS.join(', ')}`, level, 'warn')
    .option('--json', 'one JSON object a passage')
    .action(demo)
}

async function demo(o: StartOptions): Promise<void> {
  const loaded = await loadSite(DEMO)
  const log = createLogger({ level: o.log, pretty: process.stderr.isTTY === true })
  // The rest of the program is read while the models load.
  let early: ReaderPool | null = startReaders(loaded.site.plates, log)
  const site = await import('../site/gateway.ts')
  const virtual = o.speed === 1 ? null : new VirtualClock({ pace: o.speed })
  const clock: Clock = virtual ?? systemClock
  const dataDir = resolve(o.data ?? join(tmpdir(), `luong-demo-${process.pid}`))
  const lines = new Map(
    Object.entries(loaded.site.links)
      .filter(([, l]) => l.kind === 'memory')
      .map(([id]) => [id, memoryLine(id, clock)]),
  )
  // Plugged in when there is hardware at the other end.
  for (const line of lines.values()) line.cut()
  const print = new PassageLines({ zone: zoneOf(loaded.site.site.timezone), json: o.json === true, out: process.stdout })
  const asked = new Promise<'asked'>((done) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => done('asked'))
  })
  virtual?.start()
  const make = (ports: { mqttPort?: number; httpPort?: number }) => {
    // A gateway that could not start has closed its readers.
    const pool = early
    early = null
    return new site.Gateway({
      loaded,
      ...(pool ? { pool } : {}),
      dataDir,
      log,
      clock,
      bytesFor: (link) => lines.get(link)?.master,
      ...ports,
      ...(o.uplink === undefined ? {} : { uplinkUrl: o.uplink }),
      onPassage: (type, passage) => print.event(type, passage),
    })
  }
  const gateway = await startOnFreePorts(make, o)
  if (!o.json) banner(gateway, dataDir, Object.keys(loaded.site.lanes))
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
    traffic: { every_s: 25, waiting: true, ...(o.passages === undefined ? {} : { passages: o.passages }) },
    officer: {},
  })
  world.start()
  for (const line of lines.values()) line.restore()
  const why = await Promise.race([asked, world.done.then(() => 'done' as const)])
  // The last events are on their way when the last truck is out of sight.
  if (why === 'done') {
    await lanesEmpty(gateway, Object.keys(loaded.site.lanes), clock)
    await gateway.settle()
  }
  if (!o.json) process.stdout.write(`${paint.dim(why === 'done' ? 'all trucks are through; stopping' : 'stopping')}\n`)
  // The hardware goes last: a gateway that still looks at it would miss it.
  await messages.stop()
  await gateway.stop()
  await world.stop()
  virtual?.stop()
  if (!o.json) process.stdout.write(`${print.summary()}\n`)
}

/** The gateway needs a moment longer than the world to know that the last truck is gone; at most {@link EMPTY_MS}. */
async function lanesEmpty(gateway: Gateway, lanes: readonly string[], clock: Clock): Promise<void> {
  const until = clock.mono() + EMPTY_MS
  while (lanes.some((id) => gateway.lane(id)?.passage) && clock.mono() < until) await sleep(clock, 100)
}

/** Ports that were asked for must be free; the usual ones give way to any free one, and the banner says which. */
async function startOnFreePorts(make: (ports: { mqttPort?: number; httpPort?: number }) => Gateway, o: StartOptions): Promise<Gateway> {
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

function banner(gateway: Gateway, dataDir: string, lanes: readonly string[]): void {
  const port = new URL(gateway.mqttUrl!).port
  process.stdout.write(
    [
      `${paint.bold('Luồng')} demo: ${lanes.length} lanes (${lanes.join(', ')}) on simulated hardware`,
      `  events   mosquitto_sub -p ${port} -v -t 'luong/v1/demo/lane/+/event'`,
      `  health   http://127.0.0.1:${gateway.httpPort}/health   metrics http://127.0.0.1:${gateway.httpPort}/metrics`,
      `  journal  npx luong journal ${dataDir} --follow`,
      `  ${paint.dim('Ctrl-C stops')}`,
      '',
    ].join('\n'),
  )
}
