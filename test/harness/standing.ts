/** A gateway as a process of its own, Mosquitto as its broker, a lane of boards and cameras in this process, and a truck that nobody declared, which stands at the line. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { loadSite } from '../../config/load.ts'
import { mqttTransport } from '../../firmware-bridge/transport/mqtt.ts'
import { listenLine } from '../../firmware-bridge/transport/sim-line.ts'
import { systemClock } from '../../gateway/kernel/clock.ts'
import { rng } from '../sim/random.ts'
import { makeArrival } from '../sim/traffic.ts'
import { HABITS } from '../sim/truck.ts'
import { createWorld, type World } from '../sim/world.ts'
import { type RelayWrite, type RunningGateway, relayWrites, runGateway } from './chaos-process.ts'
import { quiet, type Tree, until, writeSite } from './chaos-site.ts'
import { Collector } from './collector.ts'
import type { EventData } from './event-log.ts'
import { type Mosquitto, startMosquitto } from './mosquitto.ts'

export interface StandingOptions {
  /** Gets what ends it. */
  readonly undo: (() => unknown)[]
  /** More of the site file. */
  readonly more?: Tree
  /** Users of the broker with their passwords: `gate` (the gateway), `world` (boards and cameras), `centre`. Default: no users. */
  readonly users?: Readonly<Record<string, string>>
  readonly mosquitto?: Parameters<typeof startMosquitto>[0]
}

export interface Standing {
  readonly dir: string
  readonly mosquitto: Mosquitto
  readonly centre: Collector
  readonly world: World
  /** All that was written to the boards so far. */
  readonly writes: readonly RelayWrite[]
  readonly gateway: RunningGateway
  /** URL of the broker for a user. */
  url(user: string): string
  told(kind: string): EventData[]
  /** Another such truck comes. */
  send(): void
  /** kill -9, `meanwhile`, and started again; resolves when the lane works. */
  again(meanwhile?: () => Promise<unknown>): Promise<RunningGateway>
}

/** Resolves when the truck was referred. */
export async function standing({ undo, more = {}, users = {}, mosquitto: config }: StandingOptions): Promise<Standing> {
  const dir = await mkdtemp(join(tmpdir(), 'luong-standing-'))
  undo.push(() => rm(dir, { recursive: true, force: true }))
  const mosquitto = await startMosquitto(config)
  undo.push(() => mosquitto.stop())
  const bus = await listenLine('127.0.0.1', 0, quiet)
  undo.push(() => bus.stop())
  const writes: RelayWrite[] = []
  relayWrites(bus.line, (w) => writes.push(w))
  const address = { kind: 'tcp', host: '127.0.0.1', port: Number(bus.where.split(':')[1]) }
  await writeFile(join(dir, 'gate-password'), users.gate ?? '')
  const as = users.gate === undefined ? {} : { username: 'gate', password: { file: 'gate-password' } }
  const lanes = await writeSite({ dir, lanes: ['a'], bus: address, broker: { external: { url: mosquitto.url, ...as } } }, 'lanes.yaml')
  const file = join(dir, 'site.yaml')
  await writeFile(file, stringify({ version: 1, include: [lanes], ...more }))
  const url = (user: string) => (users[user] === undefined ? mosquitto.url : mosquitto.url.replace('://', `://${user}:${users[user]}@`))
  const centre = new Collector({ url: url('centre'), site: 'chaos' })
  await centre.start()
  undo.push(() => centre.stop())
  const world_ = users.world === undefined ? {} : { username: 'world', password: users.world }
  const messages = mqttTransport({ name: 'world', url: mosquitto.url, ...world_, clock: systemClock, log: quiet })
  messages.start()
  undo.push(() => messages.stop())
  const loaded = await loadSite(file)
  const world = await createWorld(loaded, { clock: systemClock, log: quiet, seed: 1, lineFor: () => bus.line, messages, traffic: false })
  undo.push(() => world.stop())
  world.start()
  const start = async () => {
    const gateway = runGateway(file)
    undo.push(() => gateway.kill('SIGKILL'))
    await gateway.ready()
    await until('the lane works', () => ['idle', 'identifying', 'waiting'].includes(String(centre.log.states.get('a')?.phase)))
    return gateway
  }
  let gateway = await start()
  await until('the lane is idle', () => centre.log.states.get('a')?.phase === 'idle')
  const lane = { id: 'a', direction: 'import', takes: ['loaded'], scale: false } as const
  let no = 0
  const send = () => {
    const { truck } = makeArrival(++no, lane, Date.now(), rng('desk', no), { trouble: 0, chinese: 0 }, HABITS.normal)
    world.send('a', { truck, declaration: null, detained: false, trouble: null })
  }
  send()
  const told = (kind: string) => centre.log.of(kind).map((e) => e.data as EventData)
  await until('it is referred', () => told('passage.referred').length === 1)
  return {
    ...{ dir, mosquitto, centre, world, writes, url, told, send },
    get gateway() {
      return gateway
    },
    async again(meanwhile) {
      await gateway.kill('SIGKILL')
      await meanwhile?.()
      gateway = await start()
      return gateway
    },
  }
}
