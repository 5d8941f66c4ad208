/** Both halves of a smart gate in this process, each with its gateway, broker and trucks, on one clock, with a link between that can be cut. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Socket, connect as tcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parse, stringify } from 'yaml'
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts'
import { Crossing, type CrossingHalf } from '../sim/crossing.ts'
import { rng } from '../sim/random.ts'
import { makeArrival } from '../sim/traffic.ts'
import { HABITS } from '../sim/truck.ts'
import { until } from './chaos-site.ts'
import { type Event, kindOf } from './event-log.ts'
import { type Mosquitto, startMosquitto } from './mosquitto.ts'
import { type RunningSite, startSite } from './site.ts'

/** A TCP way to a port on this machine that can be cut, as a cable is. */
export async function cable(port: () => number) {
  const sockets = new Set<Socket>()
  let cut = false
  const server = createServer((near) => {
    if (cut) return void near.destroy()
    const far = tcp(port(), '127.0.0.1')
    for (const [a, b] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(a)
      a.on('error', () => {})
      a.once('close', () => {
        sockets.delete(a)
        b.destroy()
      })
      a.pipe(b)
    }
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  const drop = () => {
    for (const s of sockets) s.destroy()
  }
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    cut() {
      cut = true
      drop()
    },
    mend() {
      cut = false
    },
    async stop() {
      drop()
      await new Promise((done) => server.close(done))
    },
  }
}

export type Name = 'huu-nghi' | 'youyiguan'

export interface RunningPair {
  readonly clock: VirtualClock
  readonly cable: Awaited<ReturnType<typeof cable>>
  readonly crossing: Crossing
  get(name: Name): RunningSite
  /** Both have heard of each other. */
  met(): Promise<void>
  /** Stops a half and starts it again on the same data. */
  restart(name: Name, meanwhile?: () => Promise<void>): Promise<void>
  /** A truck, declared at that half, comes to a lane. Returns its plate. */
  send(name: Name, lane: string, options?: { declared?: boolean; plate?: string }): Promise<string>
  /** Waits until that half has told an event of this kind of this plate. */
  told(name: Name, kind: string, plate: string): Promise<void>
  stop(): Promise<void>
}

export interface PairOptions {
  readonly pace?: number
  /** How far the wall clock of Youyiguan is wrong, ms. */
  readonly skewMs?: number
  /** Neither connects to the other: a Mosquitto between their brokers carries the topics of the pair, and nothing else. */
  readonly bridge?: boolean
  /** On top of the shipped site files, such as shorter times. */
  readonly settings?: object
}

/** The shipped site file without the other half's broker. Returns its path. */
async function unconnected(name: Name, dir: string): Promise<string> {
  const shipped = parse(await readFile(`config/sites/${name}.yaml`, 'utf8')) as { include: string[]; peer: { broker?: unknown } }
  delete shipped.peer.broker
  const file = join(dir, `${name}-alone.yaml`)
  await writeFile(file, stringify({ ...shipped, include: shipped.include.map((f) => resolve('config/sites', f)) }))
  return file
}

/** Configuration of a Mosquitto that is client of both brokers: what each says to the other, on its way. */
function bridging(ofHuuNghi: number, ofYouyiguan: number): string[] {
  const [out, back] = ['luong/v1/huu-nghi/peer/youyiguan/+', 'luong/v1/youyiguan/peer/huu-nghi/+']
  const side = (name: Name, port: number, from: string, to: string) => [
    `connection ${name}`,
    `address 127.0.0.1:${port}`,
    // The brokers of the sites speak plain MQTT 3.1.1.
    'bridge_protocol_version mqttv311',
    'try_private false',
    'notifications false',
    'restart_timeout 1',
    'keepalive_interval 5',
    `topic ${from} in 1`,
    `topic ${to} out 1`,
  ]
  return ['allow_anonymous true', ...side('huu-nghi', ofHuuNghi, out, back), ...side('youyiguan', ofYouyiguan, back, out)]
}

export async function startPair(options: PairOptions = {}): Promise<RunningPair> {
  const dir = await mkdtemp(join(tmpdir(), 'luong-pair-'))
  const clock = new VirtualClock({ pace: options.pace ?? 15, epoch: Date.parse('2026-11-21T03:00:00Z') })
  const sites = new Map<Name, RunningSite>()
  const portOf = (name: Name) => Number(new URL(sites.get(name)!.gateway.mqttUrl!).port)
  const way = await cable(() => portOf('huu-nghi'))
  const farEnd = await cable(() => portOf('youyiguan'))
  let bridge: Mosquitto | undefined
  const launch = async (name: Name) => {
    const skew = name === 'youyiguan' && options.skewMs ? { skewMs: options.skewMs } : {}
    const more = name === 'youyiguan' && !options.bridge ? { peerUrl: `mqtt://127.0.0.1:${way.port}`, ...skew } : skew
    const file = join(dir, `${name}.yaml`)
    const shipped = options.bridge ? await unconnected(name, dir) : resolve(`config/sites/${name}.yaml`)
    await writeFile(file, stringify({ version: 1, include: [shipped], ...options.settings }))
    sites.set(name, await startSite({ file, dataDir: join(dir, name), clock, ...more }))
  }
  const stop = async () => {
    crossing?.stop()
    for (const site of sites.values()) await site.stop()
    await bridge?.stop()
    await way.stop()
    await farEnd.stop()
    clock.stop()
    await rm(dir, { recursive: true, force: true })
  }
  let crossing: Crossing | null = null
  const get = (name: Name) => sites.get(name)!
  const half = (name: Name): CrossingHalf => {
    const site = get(name)
    const { lanes } = site.loaded.site
    return { world: site.world, handsOver: site.loaded.site.peer!.hands_over, lanes }
  }
  const join_ = () => {
    crossing?.stop()
    crossing = new Crossing([half('huu-nghi'), half('youyiguan')], { clock, seed: 1, way_s: [5, 10] })
    crossing.start()
  }
  let no = 0
  try {
    await launch('huu-nghi')
    await launch('youyiguan')
    if (options.bridge) bridge = await startMosquitto({ config: bridging(way.port, farEnd.port) })
    join_()
  } catch (error) {
    await stop()
    throw error
  }
  const pair: RunningPair = {
    clock,
    cable: way,
    get crossing() {
      return crossing!
    },
    get,
    async met() {
      const up = async (name: Name) => {
        const health = await fetch(`http://127.0.0.1:${get(name).gateway.httpPort}/health`)
        return ((await health.json()) as { peer: { up: boolean } }).peer.up
      }
      await until('the halves have met', async () => (await up('huu-nghi')) && (await up('youyiguan')))
    },
    async restart(name, meanwhile) {
      await get(name).stop()
      await meanwhile?.()
      await launch(name)
      join_()
    },
    async send(name, lane, { declared = true, plate } = {}) {
      const site = get(name)
      const config = site.loaded.site.lanes[lane]!
      const facts = { id: lane, direction: config.direction, takes: config.takes, scale: config.scale !== undefined }
      const made = makeArrival(++no, facts, site.clock.now(), rng('pair', name, no), { trouble: 0, chinese: 0 }, HABITS.normal)
      const front = { ...made.truck.front!, text: plate ?? made.truck.front!.text }
      const declaration = { ...made.declaration!, id: `${name}-${no}`, plate: front.text }
      if (declared) {
        const { size } = site.gateway.declarations
        await site.centre.publish(`declaration/${declaration.id}`, declaration, true)
        await until('it is declared', () => site.gateway.declarations.size > size)
      }
      site.world.send(lane, { ...made, truck: { ...made.truck, front }, declaration: declared ? declaration : null })
      return front.text
    },
    async told(name, kind, plate) {
      const { log } = get(name).centre
      const about = (e: Event) => (e.data as { plate?: string }).plate === plate || e.subject === plate
      await until(`${name} tells ${kind} of ${plate}`, () => log.of(kind).some(about)).catch((error) => {
        throw new Error(
          `${error}; told so far: ${log
            .bySequence()
            .map((e) => `${kindOf(e)} ${e.subject ?? ''} ${e.data.decision?.rule ?? ''} ${e.data.why ?? ''}`)
            .join(' | ')}`,
        )
      })
    },
    stop,
  }
  return pair
}
