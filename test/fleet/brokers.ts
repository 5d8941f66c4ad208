/** The central broker of a fleet: a NATS cluster, Mosquitto or RabbitMQ, each as docs/examples configures it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type MqttClient } from 'mqtt'
import { consume } from '../../docs/examples/jetstream.ts'
import { TOPICS, topicFilter } from '../../gateway/uplink/topics.ts'
import { passwordFile, startMosquitto } from '../harness/mosquitto.ts'
import { type Account, startNats } from '../harness/nats.ts'
import { startRabbit } from '../harness/rabbitmq.ts'
import { ROOT } from './gate.ts'
import type { Tally } from './tally.ts'

export interface FleetBroker {
  /** Nodes in the order in which a gate tries them. */
  urls(gate: number): readonly string[]
  /** Names of what can be killed. */
  readonly nodes: readonly string[]
  kill(node: number): Promise<void>
  restart(node: number): Promise<void>
  pids(): readonly number[]
  /** Where it keeps its data. */
  readonly dir: string
  /** Begins to count; resolves when nothing can be missed any more. */
  count(tally: Tally): Promise<() => Promise<void>>
  /** As the centre, over MQTT. */
  client(): MqttClient
  stop(): Promise<void>
}

export const BROKERS = { nats: natsFleet, mosquitto: mosquittoFleet, rabbitmq: rabbitFleet } as const
export type BrokerName = keyof typeof BROKERS

async function natsFleet(gates: readonly Account[]): Promise<FleetBroker> {
  const nats = await startNats(gates)
  const { nodes, centre, dir } = nats
  const client = () => asCentre(nodes[0]!.mqtt, centre)
  return {
    urls: (gate) => nodes.map((_, i) => nodes[(gate + i) % nodes.length]!.mqtt),
    nodes: nodes.map((n) => n.name),
    kill: (i) => nodes[i]!.kill(),
    restart: (i) => nodes[i]!.restart(),
    pids: () => nodes.flatMap((n) => n.pid ?? []),
    dir,
    async count(tally) {
      // The server makes the stream behind MQTT when the first client comes.
      const first = client()
      await new Promise<void>((done) => first.once('connect', () => done()))
      await first.endAsync(true)
      const cluster = { servers: nodes.map((n) => n.client), user: centre.name, pass: centre.password }
      const reader = await consume(cluster, 'tally', (site, event) => tally.take(site, event))
      return () => reader.stop()
    },
    client,
    stop: () => nats.stop(),
  }
}

async function mosquittoFleet(gates: readonly Account[]): Promise<FleetBroker> {
  const centre = { name: 'centre', password: 'centre-of-the-test' }
  const example = (name: string) => readFileSync(join('docs/examples/mosquitto', name), 'utf8')
  const broker = await startMosquitto({
    // The port is the harness's own.
    config: example('mosquitto.conf')
      .replace(/^listener .*\n/m, '')
      .split('\n'),
    files: { acl: example('acl'), passwords: await passwordFile([...gates, centre]) },
  })
  return single(broker.url, centre, {
    dir: broker.dir,
    kill: () => broker.kill(),
    restart: () => broker.restart(),
    pids: () => (broker.pid === null ? [] : [broker.pid]),
    stop: () => broker.stop(),
  })
}

async function rabbitFleet(gates: readonly Account[]): Promise<FleetBroker> {
  const broker = await startRabbit(gates)
  return single(broker.url, broker.centre, {
    dir: broker.dir,
    kill: () => broker.kill(),
    restart: () => broker.restart(),
    pids: () => (broker.pid === null ? [] : [broker.pid]),
    stop: () => broker.stop(),
  })
}

/** One broker, read by an MQTT client with a session of its own. */
function single(url: string, centre: Account, of: Pick<FleetBroker, 'dir' | 'kill' | 'restart' | 'pids' | 'stop'>): FleetBroker {
  return {
    ...of,
    urls: () => [url],
    nodes: ['broker'],
    client: () => asCentre(url, centre),
    async count(tally) {
      const client = asCentre(url, centre, 'tally')
      client.on('message', (topic, payload) => tally.take(topic.split('/')[2] ?? '', payload))
      await new Promise<void>((done) => client.once('connect', () => done()))
      await client.subscribeAsync(topicFilter(TOPICS.event, { root: ROOT, site: '+' }), { qos: 1 })
      return () => client.endAsync(true)
    },
  }
}

function asCentre(url: string, centre: Account, session?: string): MqttClient {
  const client = connect(url, {
    username: centre.name,
    password: centre.password,
    clientId: session ?? `centre-${Math.random().toString(36).slice(2)}`,
    clean: session === undefined,
    protocolVersion: 4,
    reconnectPeriod: 500,
  })
  client.on('error', () => {})
  return client
}
