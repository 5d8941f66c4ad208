/** `luong simulate SITE.yaml`: virtual hardware for a site's links, to run beside `luong run` of the same site. */
import type { Command } from 'commander'
import { type LoadedSite, loadSite } from '../../config/load.ts'
import { mqttTransport } from '../../firmware-bridge/transport/mqtt.ts'
import { openSimLines } from '../../firmware-bridge/transport/sim-line.ts'
import type { WorldEvent } from '../../test/sim/world.ts'
import { type Clock, systemClock } from '../kernel/clock.ts'
import { LuongError } from '../kernel/errors.ts'
import { scaledClock } from '../kernel/virtual-clock.ts'
import { createLogger } from '../site/logger.ts'
import { brokerLogin, type Login, USER_OPTION } from './broker-user.ts'
import { paint } from './colour.ts'
import { pad } from './columns.ts'
import { LEVELS, level, positive, whole } from './options.ts'

export interface SimulateOptions {
  readonly speed: number
  readonly passages?: number
  readonly seed: string
  readonly scenario?: string
  readonly every: number
  readonly officer: boolean
  readonly user?: string
  readonly log: (typeof LEVELS)[number]
  readonly json?: boolean
}

export function simulate(program: Command): void {
  program
    .command('simulate')
    .description("virtual hardware for a site's links, to run beside `luong run` of the same site")
    .argument('<site.yaml>', 'the site file; its TCP links and broker must be on this machine')
    .option('--speed <x>', 'times real time', positive(1_000), 1)
    .option('--passages <n>', 'stop after so many trucks', whole(1, 1_000_000))
    .option('--seed <s>', 'same seed, same trucks', '1')
    .option('--scenario <file>', 'play a scripted scene (test/sim/scenarios) instead of ordinary traffic')
    .option('--every <s>', 'mean seconds between two trucks of a lane', positive(86_400), 45)
    .option('--no-officer', 'nobody answers referred trucks')
    .option(...USER_OPTION)
    .option('--log <level>', `log level: ${LEVELS.join(', ')}`, level, 'warn')
    .option('--json', 'one JSON object a line')
    .action(run)
}

async function run(file: string, o: SimulateOptions): Promise<void> {
  const loaded = await loadSite(file)
  // Only this command and the demo need the simulated world.
  const [{ createWorld }, { loadScenario }] = await Promise.all([import('../../test/sim/world.ts'), import('../../test/sim/scenario.ts')])
  const scenario = o.scenario === undefined ? undefined : loadScenario(o.scenario)
  const broker = await onThisMachine(loaded, o.user)
  const log = createLogger({ level: o.log, pretty: process.stderr.isTTY === true })
  const clock: Clock = o.speed === 1 ? systemClock : scaledClock(o.speed)
  const asked = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
  const say = (line: string) => void process.stdout.write(`${line}\n`)
  const lines = await openSimLines(used(loaded), log)
  // Brokers live in real time, however fast the trucks are.
  const messages = mqttTransport({ name: `site broker (${broker.url})`, ...broker, clock: systemClock, log })
  try {
    const world = await createWorld(loaded, {
      clock,
      log,
      seed: o.seed,
      lineFor: lines.lineFor,
      messages,
      traffic: { every_s: o.every, ...(o.passages === undefined ? {} : { passages: o.passages }) },
      ...(scenario === undefined ? {} : { scenario }),
      ...(o.officer ? { officer: {} } : {}),
    })
    world.onEvent((event) => say(o.json ? json(event) : words(event)))
    if (!o.json) {
      say(`${paint.bold(loaded.site.site.id)}: virtual hardware for ${Object.keys(loaded.site.lanes).length} lanes`)
      for (const [link, where] of lines.where) say(`  ${link}  ${where}`)
      say(`  broker  ${broker.url}${messages.up ? '' : paint.dim('  trucks come when it is there')}`)
    }
    messages.start()
    world.start()
    await Promise.race([asked, world.done])
    await world.stop()
    const { arrived, passed, backedOut, wrongWay } = world.truth.counts
    const { disasters } = world.truth
    if (o.json) say(JSON.stringify({ what: 'end', ...world.truth.counts, disasters: disasters.length }))
    else
      say(
        `${arrived} trucks came, ${passed} passed, ${backedOut + wrongWay} turned back${disasters.length > 0 ? paint.red(`, ${disasters.length} hit`) : ''}`,
      )
  } finally {
    await messages.stop()
    await lines.stop()
  }
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/

/** The links that devices use. */
function used(loaded: LoadedSite): LoadedSite['site']['links'] {
  const names = new Set([...loaded.devices.values()].map((d) => (d.settings as { link?: unknown }).link))
  return Object.fromEntries(Object.entries(loaded.site.links).filter(([id]) => names.has(id)))
}

/** The broker to connect to. Virtual hardware is only for this machine: anything else is refused, so that no real site hears it. */
async function onThisMachine(loaded: LoadedSite, asked: string | undefined): Promise<{ url: string } & Partial<Login>> {
  const elsewhere = (what: string, where: string) =>
    new LuongError('BAD_USAGE', `${what} is ${where}, which is not this machine: the simulator only listens on and talks to 127.0.0.1`, {
      hint: 'Simulate a copy of the site file whose links and broker are on 127.0.0.1.',
    })
  for (const [id, link] of Object.entries(used(loaded))) {
    if (link.kind === 'memory')
      throw new LuongError('BAD_USAGE', `link ${id} is of kind memory, which only works inside one process`, {
        hint: 'Use `npm start` for the demo, or make it a tcp link to 127.0.0.1 or a serial link to a path that does not exist yet.',
      })
    if (link.kind === 'tcp' && !LOOPBACK.test(link.host)) throw elsewhere(`link ${id}`, `${link.host}:${link.port}`)
    if (link.kind === 'mqtt' && link.url !== undefined && !LOOPBACK.test(new URL(link.url).hostname))
      throw elsewhere(`link ${id}`, link.url)
  }
  const { broker } = loaded.site
  if ('external' in broker) {
    const { url, username, password } = broker.external
    if (!LOOPBACK.test(new URL(url).hostname)) throw elsewhere('the external broker', url)
    return { url, ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password: password.reveal() }) }
  }
  const { port, users } = broker.embedded
  if (port === 0)
    throw new LuongError('BAD_USAGE', 'broker.embedded.port is 0: the simulator cannot know which port the gateway gets', {
      hint: 'Give the broker a port in the site file.',
    })
  const login = await brokerLogin(users, ['admin'], asked)
  if (users.length > 0 && !login)
    throw new LuongError('BAD_USAGE', 'the embedded broker has users, but none with the role admin, as which the simulator could connect', {
      hint: 'Add a user with role admin to broker.embedded.users for simulations.',
    })
  return { url: `mqtt://127.0.0.1:${port}`, ...login }
}

const DONE: Record<WorldEvent['what'], string> = {
  arrives: 'arrives',
  stops: 'stops at the line',
  drives: 'drives under the arm',
  left: 'has left',
  'backs-out': 'backs out',
  disaster: 'IS HIT BY THE ARM',
}

function words({ what, time, lane, vehicle: v }: WorldEvent): string {
  const stamp = paint.dim(new Date(time).toISOString().slice(11, 19))
  const plates = [v.plate ?? 'no plate', ...(v.trailer ? [v.trailer] : [])].join(' + ')
  const about = what === 'arrives' ? paint.dim(`  ${v.body} ${v.length} m, ${v.habit}${v.trouble ? `, ${v.trouble}` : ''}`) : ''
  const done =
    what === 'disaster'
      ? paint.red(DONE[what])
      : what === 'left'
        ? paint.green(v.outcome === 'passed' ? 'has passed' : `has left (${v.outcome})`)
        : DONE[what]
  return `${stamp} ${lane.padEnd(10)} #${String(v.no).padEnd(4)} ${pad(plates, 20)} ${done}${about}`
}

function json({ what, time, at, lane, vehicle }: WorldEvent): string {
  return JSON.stringify({ what, time: new Date(time).toISOString(), at_ms: at, lane, vehicle })
}
