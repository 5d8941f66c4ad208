/** Ways to get events to the centre that are compared: each takes events one by one, is killed, and started again. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { connect, type MqttClient } from 'mqtt'
import { workerUrl } from '../../../gateway/kernel/worker-url.ts'
import { type Mosquitto, startMosquitto } from '../../harness/mosquitto.ts'
import { trafficJson, trafficTopic } from '../../harness/traffic-events.ts'

export interface Carrier {
  /** `taken` is called when the carrier answers for event `n`: from then on losing it is the carrier's loss. */
  start(taken: (n: number) => void): Promise<void>
  feed(n: number): void
  /** SIGKILL. */
  kill(): Promise<void>
  /** @returns the first event to be fed now, where the carrier knows it itself */
  restart(): Promise<number | null>
  stop(): Promise<void>
}

const CHILD = fileURLToPath(workerUrl(import.meta.url, './child.js'))

/** A process of `child.ts`. */
export function process_(kind: 'luong' | 'mqttjs', dir: string, url: string): Carrier {
  let child: ChildProcessByStdio<Writable, Readable, null> | undefined
  let taken: (n: number) => void = () => {}
  mkdirSync(dir, { recursive: true })
  const launch = async (): Promise<number | null> => {
    const started = spawn(process.execPath, [CHILD, kind, dir, url], { stdio: ['pipe', 'pipe', 'inherit'] })
    child = started
    started.stdin.on('error', () => {})
    let rest = ''
    const next = new Promise<number>((done, fail) => {
      started.once('exit', () => fail(new Error(`${kind} ended`)))
      started.stdout.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split('\n')
        rest = lines.pop()!
        for (const line of lines) {
          const [word, n] = line.split(' ')
          if (word === 'next') done(Number(n))
          else taken(Number(n))
        }
      })
    })
    return (await next) || null
  }
  return {
    async start(fn) {
      taken = fn
      await launch()
    },
    feed: (n) => void child?.stdin.write(`${n}\n`),
    async kill() {
      const gone = once(child!, 'close')
      child!.kill('SIGKILL')
      await gone
    },
    restart: launch,
    async stop() {
      child?.kill('SIGKILL')
    },
  }
}

/** A local Mosquitto that keeps its messages on disk and bridges them to the centre. What it acknowledged it has taken. */
export function bridge(port: number, autosaveS: number): Carrier {
  let broker: Mosquitto | undefined
  let producer: MqttClient | undefined
  let taken: (n: number) => void = () => {}
  const join_ = async () => {
    const client = connect(broker!.url, { clientId: 'gate', clean: true, reconnectPeriod: 0 })
    client.on('error', () => {})
    await new Promise<void>((done) => client.once('connect', () => done()))
    producer = client
  }
  return {
    async start(fn) {
      taken = fn
      broker = await startMosquitto({
        config: [
          'allow_anonymous true',
          'persistence true',
          'persistence_location DIR/',
          `autosave_interval ${autosaveS}`,
          'max_queued_messages 0',
          'set_tcp_nodelay true',
          'connection centre',
          `address 127.0.0.1:${port}`,
          'topic # out 1',
          'cleansession false',
          'restart_timeout 1',
          'try_private true',
        ],
      })
      await join_()
    },
    feed(n) {
      producer?.publish(trafficTopic(n), trafficJson(n), { qos: 1 }, (error) => {
        if (!error) taken(n)
      })
    },
    async kill() {
      await broker!.kill()
      producer?.end(true)
      producer = undefined
    },
    async restart() {
      await broker!.restart()
      await join_()
      return null
    },
    async stop() {
      producer?.end(true)
      await broker?.stop()
    },
  }
}

export const CARRIERS: Readonly<Record<string, (port: number, root: string, url: string) => Carrier>> = {
  Luồng: (_, root, url) => process_('luong', join(root, 'luong'), url),
  'Mosquitto bridge, saved every second': (port) => bridge(port, 1),
  'Mosquitto bridge, saved as by default': (port) => bridge(port, 1_800),
  'MQTT.js, its default store': (_, root, url) => process_('mqttjs', join(root, 'mqttjs'), url),
}
