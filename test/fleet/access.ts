/** Whether a broker gives a gate exactly what the topic table says: its own subtree, and of that only its own direction. */
import { connect, type MqttClient } from 'mqtt'
import { TOPICS, type TopicEntry } from '../../gateway/uplink/topics.ts'
import { until } from '../harness/chaos-site.ts'
import type { Account } from '../harness/nats.ts'
import type { FleetBroker } from './brokers.ts'
import { ROOT } from './gate.ts'

const ENTRIES: readonly TopicEntry[] = Object.values(TOPICS)
/** A topic of a table entry below a site; `other` stands where the other half of a smart gate is named. */
const at = (entry: TopicEntry, site: string, other = 'other-half') =>
  `${ROOT}/${site}/${entry.template.replace('{peer}', other).replaceAll(/\{\w+\}/g, 'x')}`

/** @returns what is wrong, in words: must be empty */
export async function accessProblems(broker: FleetBroker, own: Account, other: Account): Promise<string[]> {
  const centre = broker.client()
  try {
    await new Promise<void>((done) => (centre.connected ? done() : centre.once('connect', () => done())))
    return [...(await spoken(broker, centre, own, other)), ...(await heard(broker, centre, own, other))]
  } finally {
    await centre.endAsync(true)
  }
}

async function spoken(broker: FleetBroker, centre: MqttClient, own: Account, other: Account): Promise<string[]> {
  const got = new Set<string>()
  centre.on('message', (topic, payload) => payload.toString() === 'said' && got.add(topic))
  await centre.subscribeAsync(`${ROOT}/#`, { qos: 1 })
  const may = ENTRIES.filter((e) => e.direction !== 'down').map((e) => at(e, own.name))
  const mayNot = [...ENTRIES.filter((e) => e.direction === 'down').map((e) => at(e, own.name)), ...ENTRIES.map((e) => at(e, other.name))]
  // What is refused may cost the connection, so each has its own; what may be said comes last, so that the rest had its time.
  for (const topic of [...mayNot, ...may]) {
    const mouth = await asGate(broker, own, 'mouth')
    await Promise.race([mouth.publishAsync(topic, 'said', { qos: 1 }), closed(mouth)]).catch(() => {})
    await mouth.endAsync(true)
  }
  await until('what may be said is heard', () => may.every((t) => got.has(t)), 10_000).catch(() => {})
  return [
    ...may.filter((t) => !got.has(t)).map((t) => `${own.name} may not publish ${t}`),
    ...mayNot.filter((t) => got.has(t)).map((t) => `${own.name} may publish ${t}`),
  ]
}

async function heard(broker: FleetBroker, centre: MqttClient, own: Account, other: Account): Promise<string[]> {
  const got = new Set<string>()
  // A box looks at what was last said in the name of its site.
  const looks: readonly TopicEntry[] = [TOPICS.status, TOPICS.head, TOPICS.claim]
  const toldTo = (site: string) => [
    ...ENTRIES.filter((e) => e.direction === 'down' || looks.includes(e)).map((e) => at(e, site)),
    at(TOPICS.peer, 'other-half', site),
  ]
  const may = toldTo(own.name)
  const mayNot = [...toldTo(other.name), ...ENTRIES.filter((e) => e.direction !== 'down').map((e) => at(e, other.name))]
  const ears: MqttClient[] = []
  try {
    // Some brokers refuse in the acknowledgement, others by ending the connection: so each has its own.
    for (const topic of [...mayNot, ...may]) {
      const ear = await asGate(broker, own, 'ear')
      ears.push(ear)
      ear.on('message', (from, payload) => payload.toString() === 'told' && got.add(from))
      await Promise.race([ear.subscribeAsync(topic, { qos: 1 }), closed(ear)]).catch(() => {})
    }
    for (const topic of [...mayNot, ...may]) await centre.publishAsync(topic, 'told', { qos: 1 })
    await until('what may be heard is heard', () => may.every((t) => got.has(t)), 10_000).catch(() => {})
  } finally {
    await Promise.all(ears.map((ear) => ear.endAsync(true)))
  }
  return [
    ...may.filter((t) => !got.has(t)).map((t) => `${own.name} may not subscribe ${t}`),
    ...mayNot.filter((t) => got.has(t)).map((t) => `${own.name} may subscribe ${t}`),
  ]
}

const closed = (client: MqttClient) => new Promise<void>((done) => client.once('close', () => done()))

/** Connected; a cluster that has just started lets nobody in until it has its leaders. */
function asGate(broker: FleetBroker, { name, password }: Account, role: string): Promise<MqttClient> {
  return until(`${name} is let in`, async () => {
    const clientId = `${name}-${role}-${Math.random().toString(36).slice(2)}`
    const client = connect(broker.urls(0)[0]!, { username: name, password, clientId, protocolVersion: 4, reconnectPeriod: 0 })
    client.on('error', () => {})
    if (await connected(client)) return client
    await client.endAsync(true)
    return null
  })
}

function connected(client: MqttClient): Promise<boolean> {
  if (client.connected) return Promise.resolve(true)
  return new Promise((done) => {
    client.once('connect', () => done(true))
    client.once('close', () => done(false))
  })
}
