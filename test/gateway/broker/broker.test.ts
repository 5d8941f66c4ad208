import { createServer, connect as netConnect, type Socket } from 'node:net'
import fc from 'fast-check'
import type { MqttClient } from 'mqtt'
import { afterEach, describe, expect, it } from 'vitest'
import { topicMatches } from '../../../firmware-bridge/transport/topic.ts'
import { authenticate, type BrokerAccount, overlap } from '../../../gateway/broker/acl.ts'
import type { BrokerConfig, RunningBroker } from '../../../gateway/broker/config.ts'
import { type Broken, PacketGate } from '../../../gateway/broker/gate.ts'
import { isLoopback } from '../../../gateway/broker/listen.ts'
import { systemClock } from '../../../gateway/kernel/clock.ts'
import { startBroker } from '../../harness/local-broker.ts'
import { BASE, client, TestLog, until } from '../uplink/helpers.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

const account = (name: string, role: BrokerAccount['role'], more: Partial<BrokerAccount> = {}): BrokerAccount => ({
  name,
  password: `${name}-secret`,
  role,
  publish: [],
  subscribe: [],
  ...more,
})
const USERS = [
  account('admin', 'admin'),
  account('centre', 'central'),
  account('page', 'page'),
  account('camera', 'device', { publish: ['cameras/1/#', '#'], subscribe: ['cameras/1/set'] }),
]

async function broker(config: Partial<BrokerConfig> = {}): Promise<RunningBroker & { log: TestLog; url: string }> {
  const log = new TestLog()
  const running = await startBroker(
    { ...BASE, host: '127.0.0.1', port: 0, users: [], maxPayloadKb: 64, ...config },
    { log, clock: systemClock },
  )
  cleanups.push(() => running.stop())
  return { ...running, log, url: `mqtt://127.0.0.1:${running.port}` }
}

async function join(url: string, user?: string): Promise<MqttClient & { got: { topic: string; text: string; retain: boolean }[] }> {
  const mqtt = client(url, user === undefined ? {} : { username: user, password: `${user}-secret` })
  const got: { topic: string; text: string; retain: boolean }[] = []
  mqtt.on('message', (topic, payload, packet) => got.push({ topic, text: payload.toString(), retain: packet.retain }))
  mqtt.on('error', () => {})
  cleanups.push(() => mqtt.endAsync(true))
  await new Promise((resolve) => mqtt.once('connect', resolve))
  return Object.assign(mqtt, { got })
}

function raw(port: number): Promise<{ socket: Socket; closed: Promise<void> }> {
  return new Promise((resolve, reject) => {
    const socket = netConnect(port, '127.0.0.1')
    cleanups.push(() => socket.destroy())
    const closed = new Promise<void>((done) => socket.once('close', () => done()))
    socket.on('error', reject)
    socket.resume()
    socket.once('connect', () => {
      socket.removeAllListeners('error')
      socket.on('error', () => {})
      resolve({ socket, closed })
    })
  })
}

describe('where the broker listens', () => {
  it('refuses any address but loopback without users, and says what to do', async () => {
    for (const host of ['0.0.0.0', '::', '192.168.1.10', 'gate.example']) {
      await expect(broker({ host })).rejects.toMatchObject({ code: 'CONFIG_INVALID', hint: expect.stringContaining('users') })
    }
  })

  it('opens other addresses when there are users', async () => {
    const b = await broker({ host: '0.0.0.0', users: USERS })
    const mqtt = await join(b.url, 'admin')
    expect(mqtt.connected).toBe(true)
  })

  it('names a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    cleanups.push(() => other.close())
    await new Promise((resolve) => other.once('listening', resolve))
    const address = other.address()
    const port = typeof address === 'object' && address ? address.port : 0
    await expect(broker({ port })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining(String(port)),
      hint: expect.stringContaining(String(port)),
    })
  })

  it('says so when the address is not one of this machine', async () => {
    await expect(broker({ host: '203.0.113.7', users: USERS })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })

  it('knows loopback', () => {
    for (const host of ['127.0.0.1', '127.9.9.9', '::1', 'localhost', '::ffff:127.0.0.1']) expect(isLoopback(host), host).toBe(true)
    for (const host of ['0.0.0.0', '::', '128.0.0.1', '127.0.0.1.example', '10.0.0.1', '']) expect(isLoopback(host), host).toBe(false)
  })

  it('frees its port when stopped, with clients connected', async () => {
    const b = await broker()
    await join(b.url)
    await b.stop()
    await broker({ port: b.port })
  })
})

describe('who may do what', () => {
  it('lets everyone on this machine do everything when there are no users', async () => {
    const b = await broker()
    const one = await join(b.url)
    const two = await join(b.url)
    await two.subscribeAsync('#', { qos: 1 })
    await one.publishAsync('luong/v1/kim-thanh/command', '{}', { qos: 1 })
    await one.publishAsync('anything/else', 'x')
    await until(
      () => two.got.length === 2,
      () => two.got,
    )
  })

  it('refuses wrong passwords, unknown names and anonymous clients once there are users', async () => {
    const b = await broker({ users: USERS })
    for (const [username, password] of [
      ['admin', 'wrong'],
      ['nobody', 'admin-secret'],
      ['', ''],
      ['admin', ''],
    ] as const) {
      const mqtt = client(b.url, { username, password })
      cleanups.push(() => mqtt.endAsync(true))
      const error = await new Promise<Error & { code?: number }>((resolve) => mqtt.once('error', resolve))
      expect(error.code).toBe(4)
    }
    const anonymous = client(b.url)
    cleanups.push(() => anonymous.endAsync(true))
    await new Promise((resolve) => anonymous.once('error', resolve))
    expect(b.stats().refused).toBeGreaterThanOrEqual(5)
    expect(b.log.lines.some((l) => l.fields.user === 'nobody')).toBe(true)
    expect(JSON.stringify(b.log.lines)).not.toContain('secret')
  })

  it('compares names and passwords exactly', () => {
    const bytes = (s: string) => Buffer.from(s)
    for (const u of USERS) expect(authenticate(USERS, u.name, bytes(u.password as string))).toBe(u)
    fc.assert(
      fc.property(fc.string(), fc.string(), (name, password) => {
        const found = authenticate(USERS, name, bytes(password))
        expect(found).toBe(USERS.find((u) => u.name === name && u.password === password) ?? null)
      }),
    )
  })

  it('gives each role what the topic table says', async () => {
    const b = await broker({ users: USERS })
    const admin = await join(b.url, 'admin')
    await admin.subscribeAsync('#', { qos: 1 })
    const centre = await join(b.url, 'centre')
    await centre.publishAsync('luong/v1/kim-thanh/command', 'order', { qos: 1 })
    await centre.publishAsync('luong/v1/kim-thanh/declaration/D1', 'expected', { qos: 1, retain: true })
    await until(
      () => admin.got.length === 2,
      () => admin.got,
    )
    const site = client(b.internal.url, { username: b.internal.username, password: b.internal.password })
    cleanups.push(() => site.endAsync(true))
    await new Promise((resolve) => site.once('connect', resolve))
    const page = await join(b.url, 'page')
    // Wide filters bring only what may be read.
    expect((await page.subscribeAsync('#', { qos: 1 }))[0]?.qos).toBe(1)
    expect((await page.subscribeAsync('luong/v1/+/lane/+/event', { qos: 1 }))[0]?.qos).toBe(1)
    await expect(page.subscribeAsync('cameras/#')).rejects.toThrow()
    await site.publishAsync('luong/v1/kim-thanh/lane/import-1/state', 'state', { qos: 1, retain: true })
    await admin.publishAsync('cameras/1/jpeg', 'not for the page', { qos: 1 })
    await site.publishAsync('luong/v1/kim-thanh/command/reply', 'reply', { qos: 1 })
    await until(
      () => page.got.some((m) => m.text === 'reply'),
      () => page.got,
    )
    expect(page.got.map((m) => m.text).sort()).toEqual(['expected', 'reply', 'state'])
  })

  it('closes a client that publishes outside its rights, and logs user and topic', async () => {
    const b = await broker({ users: USERS })
    const admin = await join(b.url, 'admin')
    await admin.subscribeAsync('#', { qos: 1 })
    const attempts = [
      ['page', 'luong/v1/kim-thanh/command'],
      ['centre', 'luong/v1/kim-thanh/lane/import-1/event'],
      ['centre', 'luong/v1/kim-thanh/status'],
      ['camera', 'luong/v1/kim-thanh/command'],
      ['camera', 'luong/v1/kim-thanh/declaration/D1'],
      ['camera', '$SYS/x'],
    ] as const
    for (const [user, topic] of attempts) {
      const mqtt = await join(b.url, user)
      const closed = new Promise<void>((resolve) => mqtt.once('close', () => resolve()))
      mqtt.publish(topic, 'forged', { qos: 1 })
      await closed
      await mqtt.endAsync(true)
      expect(
        b.log.lines.some((l) => l.fields.user === user && l.fields.topic === topic),
        `${user} ${topic}`,
      ).toBe(true)
    }
    const camera = await join(b.url, 'camera')
    await camera.publishAsync('cameras/1/jpeg', 'picture', { qos: 1 })
    await until(() => admin.got.length > 0)
    expect(admin.got.map((m) => m.text)).toEqual(['picture'])
    expect(b.stats().denied).toBeGreaterThanOrEqual(attempts.length)
  })

  it('also checks last wills', async () => {
    const b = await broker({ users: USERS })
    const admin = await join(b.url, 'admin')
    await admin.subscribeAsync('#', { qos: 1 })
    const { connect } = await import('mqtt')
    for (const topic of ['luong/v1/kim-thanh/status', 'cameras/1/gone']) {
      const mqtt = connect(b.url, {
        username: 'camera',
        password: 'camera-secret',
        reconnectPeriod: 0,
        will: { topic, payload: Buffer.from('will'), qos: 1, retain: false },
      })
      await new Promise((resolve) => mqtt.once('connect', resolve))
      mqtt.stream.destroy()
    }
    await until(() => admin.got.length > 0)
    await until(
      () => b.stats().denied === 1,
      () => b.stats(),
    )
    expect(admin.got.map((m) => m.topic)).toEqual(['cameras/1/gone'])
  })

  it('finds overlapping filters exactly', () => {
    const level = fc.constantFrom('a', 'b', '$s', '+', '#')
    const filter = fc.array(level, { minLength: 1, maxLength: 3 }).map((l) => {
      const end = l.indexOf('#')
      return (end < 0 ? l : l.slice(0, end + 1)).join('/')
    })
    const levels = ['a', 'b', '$s', 'c']
    const topics = levels.flatMap((a) => [a, ...levels.flatMap((b) => [`${a}/${b}`, ...levels.flatMap((c) => [`${a}/${b}/${c}`])])])
    const parents = (f: string, t: string) => topicMatches(f, t) || (f.endsWith('/#') && topicMatches(f.slice(0, -2), t))
    fc.assert(
      fc.property(filter, filter, (a, b) => {
        const some = topics.some((t) => parents(a, t) && parents(b, t))
        expect(overlap(a, b), `${a} ${b}`).toBe(some)
        expect(overlap(b, a)).toBe(some)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('limits', () => {
  it('follows packet lengths however the bytes are cut', () => {
    const header = (length: number) => {
      const out = [0x30]
      let rest = length
      do {
        out.push((rest & 0x7f) | (rest > 127 ? 0x80 : 0))
        rest >>= 7
      } while (rest > 0)
      return out
    }
    fc.assert(
      fc.property(
        fc.array(fc.nat(400), { minLength: 1, maxLength: 20 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 50 })),
        (lengths, cuts) => {
          const bytes = Uint8Array.from([0x10, 0, ...lengths.flatMap((n) => [...header(n), ...new Array(n).fill(0xff)])])
          const gate = new PacketGate(() => 300)
          let found: Broken | null = null
          for (let i = 0; i < bytes.length && found === null; ) {
            const n = cuts.next().value as number
            found = gate.push(bytes.subarray(i, i + n))
            i += n
          }
          const large = lengths.find((n) => n > 300)
          if (large === undefined) expect(found).toBeNull()
          else expect(found).toMatchObject({ why: 'size', bytes: expect.toSatisfy((n: number) => n > 300) })
        },
      ),
    )
  })

  it('closes on a packet that is too large before it is collected, and lives on', async () => {
    const b = await broker({ maxPayloadKb: 64 })
    const mqtt = await join(b.url)
    await mqtt.subscribeAsync('big')
    await mqtt.publishAsync('big', Buffer.alloc(60 * 1024), { qos: 1 })
    const { socket, closed } = await raw(b.port)
    // CONNECT, then the head of a PUBLISH of 256 MB.
    socket.write(Buffer.from([0x10, 13, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 60, 0, 1, 0x61]))
    socket.write(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]))
    await closed
    expect(b.log.lines.some((l) => l.fields.bytes !== undefined && /larger than its kind may be/.test(l.message))).toBe(true)
    await until(() => mqtt.got.length === 1)
  })

  it('closes connections that say nothing, or say it too slowly', async () => {
    const b = await broker({ limits: { connectMs: 100 } })
    const silent = await raw(b.port)
    const slow = await raw(b.port)
    const connectPacket = [0x10, 13, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 60, 0, 1, 0x61]
    const drip = setInterval(() => slow.socket.write(Uint8Array.of(connectPacket.shift() ?? 0)), 60)
    await Promise.all([silent.closed, slow.closed])
    clearInterval(drip)
    await until(() => b.stats().connections === 0)
  })

  it('bounds the number of connections', async () => {
    const b = await broker({ limits: { clients: 3 } })
    const open = [await raw(b.port), await raw(b.port), await raw(b.port)]
    await until(() => b.stats().connections === 3)
    const fourth = await raw(b.port)
    await fourth.closed
    open[0]?.socket.destroy()
    await until(() => b.stats().connections === 2)
    expect((await join(b.url)).connected).toBe(true)
  })

  it('bounds what it retains: the rest is delivered and not kept', async () => {
    const b = await broker({ limits: { retainedTopics: 3, retainedBytes: 1_000 } })
    const watching = await join(b.url)
    await watching.subscribeAsync('r/#', { qos: 1 })
    const mqtt = await join(b.url)
    for (let i = 0; i < 5; i++) await mqtt.publishAsync(`r/${i}`, 'x', { qos: 1, retain: true })
    await mqtt.publishAsync('r/0', Buffer.alloc(2_000), { qos: 1, retain: true })
    await until(() => watching.got.length === 6)
    expect(b.stats().retained).toMatchObject({ topics: 3, refused: 3 })
    await mqtt.publishAsync('r/1', '', { qos: 1, retain: true })
    await mqtt.publishAsync('r/4', 'y', { qos: 1, retain: true })
    await until(() => watching.got.length === 8)
    const later = await join(b.url)
    await later.subscribeAsync('r/#', { qos: 1 })
    await until(
      () => later.got.length === 3,
      () => later.got,
    )
    expect(later.got.map((m) => m.topic).sort()).toEqual(['r/0', 'r/2', 'r/4'])
  })

  it('keeps nothing for clients that are away: an old command never arrives late', async () => {
    const b = await broker()
    const relay = client(b.url, { id: 'relay', clean: false })
    await new Promise((resolve) => relay.once('connect', resolve))
    await relay.subscribeAsync('relay/set', { qos: 1 })
    await relay.endAsync(true)
    await until(() => b.stats().clients === 0)
    const mqtt = await join(b.url)
    await mqtt.publishAsync('relay/set', 'open', { qos: 1 })
    const back = client(b.url, { id: 'relay', clean: false })
    cleanups.push(() => back.endAsync(true))
    const got: string[] = []
    back.on('message', (_, p) => got.push(p.toString()))
    const present = await new Promise<boolean>((resolve) => back.once('connect', (p) => resolve(p.sessionPresent)))
    expect(present).toBe(false)
    await back.subscribeAsync('relay/set', { qos: 1 })
    await mqtt.publishAsync('relay/set', 'now', { qos: 1 })
    await until(() => got.length > 0)
    expect(got).toEqual(['now'])
  })

  it('survives whatever bytes come', async () => {
    const b = await broker()
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.boolean(), async (bytes, greeted) => {
        const { socket } = await raw(b.port)
        if (greeted) socket.write(Buffer.from([0x10, 13, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 60, 0, 1, 0x61]))
        socket.write(bytes)
        await new Promise<void>((resolve) => socket.end(() => resolve()))
        socket.destroy()
      }),
      { numRuns: 150 },
    )
    const mqtt = await join(b.url)
    await mqtt.subscribeAsync('still/there')
    await mqtt.publishAsync('still/there', 'yes', { qos: 1 })
    await until(() => mqtt.got.length === 1)
  })
})
