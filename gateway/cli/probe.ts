/** `luong probe`: bring-up of one real device at a time. */
import type { Command } from 'commander'
import { loadSite } from '../../config/load.ts'
import type { Links } from '../../firmware-bridge/plan.ts'
import { type ProbeResult, probeDevice } from '../../firmware-bridge/probe.ts'
import { accessOf } from '../../firmware-bridge/transport/access.ts'
import { mqttTransport } from '../../firmware-bridge/transport/mqtt.ts'
import type { MessageTransport } from '../../firmware-bridge/transport/transport.ts'
import { sleep, systemClock } from '../kernel/clock.ts'
import { LuongError } from '../kernel/errors.ts'
import { silentLog } from '../kernel/log.ts'
import { brokerLogin, USER_OPTION } from './broker-user.ts'
import { paint } from './colour.ts'

interface Options {
  readonly json?: boolean
  readonly listen: number
  readonly user?: string
}

/** Registers the command. Exit code 1 when a device did not answer. */
export function probe(program: Command): void {
  program
    .command('probe')
    .description('bring-up: talk to one device (or each in turn) and show what it says; moves nothing')
    .argument('<site>', 'site file')
    .argument('[device]', 'device id; absent: all of them, one after the other')
    .option('--json', 'one JSON object a device')
    .option(...USER_OPTION)
    .option('--listen <seconds>', 'how long to wait for a device', seconds, 5)
    .action(async (file: string, device: string | undefined, options: Options) => {
      if (!(await probeSite(file, device, options))) process.exitCode = 1
    })
}

function seconds(text: string): number {
  const n = Number(text)
  if (!(n >= 0.1 && n <= 600)) throw new LuongError('BAD_USAGE', `--listen ${text}: must be a number of seconds from 0.1 to 600`)
  return n
}

async function probeSite(file: string, device: string | undefined, options: Options): Promise<boolean> {
  const { site, devices } = await loadSite(file)
  const ids = device === undefined ? [...devices.keys()] : [device]
  if (device !== undefined && !devices.has(device)) {
    throw new LuongError('BAD_USAGE', `${file} has no device ${device}; it has ${[...devices.keys()].join(', ')}`)
  }
  const links: Links = site.links
  const broker = needsBroker(links) ? await siteBroker(site.broker, options.user) : undefined
  let ok = true
  try {
    for (const id of ids) {
      const messages = broker ? { messages: broker } : {}
      const result = await probeDevice({
        device: id,
        links,
        devices,
        clock: systemClock,
        log: silentLog,
        listenMs: options.listen * 1000,
        ...messages,
        ...(options.json ? {} : { onFact: (fact) => process.stdout.write(`${paint.dim(`${id}  ${fact.what}`)}  ${fact.value}\n`) }),
      })
      ok &&= result.ok
      print(result, options)
    }
  } finally {
    await broker?.stop()
  }
  return ok
}

const needsBroker = (links: Links) => Object.values(links).some((link) => link.kind === 'mqtt' && link.url === undefined)

type BrokerConfig = Awaited<ReturnType<typeof loadSite>>['site']['broker']

/** A connection to the site's broker; the embedded one only answers while `luong run` runs. */
async function siteBroker(config: BrokerConfig, user: string | undefined): Promise<MessageTransport> {
  const transport = mqttTransport({ ...(await brokerAddress(config, user)), clock: systemClock, log: silentLog })
  transport.start()
  for (let i = 0; i < 20 && !transport.up; i++) await sleep(systemClock, 100)
  return transport
}

async function brokerAddress(config: BrokerConfig, asked: string | undefined) {
  if ('external' in config) {
    const { external } = config
    return { name: `broker (${external.url})`, url: external.url, ...accessOf(external) }
  }
  const { port, users } = config.embedded
  const login = await brokerLogin(users, ['admin', 'device'], asked)
  const url = `mqtt://127.0.0.1:${port}`
  return { name: `broker of the running gateway (${url})`, url, ...login }
}

function print(result: ProbeResult, options: Options): void {
  if (options.json) {
    process.stdout.write(`${JSON.stringify(result)}\n`)
    return
  }
  const mark = result.ok ? paint.green('answers') : paint.red('does not answer')
  process.stdout.write(`${paint.bold(result.device)}  ${result.driver}  ${mark}\n`)
  const width = Math.max(...result.facts.map((fact) => fact.what.length))
  for (const { what, value } of result.facts) process.stdout.write(`  ${paint.dim(what.padEnd(width))}  ${value}\n`)
}
