/** A country of gates for a compressed day: gates in processes of their own, a broker that may be killed, a centre that counts. */
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { rng } from '../sim/random.ts'
import { BROKERS, type BrokerName, type FleetBroker } from './brokers.ts'
import { ROOT } from './gate.ts'
import type { FromGates, Progress, ToGates } from './messages.ts'
import { Tally } from './tally.ts'

export interface FleetOptions {
  readonly broker: BrokerName
  readonly gates: number
  /** Each gate's, in the day. */
  readonly trucks: number
  /** How long the day is to take, seconds. */
  readonly seconds: number
  readonly processes: number
  /** Times that a node is killed at a random moment and brought back. */
  readonly kills: number
  readonly seed: string
  readonly say: (line: string) => void
}

export interface FleetResult {
  readonly gates: number
  readonly events: number
  readonly unique: number
  readonly duplicates: number
  readonly wrong: readonly string[]
  /** Events that the centre did not get by themselves, and after `resend-from`. */
  readonly missing: number
  readonly lost: number
  readonly kills: readonly string[]
  /** From the first truck until the centre had everything, seconds. */
  readonly seconds: number
  readonly connects: number
  readonly sent: number
  /** The most events that waited in all journals together. */
  readonly maxLag: number
  /** CPU seconds and resident memory. */
  readonly broker: { readonly cpuS: number; readonly rss: number }
  readonly gateProcesses: { readonly cpuS: number; readonly rss: number }
  readonly bytes: number
  readonly journalBytes: number
}

const GATES = resolve('dist/test/fleet/gates.js')
/** Without anything new for so long, what is missing will not come by itself. */
const QUIET_MS = 30_000
const START_MS = 600_000

export async function runFleet(o: FleetOptions): Promise<FleetResult> {
  const undo: (() => unknown)[] = []
  try {
    return await run(o, undo)
  } finally {
    for (const step of undo.reverse()) await step()
  }
}

async function run(o: FleetOptions, undo: (() => unknown)[]): Promise<FleetResult> {
  const dir = await mkdtemp(join(tmpdir(), 'luong-fleet-'))
  undo.push(() => rm(dir, { recursive: true, force: true }))
  const sites = Array.from({ length: o.gates }, (_, i) => ({ name: `gate-${String(i + 1).padStart(4, '0')}`, password: `secret-${i}` }))
  const broker = await BROKERS[o.broker](sites)
  undo.push(() => broker.stop())
  const tally = new Tally()
  const reader = await broker.count(tally)
  undo.push(reader)
  const processes = Array.from({ length: o.processes }, () => new GateProcess())
  undo.push(() => Promise.all(processes.map((p) => p.stop())))
  const cpu = new CpuMeter()
  await Promise.all(
    processes.map((p, n) =>
      p.start({
        kind: 'start',
        gates: sites
          .map(({ name, password }, i) => ({ site: name, username: name, password, urls: broker.urls(i) }))
          .filter((_, i) => i % o.processes === n),
        dir,
        seed: o.seed,
        trucks: o.trucks,
      }),
    ),
  )
  const up = () => processes.reduce((n, p) => n + (p.progress?.up ?? 0), 0)
  await until(
    () => up() === o.gates,
    START_MS,
    () => `${up()} of ${o.gates} gates connected: ${processes.map((p) => p.progress?.why)}`,
  )
  o.say(`${o.gates} gates are connected`)
  await cpu.read(broker.pids())
  const idle = cpu.total
  const began = performance.now()
  for (const p of processes) p.send({ kind: 'go', ms: o.seconds * 1_000 })
  const sums = () => add(processes.map((p) => p.progress))
  let maxLag = 0
  const watch = setInterval(() => {
    const s = sums()
    maxLag = Math.max(maxLag, s.lag)
    void cpu.read(broker.pids())
  }, 500)
  undo.push(() => clearInterval(watch))
  const talk = setInterval(() => {
    const s = sums()
    o.say(
      `${Math.round((performance.now() - began) / 1_000)} s: ${s.recorded} recorded, ${s.lag} wait, ${tally.unique} at the centre, ` +
        `${up()} gates up, ${tally.duplicates} twice${tally.wrong.length ? `, ${tally.wrong.length} WRONG` : ''}`,
    )
  }, 10_000)
  undo.push(() => clearInterval(talk))

  const kills = killing(o, broker, began)
  undo.push(() => kills.stop())
  await until(
    () => processes.every((p) => p.progress?.over === true),
    o.seconds * 20_000,
    () => 'the day does not end',
  )
  await kills.done
  const heads = () => Object.assign({}, ...processes.map((p) => p.progress?.heads ?? {})) as Record<string, number>
  await settled(
    tally,
    () => Object.values(heads()).reduce((a, b) => a + b, 0),
    () => sums().lag,
  )
  const seconds = (performance.now() - began) / 1_000
  const gone = () => Object.entries(heads()).map(([site, head]) => ({ site, missing: tally.missing(site, head) }))
  const missing = gone().reduce((n, g) => n + g.missing.length, 0)
  if (missing > 0) await askAgain(broker, gone(), o)
  await settled(
    tally,
    () => Object.values(heads()).reduce((a, b) => a + b, 0),
    () => sums().lag,
  )
  const lost = gone().reduce((n, g) => n + g.missing.length, 0)
  await cpu.read(broker.pids())
  const all = sums()
  return {
    gates: o.gates,
    events: all.recorded,
    unique: tally.unique,
    duplicates: tally.duplicates,
    wrong: tally.wrong,
    missing,
    lost,
    kills: kills.said,
    seconds,
    connects: all.connects,
    sent: all.sent,
    maxLag,
    broker: { cpuS: cpu.total - idle, rss: cpu.rss },
    gateProcesses: { cpuS: all.cpuS, rss: all.rss },
    bytes: tally.bytes,
    journalBytes: all.bytes,
  }
}

/** Each kill at a random moment of its own share of the day; the node is back before the next. */
function killing(o: FleetOptions, broker: FleetBroker, began: number): { done: Promise<void>; said: string[]; stop(): Promise<void> } {
  const r = rng(o.seed, 'kills')
  const said: string[] = []
  const share = (o.seconds * 1_000) / Math.max(1, o.kills)
  let stopped = false
  const done = (async () => {
    for (let n = 0; n < o.kills && !stopped; n++) {
      await sleep(Math.max(0, n * share + r() * 0.6 * share - (performance.now() - began)))
      if (stopped) return
      const node = Math.floor(r() * broker.nodes.length)
      const away = 1_000 + r() * Math.min(20_000, 0.3 * share)
      await broker.kill(node)
      await sleep(away)
      await broker.restart(node)
      said.push(`${broker.nodes[node]} at ${((performance.now() - began - away) / 1_000).toFixed(1)} s for ${(away / 1_000).toFixed(1)} s`)
      o.say(`killed ${said.at(-1)}`)
    }
  })()
  done.catch(() => {})
  return {
    done,
    said,
    async stop() {
      stopped = true
      await done.catch(() => {})
    },
  }
}

/** Until the centre has everything, or nothing new has come for a while. */
async function settled(tally: Tally, events: () => number, lag: () => number): Promise<void> {
  let last = -1
  let since = performance.now()
  while (tally.unique < events() || lag() > 0) {
    if (tally.unique !== last) {
      last = tally.unique
      since = performance.now()
    }
    if (performance.now() - since > QUIET_MS) return
    await sleep(200)
  }
}

async function askAgain(broker: FleetBroker, gone: readonly { site: string; missing: number[] }[], o: FleetOptions): Promise<void> {
  const client = broker.client()
  for (const { site, missing } of gone) {
    if (missing.length === 0) continue
    o.say(`${site}: ${missing.length} missing from ${missing[0]}: asked again`)
    const expires = new Date(Date.now() + 600_000).toISOString()
    const command = { id: `gap-${site}`, do: 'resend-from', from: missing[0], by: 'centre', reason: 'gap', expires }
    await client.publishAsync(`${ROOT}/${site}/command`, JSON.stringify(command), { qos: 1 })
  }
  await client.endAsync()
}

class GateProcess {
  readonly #child: ChildProcess = fork(GATES, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  readonly #gone = new Promise<void>((done) => this.#child.once('exit', () => done()))
  progress: Progress | null = null

  send(message: ToGates): void {
    if (this.#child.connected) this.#child.send(message)
  }
  async start(message: ToGates): Promise<void> {
    const ready = new Promise<void>((done, fail) => {
      this.#child.once('exit', (code) => fail(new Error(`a process of gates ended (${code})`)))
      this.#child.on('message', (m: FromGates) => {
        if (m.kind === 'ready') done()
        if (m.kind === 'progress') this.progress = m
      })
    })
    this.send(message)
    await ready
  }
  async stop(): Promise<void> {
    this.send({ kind: 'stop' })
    const late = setTimeout(() => this.#child.kill('SIGKILL'), 30_000)
    await this.#gone
    clearTimeout(late)
  }
}

/** CPU time of processes that may end and come back, from /proc. */
class CpuMeter {
  readonly #of = new Map<number, number>()
  /** The most that all of them had together, bytes. */
  rss = 0
  get total(): number {
    return [...this.#of.values()].reduce((a, b) => a + b, 0)
  }
  async read(pids: readonly number[]): Promise<void> {
    let rss = 0
    for (const pid of pids) {
      const fields = await readFile(`/proc/${pid}/stat`, 'utf8').then(
        (s) => s.slice(s.lastIndexOf(')') + 2).split(' '),
        () => null,
      )
      if (!fields) continue
      // utime and stime in ticks of 10 ms, rss in pages (proc(5)).
      this.#of.set(pid, (Number(fields[11]) + Number(fields[12])) / 100)
      rss += Number(fields[21]) * 4_096
    }
    this.rss = Math.max(this.rss, rss)
  }
}

const SUMS = ['recorded', 'lag', 'sent', 'connects', 'bytes', 'cpuS', 'rss'] as const
function add(all: readonly (Progress | null)[]): Record<(typeof SUMS)[number], number> {
  return Object.fromEntries(SUMS.map((key) => [key, all.reduce((n, p) => n + (p?.[key] ?? 0), 0)])) as Record<(typeof SUMS)[number], number>
}

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms))

async function until(done: () => boolean, ms: number, late: () => string): Promise<void> {
  const end = performance.now() + ms
  while (!done()) {
    if (performance.now() > end) throw new Error(late())
    await sleep(100)
  }
}
