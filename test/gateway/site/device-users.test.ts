import { connect, type MqttClient } from 'mqtt'
import { afterEach, describe, expect, it } from 'vitest'
import { drivers } from '../../../firmware-bridge/registry.ts'
import { systemClock } from '../../../gateway/kernel/clock.ts'
import { brokerConfig } from '../../../gateway/site/parts.ts'
import { changed, told } from '../../config/harness.ts'
import { startBroker } from '../../harness/local-broker.ts'
import { TestLog, until } from '../uplink/helpers.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

const env = { SECRET: 'hunter2' }
const user = (name: string, more: string) => `{ name: ${name}, role: device, password: { env: SECRET }, ${more} }`
const site = (...users: string[]) => changed(['rules: [', `broker: { embedded: { users: [${users.join(', ')}] } }\nrules: [`])

async function start(...users: string[]) {
  const { loaded, lines } = await told({ 'site.yaml': site(...users) }, { env })
  expect(lines).toEqual([])
  const log = new TestLog()
  const b = await startBroker({ ...brokerConfig(loaded!)!, port: 0 }, { log, clock: systemClock })
  cleanups.push(() => b.stop())
  const join = async (username: string): Promise<MqttClient> => {
    const mqtt = connect(`mqtt://127.0.0.1:${b.port}`, { username, password: 'hunter2', reconnectPeriod: 0 })
    cleanups.push(() => mqtt.endAsync(true))
    await new Promise((done) => mqtt.once('connect', done))
    return mqtt
  }
  return { b, log, join }
}

describe('a user that is a device', () => {
  it('publishes its own frames and nothing else: not those of another camera, not a command', async () => {
    const { b, log, join } = await start(user('front', 'devices: [cam-1]'), user('rear', 'devices: [cam-2]'))
    const front = await join('front')
    await front.publishAsync('cam/1', 'picture', { qos: 1 })
    for (const topic of ['cam/2', 'cam/1/set', 'luong/v1/pass/command', 'luong/v1/pass/lane/one/event']) {
      const forger = await join('front')
      const closed = new Promise<void>((done) => forger.once('close', () => done()))
      forger.publish(topic, 'forged', { qos: 1 })
      await closed
      expect(log.lines.some((l) => l.fields.user === 'front' && l.fields.topic === topic)).toBe(true)
    }
    await expect(front.subscribeAsync('#')).rejects.toThrow()
    await until(() => b.stats().denied === 5)
    expect(front.connected).toBe(true)
  })

  it.each([
    [
      'a device that is not there',
      user('a', 'devices: [cam-3]'),
      /there is no device "cam-3" \(did you mean cam-1\?\)|there is no device "cam-3"/,
    ],
    ['a device on another wire', user('a', 'devices: [io-1]'), /io-1 \(modbus-io\) does not speak MQTT/],
    ['an officer is no device', user('a', 'devices: [cam-1]').replace('role: device', 'role: page'), /role page is no device/],
    [
      'warning: filters as wide as the house',
      user('a', 'publish: ["#"]'),
      /a could speak as device cam-1, on cam\/1 \(name its own devices/,
    ],
    [
      'warning: filters that reach another camera',
      user('a', 'devices: [cam-1], publish: [cam/+]'),
      /a could speak as device cam-2, on cam\/2/,
    ],
  ])('%s', async (name, text, words) => {
    const { lines, loaded } = await told({ 'site.yaml': site(text) }, { env })
    expect(lines.join('\n')).toMatch(words)
    expect(loaded !== undefined).toBe(name.startsWith('warning'))
  })
})

it('a board knows its topics, presets filled in', () => {
  const entry = drivers.get('mqtt-io')!
  const settings = entry.schema.parse({
    ...{ driver: 'mqtt-io', link: 'local', stale_ms: 5_000 },
    inputs: { loop: { topic: 'b/loop', on: '1', off: '0' } },
    outputs: { open: { topic: 'b/open', on: '1', off: '0', state: { topic: 'b/open/is', on: '1', off: '0' } } },
    availability: { topic: 'b/there' },
    query: { topic: 'b/ask' },
  })
  expect(entry.topics?.(settings)).toEqual({ publish: ['b/loop', 'b/open/is', 'b/there'], subscribe: ['b/open', 'b/ask'] })
  const preset = entry.schema.parse({
    driver: 'mqtt-io',
    link: 'local',
    preset: 'shelly',
    base: 'shelly-1',
    inputs: { a: { channel: '0' } },
  })
  expect(entry.topics?.(preset).publish.every((topic) => topic.startsWith('shelly-1'))).toBe(true)
})
