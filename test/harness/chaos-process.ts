/** `luong run` as a process of its own that may be killed at any moment, and what an outsider sees of it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { connect, type MqttClient } from 'mqtt'
import { decodeRequest } from '../../firmware-bridge/modbus/codec.ts'
import { requestReader } from '../../firmware-bridge/modbus/server.ts'
import type { SimLine } from '../../firmware-bridge/sim.ts'
import { systemClock } from '../../gateway/kernel/clock.ts'
import { until } from './chaos-site.ts'
import { plainEnv } from './plain-env.ts'

export interface RunningGateway {
  readonly pid: number
  /** Wall clock when it was started, ms. */
  readonly startedAt: number
  /** Everything it has said so far. */
  readonly said: () => string
  readonly exited: Promise<number | null>
  readonly gone: () => boolean
  ready(ms?: number): Promise<void>
  kill(signal: NodeJS.Signals): Promise<number | null>
  /** Nobody reads what it says any more: its pipes are closed at our end. */
  deafen(): void
}

const LUONG = resolve('dist/gateway/cli/main.js')

export function runGateway(site: string, args: readonly string[] = []): RunningGateway {
  const startedAt = Date.now()
  const child: ChildProcess = spawn(process.execPath, [LUONG, 'run', site, '--json', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: plainEnv(),
  })
  let said = ''
  let over = false
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (d: Buffer) => {
      said = (said + d.toString()).slice(-400_000)
    })
  const exited = new Promise<number | null>((done) =>
    child.once('close', (code) => {
      over = true
      done(code)
    }),
  )
  return {
    pid: child.pid!,
    startedAt,
    said: () => said,
    exited,
    gone: () => over,
    async ready(ms = 60_000) {
      await until(`the gateway is ready; it said ${said.slice(-2_000)}`, () => over || said.includes('"msg":"ready"'), ms)
      if (over) throw new Error(`the gateway ended: ${said.slice(-2_000)}`)
    },
    async kill(signal) {
      child.kill(signal)
      return exited
    },
    deafen() {
      child.stdout?.destroy()
      child.stderr?.destroy()
    },
  }
}

/** A finished `luong` command. */
export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export function luong(args: readonly string[], ms = 60_000, env = plainEnv()): Promise<Ran> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [LUONG, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env })
    let out = ''
    let err = ''
    child.stdout.on('data', (d: Buffer) => {
      out += d
    })
    child.stderr.on('data', (d: Buffer) => {
      err += d
    })
    const late = setTimeout(() => child.kill('SIGKILL'), ms)
    child.once('close', (code) => {
      clearTimeout(late)
      done({ code, out, err })
    })
  })
}

/** A relay that was written to, as the wire shows it: not what a board made of it. */
export interface RelayWrite {
  readonly at: number
  readonly unit: number
  /** From 1; 0 when the write does not name one relay. */
  readonly relay: number
  readonly value: number
}

/** Listens on a simulated RS-485 line for every write of a Waveshare board (FC05 to 0x0000… switches, to 0x0200… pulses). */
export function relayWrites(line: SimLine, onWrite: (write: RelayWrite) => void): () => void {
  const reader = requestReader('rtu', systemClock)
  return line.onData((bytes) => {
    for (const { unit, pdu } of reader(bytes)) {
      const r = decodeRequest(pdu)
      if (!r || r.fc <= 4) continue
      const addr = 'addr' in r ? r.addr : -1
      const relay = r.fc === 5 && (addr < 8 || (addr >= 0x200 && addr < 0x208)) ? (addr & 0xff) + 1 : 0
      onWrite({ at: Date.now(), unit, relay, value: r.fc === 5 ? r.value : -1 })
    }
  })
}

export interface CollectedEvent {
  readonly sequence: number
  readonly id: string
  readonly text: string
  readonly at: number
}

/** An external consumer of events that never forgets: same id, same bytes, or it complains. */
export class Collector {
  readonly events = new Map<number, CollectedEvent>()
  readonly complaints: string[] = []
  readonly lanes = new Map<string, Record<string, unknown>>()
  /** Lane events in the order they came, first copies only. */
  readonly order: { lane: string; sequence: number }[] = []
  duplicates = 0
  #client: MqttClient | undefined

  async start(url: string, base: string): Promise<void> {
    const client = connect(url, { clientId: 'collector', clean: false, reconnectPeriod: 200, protocolVersion: 4 })
    this.#client = client
    client.on('message', (topic, payload) => this.#heard(topic, payload))
    await new Promise<void>((done, fail) => {
      client.once('connect', () => {
        client.subscribe([`${base}/lane/+/event`, `${base}/lane/+/state`], { qos: 1 }, (error) => (error ? fail(error) : done()))
      })
      client.once('error', fail)
    })
    client.on('error', () => {})
  }

  async stop(): Promise<void> {
    await this.#client?.endAsync(true)
  }

  publish(topic: string, body: unknown): Promise<unknown> {
    const text = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
    return this.#client!.publishAsync(topic, text as string | Buffer, { qos: 1 })
  }

  get last(): number {
    return Math.max(0, ...this.events.keys())
  }

  /** Sequences missing below the last one. */
  gaps(): number[] {
    return Array.from({ length: this.last }, (_, i) => i + 1).filter((n) => !this.events.has(n))
  }

  #heard(topic: string, payload: Buffer): void {
    const lane = topic.split('/').at(-2)!
    if (topic.endsWith('/state')) {
      if (payload.length > 0) this.lanes.set(lane, JSON.parse(payload.toString()) as Record<string, unknown>)
      return
    }
    const text = payload.toString()
    const event = JSON.parse(text) as { id: string; sequence: string }
    const sequence = Number(event.sequence)
    const known = this.events.get(sequence)
    if (!known) {
      this.events.set(sequence, { sequence, id: event.id, text, at: Date.now() })
      this.order.push({ lane, sequence })
      return
    }
    this.duplicates++
    if (known.text !== text) this.complaints.push(`sequence ${sequence} came twice with other bytes:\n${known.text}\n${text}`)
  }
}
