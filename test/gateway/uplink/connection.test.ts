import { type AddressInfo, createServer } from 'node:net'
import { Aedes } from 'aedes'
import { afterEach, describe, expect, it } from 'vitest'
import { Backoff } from '../../../firmware-bridge/transport/backoff.ts'
import { systemClock } from '../../../gateway/kernel/clock.ts'
import { silentLog } from '../../../gateway/kernel/log.ts'
import { BrokerConnection, type ConnectionOptions } from '../../../gateway/uplink/connection.ts'
import type { LaneState, Status } from '../../../gateway/uplink/schema/up.ts'
import { StatePublisher, statusMessage } from '../../../gateway/uplink/state.ts'
import { TOPICS } from '../../../gateway/uplink/topics.ts'
import { startBroker } from '../../harness/local-broker.ts'
import { freePort, startMosquitto } from '../../harness/mosquitto.ts'
import { brokers } from './brokers.ts'
import { BASE, client, TestLog, until } from './helpers.ts'

const cleanups: (() => unknown)[] = []
const known = brokers(cleanups)
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

const AT = '2026-11-21T08:00:00.000+07:00'
const status = (online: boolean, sequence = 0): Status => ({
  site: 'kim-thanh',
  online,
  boot: 'b1',
  version: '0.1.0',
  config: `sha256:${'0'.repeat(64)}`,
  clock: { synced: true, offset_ms: 1 },
  sequence,
  at: AT,
})
const state = (phase: LaneState['phase'], at = AT): LaneState => ({
  phase,
  direction: 'import',
  takes: ['loaded'],
  barrier: 'closed',
  light: 'red',
  devices: {},
  queue: null,
  passage: null,
  alarms: [],
  at,
})

function connection(url: string, more: Partial<ConnectionOptions> = {}): BrokerConnection {
  const c = new BrokerConnection({
    name: 'central',
    url,
    clientId: 'luong-kim-thanh',
    will: () => statusMessage(BASE, status(false)),
    birth: () => statusMessage(BASE, status(true)),
    farewell: () => statusMessage(BASE, status(false)),
    clock: systemClock,
    log: silentLog,
    backoff: new Backoff(20, 100),
    ...more,
  })
  cleanups.push(() => c.stop())
  return c
}

async function watch(url: string, filter = 'luong/v1/#') {
  const got: { topic: string; text: string; retain: boolean }[] = []
  const mqtt = client(url)
  cleanups.push(() => mqtt.endAsync(true))
  mqtt.on('message', (topic, payload, packet) => got.push({ topic, text: payload.toString(), retain: packet.retain }))
  await new Promise((resolve) => mqtt.once('connect', resolve))
  await mqtt.subscribeAsync(filter, { qos: 1 })
  const online = () => got.filter((m) => m.topic.endsWith('/status')).map((m) => JSON.parse(m.text).online as boolean)
  return { got, online, mqtt }
}

for (const [name, start] of Object.entries(known)) {
  describe(`connection to ${name}`, () => {
    it('is up only after its birth message; the last will says when it is gone; a clean stop says farewell', async () => {
      const { port } = await start()
      const url = `mqtt://127.0.0.1:${port}`
      const seen = await watch(url)
      const c = connection(url, { protocol: 'auto' })
      const ups: boolean[] = []
      c.onState((up) => ups.push(up))
      c.start()
      await until(
        () => c.up,
        () => c.stats(),
      )
      await until(() => seen.online().length === 1)
      expect(seen.online()).toEqual([true])
      // Another client with the same id throws ours out: that is a loss, not a clean end.
      const thief = client(url, { id: 'luong-kim-thanh' })
      await until(
        () => seen.online().length >= 2,
        () => seen.online(),
      )
      expect(seen.online()[1]).toBe(false)
      await thief.endAsync(true)
      await until(
        () => c.up && seen.online().at(-1) === true,
        () => ({ ...c.stats(), online: seen.online() }),
      )
      await c.stop()
      await until(() => seen.online().at(-1) === false)
      expect(ups).toContain(true)
      expect(ups.at(-1)).toBe(false)
      const later = await watch(url)
      await until(() => later.got.length === 1)
      expect(later.got[0]).toMatchObject({ topic: 'luong/v1/kim-thanh/status', retain: true })
      for (const m of seen.got) expect(TOPICS.status.payload.safeParse(JSON.parse(m.text)).success).toBe(true)
    })

    it('subscribes again after a loss, and tells retained from new', async () => {
      const { port } = await start()
      const url = `mqtt://127.0.0.1:${port}`
      const other = await watch(url, 'none')
      await other.mqtt.publishAsync('down/a', 'kept', { qos: 1, retain: true })
      const c = connection(url)
      const got: [string, boolean][] = []
      c.subscribe('down/#', (m) => void got.push([Buffer.from(m.payload).toString(), m.retained]))
      c.start()
      await until(() => got.length === 1)
      c.reset('test')
      await until(
        () => c.up && got.length === 2,
        () => c.stats(),
      )
      await other.mqtt.publishAsync('down/a', 'new', { qos: 1 })
      await until(() => got.length === 3)
      expect(got).toEqual([
        ['kept', true],
        ['kept', true],
        ['new', false],
      ])
    })

    it('keeps the newest lane state there, thinned, and puts it back after the broker lost it', async () => {
      const { port } = await start()
      const url = `mqtt://127.0.0.1:${port}`
      const seen = await watch(url, 'luong/v1/+/lane/+/state')
      const c = connection(url)
      const states = new StatePublisher({ ...BASE, link: c, clock: systemClock, log: silentLog, everyMs: 100 })
      cleanups.push(() => states.stop())
      states.start()
      c.start()
      states.lane('import-1', state('idle'))
      await until(() => seen.got.length === 1)
      for (let i = 0; i < 100; i++) states.lane('import-1', state(i % 2 ? 'idle' : 'identifying', `2026-11-21T08:00:00.${100 + i}+07:00`))
      states.lane('import-1', state('opening'))
      // The same again, with a newer stamp, is nothing new.
      states.lane('import-1', state('opening', '2026-11-21T09:00:00.000+07:00'))
      await until(() => seen.got.some((m) => JSON.parse(m.text).phase === 'opening'))
      expect(seen.got.length).toBeLessThan(10)
      for (const m of seen.got) expect(TOPICS.state.payload.safeParse(JSON.parse(m.text)).success).toBe(true)
      await seen.mqtt.publishAsync('luong/v1/kim-thanh/lane/import-1/state', '', { qos: 1, retain: true })
      c.reset('test')
      await until(() => JSON.parse(seen.got.at(-1)?.text || '{}').phase === 'opening' && c.up)
    })
  })
}

describe('connection', () => {
  it('says why it is down, once per reason, and comes up when the broker does', async () => {
    const port = await freePort()
    const log = new TestLog()
    const c = connection(`mqtt://127.0.0.1:${port}`, { log })
    c.start()
    await until(
      () => c.stats().why?.includes('is the broker running') === true,
      () => c.stats(),
    )
    await expect(c.publish('x', 'y', { qos: 1, retain: false })).rejects.toMatchObject({ code: 'LINK_DOWN' })
    const broker = await startBroker(
      { ...BASE, host: '127.0.0.1', port, users: [], maxPayloadKb: 64 },
      { log: silentLog, clock: systemClock },
    )
    cleanups.push(() => broker.stop())
    await until(() => c.up)
    expect(log.lines.filter((l) => l.level === 'warn').length).toBe(1)
    const auto = connection(`mqtt://127.0.0.1:${port}`, { log, protocol: 'auto', clientId: 'other' })
    auto.start()
    await until(() => auto.up)
    expect(auto.stats().protocol).toBe(4)
    expect(log.lines.filter((l) => l.level === 'warn').length).toBe(1)
  })

  it('goes on to the next node when one is lost, round and round', async () => {
    const [a, b] = [await startMosquitto(), await startMosquitto()]
    cleanups.push(() => Promise.all([a.stop(), b.stop()]))
    const [atA, atB] = [await watch(a.url, 'now/#'), await watch(b.url, 'now/#')]
    const c = connection(a.url, { others: [b.url] })
    c.start()
    for (const [lost, next] of [
      [b, atA],
      [a, atB],
      [b, atA],
    ] as const) {
      await lost.kill()
      const said = next.got.length
      await until(() => {
        if (c.up) void c.publish('now/here', 'x', { qos: 1, retain: false }).catch(() => {})
        return next.got.length > said
      })
      await lost.restart()
    }
  })

  it('says that name or password is wrong', async () => {
    const broker = await startBroker(
      {
        ...BASE,
        host: '127.0.0.1',
        port: 0,
        users: [{ name: 'a', password: 'b', role: 'admin', publish: [], subscribe: [] }],
        maxPayloadKb: 64,
      },
      { log: silentLog, clock: systemClock },
    )
    cleanups.push(() => broker.stop())
    const c = connection(`mqtt://127.0.0.1:${broker.port}`, { username: 'a', password: 'wrong' })
    c.start()
    await until(
      () => c.stats().why?.includes('does not accept the user name or password') === true,
      () => c.stats(),
    )
  })

  it('gives up on something that accepts and never answers, and stops at once', async () => {
    const mute = createServer((s) => s.on('error', () => {})).listen(0, '127.0.0.1')
    cleanups.push(() => mute.close())
    await new Promise((resolve) => mute.once('listening', resolve))
    const address = mute.address()
    const c = connection(`mqtt://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`, { connectMs: 100 })
    const reasons: string[] = []
    c.onState((_, why) => reasons.push(why ?? ''))
    c.start()
    await until(
      () => reasons.length >= 2,
      () => reasons,
    )
    await c.stop()
    expect(c.up).toBe(false)
  })

  it('refuses an address that is none', async () => {
    const log = new TestLog()
    const c = connection('nonsense://x', { log })
    c.start()
    expect(c.stats().why).toMatch(/nonsense/)
    expect(log.lines.some((l) => l.level === 'error')).toBe(true)
    await c.stop()
  })

  it('gets the commands that came while it was away when the broker keeps its session', async () => {
    const mosquitto = await startMosquitto()
    cleanups.push(() => mosquitto.stop())
    for (const protocol of [4, 'auto'] as const) {
      const got: string[] = []
      const make = () => {
        const c = connection(mosquitto.url, { protocol, keepSession: true, clientId: `site-${protocol}` })
        c.subscribe('cmd', (m) => void got.push(Buffer.from(m.payload).toString()))
        c.start()
        return c
      }
      const first = make()
      await until(() => first.up)
      await first.stop()
      const other = await watch(mosquitto.url, 'none')
      await other.mqtt.publishAsync('cmd', 'while away', { qos: 1 })
      make()
      await until(
        () => got.length === 1,
        () => got,
      )
      expect(got).toEqual(['while away'])
    }
  })

  it('acknowledges a message only when its handler is done, so that the broker keeps the rest', async () => {
    const mosquitto = await startMosquitto({ config: ['allow_anonymous true', 'max_inflight_messages 1'] })
    cleanups.push(() => mosquitto.stop())
    const c = connection(mosquitto.url)
    const got: number[] = []
    let release = () => {}
    c.subscribe('many', (m) => {
      got.push(Number(Buffer.from(m.payload).toString()))
      return new Promise<void>((resolve) => (release = resolve))
    })
    c.start()
    await until(() => c.up)
    const other = await watch(mosquitto.url, 'none')
    for (let i = 0; i < 5; i++) await other.mqtt.publishAsync('many', `${i}`, { qos: 1 })
    await until(() => got.length === 1)
    expect(got).toEqual([0])
    for (let i = 1; i < 5; i++) {
      release()
      await until(() => got.length === i + 1)
    }
    release()
  })

  it('keeps going when a handler throws', async () => {
    const { port } = await known['the embedded broker']()
    const log = new TestLog()
    const c = connection(`mqtt://127.0.0.1:${port}`, { log })
    const got: string[] = []
    c.subscribe('t', () => {
      throw new Error('bug')
    })
    c.subscribe('t', (m) => void got.push(Buffer.from(m.payload).toString()))
    c.start()
    await until(() => c.up)
    await c.publish('t', 'x', { qos: 1, retain: false })
    await until(() => got.length === 1 && log.lines.some((l) => l.fields.err === 'bug'))
  })
})

it('does not acknowledge what comes while it stops: a broker that keeps the session has it still', async () => {
  let release = () => {}
  const acknowledged: string[] = []
  const aedes = await Aedes.createBroker({
    authorizePublish: (_, packet, done) => {
      if (packet.topic !== 'slow') done(null)
      else release = () => done(null)
    },
  })
  aedes.on('ack', (packet) => acknowledged.push((packet as { topic?: string }).topic ?? '?'))
  const server = createServer((socket) => aedes.handle(socket))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  cleanups.push(() => {
    aedes.close()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const c = connection(`mqtt://127.0.0.1:${port}`, { keepSession: true })
  const got: string[] = []
  c.subscribe('command', ({ payload }) => void got.push(Buffer.from(payload).toString()))
  c.start()
  await until(() => c.up)
  const give = (payload: string) =>
    new Promise<void>((done) =>
      aedes.publish({ cmd: 'publish', topic: 'command', payload, qos: 1, retain: false, dup: false }, () => done()),
    )
  await give('one')
  await until(() => acknowledged.length === 1)
  // Something is on its way, so the client does not close at once.
  c.publish('slow', 'x', { qos: 1, retain: false }).catch(() => {})
  const releases = release
  await until(() => release !== releases)
  const stopped = c.stop()
  await give('two')
  await stopped
  release()
  expect([got, acknowledged.length]).toEqual([['one'], 1])
})

it('subscribes also to what is asked for while it is being made', async () => {
  let release: (() => void) | null = null
  const aedes = await Aedes.createBroker({
    authorizeSubscribe: (_, subscription, done) => {
      if (subscription.topic === 'first') release = () => done(null, subscription)
      else done(null, subscription)
    },
  })
  const server = createServer((socket) => aedes.handle(socket))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  cleanups.push(() => {
    aedes.close()
    server.close()
  })
  const c = connection(`mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const got: string[] = []
  c.subscribe('first', () => {})
  c.start()
  await until(() => release !== null)
  c.subscribe('second', ({ payload }) => void got.push(Buffer.from(payload).toString()))
  release!()
  await until(() => c.up)
  await new Promise<void>((done) =>
    aedes.publish({ cmd: 'publish', topic: 'second', payload: 'x', qos: 1, retain: false, dup: false }, () => done()),
  )
  await until(() => got.length === 1)
})

it.each([
  ['a handler that comes to its end later', true],
  ['a handler that never does', false],
])('a connection that is left politely while much is still to be read ends: %s', async (_, ends) => {
  const mosquitto = await startMosquitto()
  cleanups.push(() => mosquitto.stop())
  const filler = await watch(mosquitto.url, 'none')
  for (let i = 0; i < 100; i++) await filler.mqtt.publishAsync(`big/${i}`, 'x'.repeat(8_192), { qos: 1, retain: true })
  const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
  const c = connection(mosquitto.url)
  let taken = 0
  let release = () => {}
  c.start()
  await until(() => c.up)
  const before = sockets()
  c.subscribe('big/#', () => {
    taken++
    return new Promise<void>((resolve) => {
      release = resolve
    })
  })
  await until(() => taken === 1)
  c.renew({ username: 'other' })
  if (ends) release()
  await until(() => c.up && c.stats().connects === 2)
  await until(() => sockets() === before, sockets, 8_000)
})
