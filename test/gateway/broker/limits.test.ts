import { readFile } from 'node:fs/promises'
import { connect as netConnect, type Socket } from 'node:net'
import fc from 'fast-check'
import { connect, type MqttClient } from 'mqtt'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import type { BrokerAccount } from '../../../gateway/broker/acl.ts'
import type { BrokerConfig, RunningBroker } from '../../../gateway/broker/config.ts'
import type { LimitKind } from '../../../gateway/broker/limits.ts'
import { Bucket } from '../../../gateway/kernel/bucket.ts'
import { systemClock } from '../../../gateway/kernel/clock.ts'
import { Certificates } from '../../harness/certificates.ts'
import { startBroker } from '../../harness/local-broker.ts'
import { BASE, TestLog, until } from '../uplink/helpers.ts'

const made = new Certificates()
const authority = made.authority('Gate authority')
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})
afterAll(() => made.remove())

const user = (name: string): BrokerAccount => ({ name, password: `${name}-secret`, role: 'admin', publish: [], subscribe: [] })
const USERS = [user('good'), user('bad')]

type Broker = RunningBroker & { log: TestLog; url: string; told: (kind: RegExp) => number }

async function broker(limits: BrokerConfig['limits'] = {}, more: Partial<BrokerConfig> = {}): Promise<Broker> {
  const log = new TestLog()
  const config = { ...BASE, host: '127.0.0.1', port: 0, users: USERS, maxPayloadKb: 512, limits, ...more }
  const running = await startBroker(config, { log, clock: systemClock })
  cleanups.push(() => running.stop())
  const told = (kind: RegExp) => log.lines.filter((l) => l.level === 'warn' && kind.test(l.message)).length
  return { ...running, log, url: `mqtt://127.0.0.1:${running.port}`, told }
}

async function join(url: string, username = 'good', more: object = {}): Promise<MqttClient & { got: Buffer[]; closed: Promise<void> }> {
  const mqtt = connect(url, { username, password: `${username}-secret`, reconnectPeriod: 0, ...more })
  cleanups.push(() => mqtt.endAsync(true))
  const got: Buffer[] = []
  mqtt.on('message', (_, payload) => got.push(payload))
  mqtt.on('error', () => {})
  const closed = new Promise<void>((resolve) => mqtt.once('close', () => resolve()))
  await new Promise((resolve, reject) => mqtt.once('connect', resolve).once('error', reject).once('close', reject))
  return Object.assign(mqtt, { got, closed })
}

async function raw(port: number): Promise<Socket & { ended: Promise<void> }> {
  const socket = netConnect(port, '127.0.0.1')
  cleanups.push(() => socket.destroy())
  socket.on('error', () => {})
  const ended = new Promise<void>((done) => socket.once('close', () => done()))
  await new Promise<void>((done) => socket.once('connect', () => done()).once('close', () => done()))
  return Object.assign(socket, { ended })
}

/** CONNECT of a user, as bytes. */
function connectPacket(username: string, id: string): Buffer {
  const text = (s: string) => Buffer.concat([Buffer.from([0, s.length]), Buffer.from(s)])
  const body = Buffer.concat([text('MQTT'), Buffer.from([4, 0xc2, 0, 60]), text(id), text(username), text(`${username}-secret`)])
  return Buffer.concat([Buffer.from([0x10, body.length]), body])
}

const hit = (b: Broker, kind: LimitKind) => b.stats().limited[kind]

/** A message that names its number and fills up with it. */
const numbered = (n: number, size: number) => {
  const out = Buffer.alloc(Math.max(4, size), n & 0xff)
  out.writeUInt32BE(n)
  return out
}

describe('what goes through the meter', () => {
  it.each(['plain', 'TLS'])('arrives as it was sent, in order, whatever the sizes: %s', async (kind) => {
    const issued = authority.issue('broker')
    const material = { cert: await readFile(issued.cert, 'utf8'), key: await readFile(issued.key, 'utf8') }
    const b = await broker({}, { tls: { host: '127.0.0.1', port: 0, clientCertificates: 'none', material } })
    const url = kind === 'TLS' ? `mqtts://127.0.0.1:${b.tlsPort}` : b.url
    const ca = await readFile(authority.ca)
    const [sender, reader] = [await join(url, 'good', { ca }), await join(url, 'good', { ca })]
    await reader.subscribeAsync('x', { qos: 1 })
    const sizes = fc.sample(fc.oneof({ weight: 12, arbitrary: fc.nat(300) }, { weight: 1, arbitrary: fc.nat(400_000) }), {
      numRuns: 1_500,
      seed: 7,
    })
    const sent = sizes.map((size, n) => numbered(n, size))
    await Promise.all(sent.map((message) => sender.publishAsync('x', message, { qos: 1 })))
    await until(
      () => reader.got.length === sent.length,
      () => reader.got.length,
    )
    expect(reader.got.every((message, n) => message.equals(sent[n]!))).toBe(true)
    expect(Object.values(b.stats().limited).every((n) => n === 0)).toBe(true)
  })

  it('is read right also when nobody listens: thousands of small ones in one go', async () => {
    const b = await broker({ messagesPerS: 10_000 })
    const sender = await join(b.url)
    for (let n = 0; n < 20_000; n++) sender.publish('nobody/listens', numbered(n, 100), { qos: 0 })
    await sender.publishAsync('last', 'x', { qos: 1 })
    await until(() => b.stats().published === 20_001)
    expect(b.told(/dropped/)).toBe(0)
  })

  it('a subscriber gets thousands of retained messages, more than may wait for it', async () => {
    const b = await broker({ queuedBytes: 256 * 1024 }, { maxPayloadKb: 64 })
    const sender = await join(b.url)
    for (let n = 0; n < 2_000; n++) sender.publish(`r/${n}`, numbered(n, 2_000), { qos: 0, retain: true })
    await sender.publishAsync('last', 'x', { qos: 1 })
    const reader = await join(b.url)
    await reader.subscribeAsync('r/#', { qos: 1 })
    await until(
      () => reader.got.length === 2_000,
      () => reader.got.length,
    )
    expect(hit(b, 'queued')).toBe(0)
  })
})

describe('too much', () => {
  it('a client that sends too fast is read more slowly; nothing of it is lost, and others are not held up', async () => {
    const b = await broker({ messagesPerS: 200 })
    const [bad, good, reader] = [await join(b.url, 'bad'), await join(b.url), await join(b.url)]
    await reader.subscribeAsync('x/#', { qos: 1 })
    for (let n = 0; n < 1_500; n++) bad.publish('x/bad', numbered(n, 10), { qos: 0 })
    await until(() => hit(b, 'publish_rate') === 1)
    const before = reader.got.length
    await good.publishAsync('x/good', 'now', { qos: 1 })
    await until(() => reader.got.some((m) => m.toString() === 'now'))
    expect(reader.got.length - before).toBeLessThan(1_000)
    await until(() => reader.got.length === 1_501)
    expect(hit(b, 'publish_rate')).toBe(1)
    expect(b.log.lines.filter((l) => /sends too fast/.test(l.message))).toEqual([
      expect.objectContaining({ fields: expect.objectContaining({ user: 'bad', from: '127.0.0.1' }) }),
    ])
  })

  it('a bucket pays back what it owes, and never has more than it holds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), fc.array(fc.tuple(fc.nat(5_000), fc.nat(500)), { maxLength: 50 }), (perS, takes) => {
        const bucket = new Bucket(perS, 5 * perS, 0)
        let now = 0
        let taken = 0
        for (const [ms, n] of takes) {
          now += ms
          if (bucket.wait(now) > 0) continue
          bucket.take(n, now)
          taken += n
          const wait = bucket.wait(now)
          expect(bucket.wait(now + wait)).toBe(0)
          // One take may go into debt; beyond that, the rate and the burst are all there is.
          expect(taken).toBeLessThanOrEqual((now / 1_000) * perS + 5 * perS + 500 + 1e-3)
        }
      }),
      // The debt is paid but for what rounding leaves of it.
      { numRuns: 1_000, examples: [[5, Array.from({ length: 12 }, () => [1_234, 22])]] },
    )
  })

  it('connections of one user', async () => {
    const b = await broker({ perUser: 3 })
    const open = [await join(b.url, 'bad'), await join(b.url, 'bad'), await join(b.url, 'bad')]
    await expect(join(b.url, 'bad')).rejects.toMatchObject({ code: 3 })
    await join(b.url)
    await open[0]!.endAsync(true)
    await until(() => b.stats().clients === 3)
    await join(b.url, 'bad')
    expect(hit(b, 'per_user')).toBe(1)
    expect(b.told(/too many connections of one user; this one/)).toBe(1)
  })

  it('10,000 connections from one client: the rest are refused at the door, and others come in all the same', async () => {
    const b = await broker({ clients: 64 })
    for (let n = 0; n < 50; n++) await Promise.all(Array.from({ length: 200 }, () => raw(b.port)))
    expect(b.stats().connections).toBeLessThanOrEqual(32)
    // From the same address it may take a few tries; the rate lets in twenty a second and more.
    let good: MqttClient | null = null
    while (!good) good = await join(b.url).catch(() => null)
    await good.publishAsync('x', 'x', { qos: 1 })
    const { limited, refused } = b.stats()
    expect(limited.per_address + limited.connect_rate).toBeGreaterThanOrEqual(9_000)
    expect(refused).toBeGreaterThanOrEqual(9_000)
    expect(b.told(/./)).toBeLessThanOrEqual(40)
  })

  it('a packet that never ends (slow-loris)', async () => {
    const b = await broker({ packetMs: 300 })
    const slow = await raw(b.port)
    slow.write(connectPacket('bad', 'slow'))
    await until(() => b.stats().clients === 1)
    slow.write(Buffer.from([0x30, 100, 0, 1, 0x61]))
    const drip = setInterval(() => slow.write('x'), 50)
    cleanups.push(() => clearInterval(drip))
    await slow.ended
    expect(hit(b, 'packet_time')).toBe(1)
    expect(b.log.lines.find((l) => /not finished in time/.test(l.message))?.fields).toMatchObject({ user: 'bad', client: 'slow' })
    // One who sends whole packets is not late, however long he stays.
    const good = await join(b.url)
    for (let i = 0; i < 10; i++) {
      await good.publishAsync('x', 'x', { qos: 1 })
      await new Promise((done) => setTimeout(done, 60))
    }
    expect(good.connected).toBe(true)
  })

  it('a subscriber that does not read is dropped, and nobody waits for it', async () => {
    const b = await broker({ queuedBytes: 1024 * 1024 })
    const deaf = await raw(b.port)
    deaf.write(connectPacket('bad', 'deaf'))
    await until(() => b.stats().clients === 1)
    deaf.write(Buffer.from([0x82, 6, 0, 1, 0, 1, 0x23, 0]))
    await new Promise((done) => setTimeout(done, 100))
    deaf.pause()
    const [good, reader] = [await join(b.url), await join(b.url)]
    await reader.subscribeAsync('x', { qos: 1 })
    for (let n = 0; n < 300; n++) await good.publishAsync('x', numbered(n, 100_000), { qos: 1 })
    await until(() => reader.got.length === 300)
    await until(() => hit(b, 'queued') === 1)
    await until(() => b.stats().clients === 2)
    expect(b.log.lines.find((l) => /reads too slowly/.test(l.message))?.fields).toMatchObject({ user: 'bad', client: 'deaf' })
  })

  it('subscriptions', async () => {
    const b = await broker({ subscriptions: 5 })
    const bad = await join(b.url, 'bad')
    for (let n = 0; n < 5; n++) await bad.subscribeAsync(`x/${n}`)
    await expect(bad.subscribeAsync('x/6')).rejects.toThrow()
    expect(hit(b, 'subscriptions')).toBe(1)
    expect(bad.connected).toBe(true)
    // One that it has already is no further one; and the gateway's own connection carries those of all devices.
    await bad.subscribeAsync('x/1')
    expect(hit(b, 'subscriptions')).toBe(1)
  })

  it('the id of another client: whoever has it stays, also the gateway itself', async () => {
    const b = await broker()
    const { url: _, stream, ...login } = b.internal
    const site = new (await import('mqtt')).MqttClient(stream as never, { ...login, clientId: 'luong-site', reconnectPeriod: 0 })
    cleanups.push(() => site.endAsync(true))
    await new Promise((done) => site.once('connect', done))
    const good = await join(b.url, 'good', { clientId: 'camera' })
    for (const clientId of ['luong-site', 'camera']) await expect(join(b.url, 'bad', { clientId })).rejects.toMatchObject({ code: 2 })
    expect([site.connected, good.connected]).toEqual([true, true])
    // Its own older connection a user may replace.
    await join(b.url, 'good', { clientId: 'camera' })
    await good.closed
    expect(b.told(/client id belongs to another user/)).toBe(2)
  })
})

it('what is told of one kind hides nothing of another, and what was left out is counted', async () => {
  const b = await broker({ perUser: 1 })
  for (let n = 0; n < 40; n++) await join(b.url, 'nobody').catch(() => {})
  await join(b.url, 'bad')
  await expect(join(b.url, 'bad')).rejects.toThrow()
  expect(b.told(/wrong or missing user name/)).toBe(10)
  expect(b.told(/too many connections of one user; this/)).toBe(1)
  expect(b.stats().refused).toBe(41)
})

describe('other limits while clients are connected', () => {
  const send = (mqtt: MqttClient, n: number) => Promise.all(Array.from({ length: n }, () => mqtt.publishAsync('t', 'x', { qos: 1 })))

  it('free a user who was held back, also in the middle of its waiting', async () => {
    // At this rate it would wait for hours.
    const b = await broker({ messagesPerS: 0.001 })
    const mqtt = await join(b.url)
    const all = send(mqtt, 20)
    await until(() => b.stats().limited.publish_rate === 1)
    b.exchange({ users: USERS, limits: { messagesPerS: 1_000 } })
    await all
    await send(mqtt, 100)
  })

  it('hold back a user who was free', async () => {
    const b = await broker()
    const mqtt = await join(b.url)
    await send(mqtt, 100)
    b.exchange({ users: USERS, limits: { messagesPerS: 0.001 } })
    send(mqtt, 20).catch(() => {})
    await until(() => b.stats().limited.publish_rate === 1)
    b.exchange({ users: USERS })
  })

  it('open the door to an address that came too fast', async () => {
    const b = await broker({ connectsPerS: 0.001 })
    await expect(Promise.all(Array.from({ length: 5 }, () => join(b.url)))).rejects.toThrow()
    b.exchange({ users: USERS, limits: { connectsPerS: 1_000 } })
    await join(b.url)
  })

  it('count for a new connection that says nothing, and for what a client that is there has begun', async () => {
    const b = await broker({ connectMs: 3_600_000 })
    const mqtt = await join(b.url)
    b.exchange({ users: USERS, limits: { connectMs: 50, inFlight: 1 } })
    await (await raw(b.port)).ended
    for (let i = 0; i < 20; i++) mqtt.publish('t', 'x', { qos: 2 })
    await mqtt.closed
  })
})
