/**
 * Loop edge in → relay bytes out. The gateway runs as a process of its own (`luong run`), over TCP links, with the real drivers, its own
 * broker, its journal on disk and the real reader; this process is everything outside: boards, arms, trucks, cameras. Five
 * lanes are busy all the time, and every camera sends three pictures a second, more than can be read.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { openSync } from 'node:fs'
import { resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { LoadedSite } from '../../config/load.ts'
import { buildSim } from '../../firmware-bridge/build-sim.ts'
import type { SimLine } from '../../firmware-bridge/sim.ts'
import { mqttTransport } from '../../firmware-bridge/transport/mqtt.ts'
import { listenLine, type OpenSimLine } from '../../firmware-bridge/transport/sim-line.ts'
import { sleep, systemClock } from '../../gateway/kernel/clock.ts'
import { silentLog } from '../../gateway/kernel/log.ts'
import { workerUrl } from '../../gateway/kernel/worker-url.ts'
import { LoopDelay } from '../../gateway/site/health.ts'
import { frame, still } from '../sim/draw/picture.ts'
import { MqttFeed } from '../sim/feed.ts'
import type { Arrival } from '../sim/traffic.ts'
import { BusyLane, trucksFor } from './busy-lane.ts'
import type { CameraWork, Presence } from './camera-worker.ts'
import { byteLinks, freePort, LANES, lanesSite, withFolder } from './lanes-site.ts'
import { type BenchOptions, inWords, mb, ms, type Report, type Row, type Spread, spread } from './report.ts'
import { type Reaction, WireTap } from './wire-tap.ts'

const FPS = 3
const TRUCKS = 3
const FRAMES = 3
const DEBOUNCE_ON_MS = 40

interface Health {
  readonly event_loop_delay_ms: { readonly p50: number; readonly p99: number; readonly max: number }
  readonly plates: { readonly done: number; readonly dropped: number; readonly read_ms: { readonly p50: number; readonly p99: number } }
  readonly journal: { readonly durable_ms: { readonly p50: number; readonly p99: number } }
}

/** @param during begins something else at the gateway's broker when measuring begins, and answers how to end it */
export async function edge(o: BenchOptions, during?: (mqttPort: number) => () => Promise<void>): Promise<Report> {
  const seconds = o.number('seconds', 120)
  return withFolder(async (dir) => {
    const [mqttPort, httpPort] = [await freePort(), await freePort()]
    const open = new Map<string, OpenSimLine>()
    const links = await byteLinks()
    for (const link of links) open.set(link, await listenLine('127.0.0.1', 0, silentLog))
    const tcp = (link: string) => ({ kind: 'tcp' as const, host: '127.0.0.1', port: Number(open.get(link)!.where.split(':')[1]) })
    const loaded = await lanesSite({ dir, links: new Map(links.map((id) => [id, tcp(id)])), mqttPort, httpPort })
    const reactions: Reaction[] = []
    let measuring = false
    const taps = new Map<string, SimLine>()
    const wires: WireTap[] = []
    for (const link of links) {
      const wire = new WireTap((r) => measuring && reactions.push(r))
      wires.push(wire)
      taps.set(link, wire.tap(open.get(link)!.line))
    }
    const messages = mqttTransport({ name: 'bench', url: `mqtt://127.0.0.1:${mqttPort}`, clock: systemClock, log: silentLog })
    const devices = await buildSim({
      links: loaded.site.links,
      devices: loaded.devices,
      clock: systemClock,
      log: silentLog,
      lineFor: (link) => taps.get(link)!,
      messages,
    })
    const trucks = new Map(LANES.map((id) => [id as string, trucksFor(loaded, id, TRUCKS)]))
    const album = await drawAll([...trucks.values()].flat())
    const feed = new MqttFeed(messages, `${loaded.site.site.root}/${loaded.site.site.id}`, silentLog)
    // More options for the gateway's Node, e.g. --node '--cpu-prof --cpu-prof-dir=/tmp/profile', and where to keep what it prints.
    const flags = (o.text('node') ?? '').split(' ').filter(Boolean)
    const trace = o.text('trace')
    const gateway = spawn(process.execPath, [...flags, resolve('dist/gateway/cli/main.js'), 'run', loaded.path, '--json'], {
      stdio: ['ignore', trace ? openSync(trace, 'w') : 'ignore', 'pipe'],
    })
    try {
      devices.start()
      await ready(gateway)
      messages.start()
      feed.start()
      const cameras = startCameras(loaded, `mqtt://127.0.0.1:${mqttPort}`, album)
      const lanes = LANES.map(
        (id) =>
          new BusyLane({
            id,
            loaded,
            devices,
            feed,
            trucks: trucks.get(id)!,
            reopens: 5,
            onTruck: (arrival) => cameras.postMessage({ lane: id, truck: arrival?.truck.no ?? 0 } satisfies Presence),
          }),
      )
      for (const lane of lanes) lane.start()
      if (o.realtime) undisturbed(process.pid, gateway.pid)
      const end = during?.(mqttPort)
      await sleep(systemClock, 5_000)
      const own = new LoopDelay()
      own.start()
      measuring = true
      const url = `http://127.0.0.1:${httpPort}`
      const [before, usedBefore] = [await health(url), await usage(url)]
      const polls = wires.reduce((n, w) => n + w.polls, 0)
      await sleep(systemClock, seconds * 1000)
      const [after, used] = [await health(url), await usage(url)]
      const asked = wires.reduce((n, w) => n + w.polls, 0) - polls
      measuring = false
      await end?.()
      await cameras.terminate()
      await Promise.all(lanes.map((lane) => lane.stop()))
      return report({
        seconds,
        reactions,
        before,
        after,
        cores: (used.cpu - usedBefore.cpu) / seconds,
        rss: used.rss,
        asked,
        lanes,
        own: own.read(),
        realtime: o.realtime,
      })
    } finally {
      gateway.kill('SIGTERM')
      await new Promise((done) => (gateway.exitCode === null ? gateway.once('exit', done) : done(null)))
      await feed.stop()
      await devices.stop()
      await messages.stop()
      for (const line of open.values()) await line.stop()
    }
  })
}

/**
 * On a machine that is busy with other programs: gives the main threads of gateway and boards, and no other, a core as soon as they want one
 * (chrt(1), as root), as a machine of its own would.
 */
function undisturbed(...pids: (number | undefined)[]): void {
  for (const pid of pids) {
    const { status, error, stderr } = spawnSync('chrt', ['-r', '-p', '1', String(pid)], { encoding: 'utf8' })
    if (error || status !== 0) throw new Error(`--realtime needs chrt and root: ${error?.message ?? stderr}`)
  }
}

interface Measured {
  readonly seconds: number
  readonly reactions: readonly Reaction[]
  readonly before: Health
  readonly after: Health
  readonly cores: number
  readonly rss: number
  readonly realtime: boolean
  readonly asked: number
  readonly lanes: readonly BusyLane[]
  /** Event-loop delay of this process, which is the boards. */
  readonly own: ReturnType<LoopDelay['read']>
}

function report(m: Measured): Report {
  const of = (kind: Reaction['kind'], less = 0) => spread(m.reactions.filter((r) => r.kind === kind).map((r) => r.ms - less))
  const kinds = { light: of('light'), enter: of('enter', DEBOUNCE_ON_MS), reopen: of('reopen', DEBOUNCE_ON_MS) }
  const all = spread(m.reactions.map((r) => (r.kind === 'light' ? r.ms : r.ms - DEBOUNCE_ON_MS)))
  const read = m.after.plates.done - m.before.plates.done
  const dropped = m.after.plates.dropped - m.before.plates.dropped
  const passed = m.lanes.reduce((n, l) => n + l.passed, 0)
  const { event_loop_delay_ms: loop } = m.after
  const words = (s: Spread) => inWords(s)
  const rows: Row[] = [
    { what: 'edge → command, all', value: words(all), note: 'aim p99 ≤ 10 ms; holds the 5 ms of silence that Modbus RTU asks for' },
    { what: '  arm open → lamp', value: words(kinds.light), note: 'no debounce' },
    { what: '  truck enters → lamp', value: words(kinds.enter), note: `less ${DEBOUNCE_ON_MS} ms debounce` },
    { what: '  under closing arm → reopen', value: words(kinds.reopen), note: `less ${DEBOUNCE_ON_MS} ms debounce` },
    {
      what: 'one poll of a board',
      value: ms((m.seconds * 1000 * 5) / m.asked),
      note: 'mean time between two looks at an input (poll_ms 25)',
    },
    {
      what: 'event-loop delay',
      value: `p50 ${ms(loop.p50)}   p99 ${ms(loop.p99)}   max ${ms(loop.max)}`,
      note: 'of the gateway since its start; aim p99 ≤ 20 ms',
    },
    {
      what: '  of the boards beside it',
      value: `p50 ${ms(m.own.p50)}   p99 ${ms(m.own.p99)}   max ${ms(m.own.max)}`,
      note: 'what this bench itself adds',
    },
    { what: 'append → durable', value: `p50 ${ms(m.after.journal.durable_ms.p50)}   p99 ${ms(m.after.journal.durable_ms.p99)}` },
    {
      what: 'pictures',
      value: `${(read / m.seconds).toFixed(1)}/s read, ${(dropped / m.seconds).toFixed(1)}/s dropped for newer ones`,
      note: `wait and reading p50 ${ms(m.after.plates.read_ms.p50)}`,
    },
    {
      what: 'trucks',
      value: `${passed} through five lanes in ${m.seconds} s`,
      note: `${m.lanes.reduce((n, l) => n + l.refused, 0)} not let through`,
    },
    { what: 'the gateway', value: `${m.cores.toFixed(2)} cores, ${mb(m.rss)} RSS`, note: 'with reader and broker; aim ≤ 350 MB' },
  ]
  return {
    bench: 'edge',
    title: 'loop edge on the wire → relay bytes at the board, five busy lanes, recognition saturated',
    command: `npm run bench -- edge --seconds ${m.seconds}${m.realtime ? ' --realtime' : ''}`,
    rows,
    data: {
      all,
      ...kinds,
      loop,
      durable: m.after.journal.durable_ms,
      read,
      dropped,
      passed,
      cores: m.cores,
      rss: m.rss,
      seconds: m.seconds,
    },
  }
}

/** All pictures are drawn before: drawing is no part of what is measured. */
async function drawAll(trucks: readonly Arrival[]): Promise<CameraWork['album']> {
  const album = new Map<number, { front: Uint8Array[]; rear: Uint8Array[] }>()
  for (const no of [0, ...trucks.map(({ truck }) => truck.no)]) {
    const truck = trucks.find((t) => t.truck.no === no)?.truck
    const pictures = { front: [] as Uint8Array[], rear: [] as Uint8Array[] }
    for (const side of ['front', 'rear'] as const) {
      const picture = await still({ plate: truck?.[side] ?? null, side, night: false }, `bench ${no} ${side}`)
      for (let i = 0; i < FRAMES; i++) pictures[side].push(await frame(picture, `bench ${no} ${side} ${i}`))
    }
    album.set(no, pictures)
  }
  return album
}

function startCameras(loaded: LoadedSite, url: string, album: CameraWork['album']): Worker {
  const cameras = LANES.flatMap((lane) =>
    (['front', 'rear'] as const).flatMap((side) =>
      loaded.site.lanes[lane]!.cameras[side].map((id) => ({
        lane,
        side,
        topic: (loaded.devices.get(id)!.settings as { topic: string }).topic,
      })),
    ),
  )
  const work: CameraWork = { url, fps: FPS, cameras, album }
  return new Worker(workerUrl(import.meta.url, './camera-worker.js'), { workerData: work, execArgv: [] })
}

function ready(gateway: ChildProcess): Promise<void> {
  return new Promise((done, failed) => {
    let said = ''
    gateway.stderr!.on('data', (text: Buffer) => {
      said = (said + text).slice(-10_000)
      if (said.includes('"msg":"ready"')) done()
    })
    gateway.once('exit', (code) => failed(new Error(`the gateway ended with ${code}: ${said}`)))
  })
}

async function health(url: string): Promise<Health> {
  return (await (await fetch(`${url}/health`)).json()) as Health
}

/** CPU seconds that the gateway has used, and its memory in bytes. */
async function usage(url: string): Promise<{ cpu: number; rss: number }> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const number = (name: string) => Number(new RegExp(`^${name} ([\\d.e+-]+)`, 'm').exec(text)?.[1] ?? 0)
  return { cpu: number('process_cpu_seconds_total'), rss: number('process_resident_memory_bytes') }
}
