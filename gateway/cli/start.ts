/** `luong start` (npm start): the demo site on simulated hardware, with its own broker, in one process. */
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { loadSite } from '../../config/load.ts'
import { zoneOf } from '../journal/zone.ts'
import { type Clock, systemClock } from '../kernel/clock.ts'
import type { Log } from '../kernel/log.ts'
import { packageRoot } from '../kernel/package-root.ts'
import { VirtualClock } from '../kernel/virtual-clock.ts'
import type { Gateway } from '../site/gateway.ts'
import { createLogger } from '../site/logger.ts'
import { startReaders } from '../site/readers.ts'
import { paint } from './colour.ts'
import { startDemoSite } from './demo-site.ts'
import { LEVELS, level, positive, whole } from './options.ts'
import { PassageLines } from './passage-line.ts'

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
  readonly pair?: boolean
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
    .option('--pair', 'both halves of a smart gate, with trucks crossing both ways (npm run demo:pair)')
    .action(demo)
}

async function demo(o: StartOptions): Promise<void> {
  const log = createLogger({ level: o.log, pretty: process.stderr.isTTY === true })
  const virtual = o.speed === 1 ? null : new VirtualClock({ pace: o.speed })
  const clock: Clock = virtual ?? systemClock
  const data = resolve(o.data ?? join(tmpdir(), `luong-demo-${process.pid}`))
  const json = o.json === true
  const asked = new Promise<'asked'>((done) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => done('asked'))
  })
  virtual?.start()
  if (o.pair) {
    const { demoPair } = await import('./demo-pair.ts')
    await demoPair({ ...o, data, json, clock, log, asked })
  } else await demoSite({ ...o, data, json, clock, log, asked })
  virtual?.stop()
}

type Running = Omit<StartOptions, 'log'> & {
  readonly data: string
  readonly clock: Clock
  readonly log: Log
  readonly asked: Promise<'asked'>
}

async function demoSite(o: Running): Promise<void> {
  const loaded = await loadSite(DEMO)
  const print = new PassageLines({ zone: zoneOf(loaded.site.site.timezone), json: o.json === true, out: process.stdout })
  const site = await startDemoSite({
    loaded,
    dataDir: o.data,
    clock: o.clock,
    log: o.log,
    seed: o.seed,
    // The rest of the program is read while the models load.
    pool: startReaders(loaded.site.plates, o.log),
    ...(o.mqttPort === undefined ? {} : { mqttPort: o.mqttPort }),
    ...(o.httpPort === undefined ? {} : { httpPort: o.httpPort }),
    ...(o.uplink === undefined ? {} : { uplinkUrl: o.uplink }),
    traffic: { every_s: 25, waiting: true, ...(o.passages === undefined ? {} : { passages: o.passages }) },
    onPassage: (type, passage) => print.event(type, passage),
    onStarted: (gateway) => o.json || banner(gateway, o.data, Object.keys(loaded.site.lanes)),
  })
  const why = await Promise.race([o.asked, site.world.done.then(() => 'done' as const)])
  if (why === 'done') await site.empty()
  if (!o.json) process.stdout.write(`${paint.dim(why === 'done' ? 'all trucks are through; stopping' : 'stopping')}\n`)
  await site.stop()
  if (!o.json) process.stdout.write(`${print.summary()}\n`)
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
