import { createServer, connect as netConnect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { Backoff } from '../../../firmware-bridge/transport/backoff.ts'
import { systemClock } from '../../../gateway/kernel/clock.ts'
import { type Log, silentLog } from '../../../gateway/kernel/log.ts'
import { BrokerConnection, type ConnectionOptions } from '../../../gateway/uplink/connection.ts'
import { Publisher } from '../../../gateway/uplink/publisher.ts'
import { TOPICS, topicFilter } from '../../../gateway/uplink/topics.ts'
import { startBroker } from '../../harness/local-broker.ts'
import { startMosquitto } from '../../harness/mosquitto.ts'
import { brokers } from './brokers.ts'
import { BASE, Consumer, client, MemoryParked, MemorySource, TestLog, until } from './helpers.ts'

const EVENTS = topicFilter(TOPICS.event, BASE)
const cleanups: (() => unknown)[] = []
const known = brokers(cleanups)
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

interface Rig {
  source: MemorySource
  parked: MemoryParked
  connection: BrokerConnection
  publisher: Publisher
}

async function rig(
  url: string,
  options: Partial<ConnectionOptions> & { window?: number; source?: MemorySource; log?: Log } = {},
): Promise<Rig> {
  const source = options.source ?? new MemorySource()
  const parked = new MemoryParked()
  const { window = 32, source: _, log = silentLog, ...more } = options
  const connection = new BrokerConnection({
    name: 'central',
    url,
    clientId: 'luong-kim-thanh',
    clock: systemClock,
    log,
    backoff: new Backoff(20, 100),
    ...more,
  })
  const publisher = new Publisher({
    ...BASE,
    target: 'central',
    link: connection,
    source,
    parked,
    clock: systemClock,
    log,
    window,
    latePerSecond: 10_000,
    backoff: new Backoff(5, 20),
  })
  connection.start()
  await publisher.start()
  cleanups.push(async () => {
    await publisher.stop()
    await connection.stop()
  })
  return { source, parked, connection, publisher }
}

async function consumer(url: string): Promise<Consumer> {
  const seen = new Consumer()
  const mqtt = client(url)
  cleanups.push(() => mqtt.endAsync(true))
  mqtt.on('message', (t, payload) => seen.take(t, payload))
  await new Promise((resolve) => mqtt.once('connect', resolve))
  await mqtt.subscribeAsync(EVENTS, { qos: 1 })
  return seen
}

/** The first time each sequence was seen, in the order of arrival. */
const firsts = (seen: Consumer) => [...new Set(seen.arrivals.map((a) => a.sequence))]

/** A TCP proxy whose connections the test can cut or freeze. */
async function proxy(target: number) {
  const open = new Set<Socket>()
  let frozen = false
  const server = createServer((a) => {
    const b = netConnect(target, '127.0.0.1')
    for (const s of [a, b]) {
      open.add(s)
      s.on('error', () => {})
      s.on('close', () => {
        open.delete(s)
        a.destroy()
        b.destroy()
      })
    }
    a.on('data', (d) => frozen || b.write(d))
    b.on('data', (d) => frozen || a.write(d))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = () => {
    for (const s of open) s.destroy()
  }
  cleanups.push(() => {
    cut()
    server.close()
  })
  const address = server.address()
  return {
    url: `mqtt://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    cut,
    freeze(on: boolean) {
      frozen = on
    },
  }
}

for (const [name, start] of Object.entries(known)) {
  describe(`publisher against ${name}`, () => {
    it('sends every event once, in order, on its topic', async () => {
      const { port } = await start()
      const url = `mqtt://127.0.0.1:${port}`
      const seen = await consumer(url)
      const { source, publisher } = await rig(url, { protocol: 'auto' })
      source.add(500)
      await until(() => publisher.stats().lag === 0 && seen.complete === 500, publisher.stats.bind(publisher))
      expect(seen.arrivals.map((a) => a.sequence)).toEqual(Array.from({ length: 500 }, (_, i) => i + 1))
      for (const a of seen.arrivals) expect(a.topic).toBe(`luong/v1/kim-thanh/lane/${a.lane ?? '-'}/event`)
      expect(source.cursors.get('central')).toBe(500)
      expect(publisher.stats()).toMatchObject({ sent: 500, acknowledged: 500, inFlight: 0, parked: [], why: null })
    })

    it('goes on where its cursor stands, and resends on request', async () => {
      const { port } = await start()
      const url = `mqtt://127.0.0.1:${port}`
      const seen = await consumer(url)
      const source = new MemorySource()
      source.add(100)
      source.setCursor('central', 60)
      const { publisher } = await rig(url, { source })
      await until(
        () => seen.texts.size === 40,
        () => seen.arrivals.length,
      )
      expect(seen.arrivals[0]?.sequence).toBe(61)
      expect(publisher.resendFrom(1)).toBe(100)
      await until(
        () => seen.complete === 100,
        () => seen.complete,
      )
      expect(seen.changed).toEqual([])
      for (const bad of [0, -1, 1.5, 101, Number.NaN])
        expect(() => publisher.resendFrom(bad)).toThrow(expect.objectContaining({ code: 'PAYLOAD_INVALID' }))
    })

    it('loses nothing when the link is cut again and again, and repeats only identical bytes', async () => {
      const { port } = await start()
      const way = await proxy(port)
      const seen = await consumer(`mqtt://127.0.0.1:${port}`)
      const { source, connection } = await rig(way.url, { window: 16 })
      // So few that they are not sent late, behind what happens now.
      const total = 500
      for (let i = 0; i < 10; i++) {
        source.add(total / 10)
        const from = seen.texts.size
        await until(
          () => seen.texts.size >= from + 20 && connection.up,
          () => ({ n: seen.texts.size, ...connection.stats() }),
        )
        way.cut()
      }
      await until(
        () => seen.complete === total,
        () => ({ complete: seen.complete, ...connection.stats() }),
      )
      expect(firsts(seen)).toEqual(Array.from({ length: total }, (_, i) => i + 1))
      expect(seen.changed).toEqual([])
      expect(connection.stats().connects).toBeGreaterThan(5)
    })

    it('finds out by itself that a link is dead although nobody closed it', async () => {
      const { port } = await start()
      const way = await proxy(port)
      const seen = await consumer(`mqtt://127.0.0.1:${port}`)
      const { source, connection, publisher } = await rig(way.url, { ackMs: 400 })
      source.add(10)
      await until(() => seen.complete === 10 && publisher.stats().lag === 0)
      way.freeze(true)
      source.add(10)
      await until(
        () => !connection.up,
        () => connection.stats(),
      )
      expect(publisher.stats().why).toMatch(/was not acknowledged within 400 ms/)
      expect(publisher.stats().lag).toBe(10)
      way.freeze(false)
      await until(
        () => seen.complete === 20,
        () => connection.stats(),
      )
      expect(seen.changed).toEqual([])
    })
  })
}

describe('publisher', () => {
  it('holds no more than its window while the broker is away for long, then sends all in order', async () => {
    const mosquitto = await startMosquitto()
    cleanups.push(() => mosquitto.stop())
    const { source, publisher, connection } = await rig(mosquitto.url, { window: 16 })
    await until(() => connection.up)
    await mosquitto.kill()
    for (let i = 0; i < 20; i++) {
      source.add(500, 500)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await until(() => !connection.up)
    expect(publisher.stats()).toMatchObject({ lag: 10_000, inFlight: 0 })
    expect(connection.stats().inFlight).toBe(0)
    await mosquitto.restart()
    const seen = await consumer(mosquitto.url)
    publisher.resendFrom(1)
    await until(
      () => seen.complete === 10_000,
      () => ({ complete: seen.complete, ...publisher.stats() }),
    )
    // What the publisher sent between the broker's return and the consumer's comes again with the resend.
    const resent = seen.arrivals.slice(seen.arrivals.findIndex((a) => a.sequence === 1)).map((a) => a.sequence)
    expect([...new Set(resent)]).toEqual(Array.from({ length: 10_000 }, (_, i) => i + 1))
    expect(source.largest).toBeLessThanOrEqual(16)
  })

  it('survives ten times kill -9 of the broker: with resend-from on a gap, as the documentation tells consumers, nothing is lost', async () => {
    const mosquitto = await startMosquitto()
    cleanups.push(() => mosquitto.stop())
    const { source, publisher } = await rig(mosquitto.url, { window: 16 })
    const seen = new Consumer()
    seen.onGap = (expected) => publisher.resendFrom(expected)
    const mqtt = client(mosquitto.url)
    cleanups.push(() => mqtt.endAsync(true))
    mqtt.on('connect', () => mqtt.subscribe(EVENTS, { qos: 1 }))
    mqtt.on('message', (t, payload) => seen.take(t, payload))
    const total = 5_000
    // What was acknowledged to us and died inside the broker, or came before the consumer was back, shows as a sequence that is missing at the end.
    const missing = () => mqtt.connected && publisher.stats().lag === 0 && seen.complete < source.head().sequence
    const atEnd = setInterval(() => missing() && publisher.resendFrom(seen.complete + 1), 200)
    cleanups.push(() => clearInterval(atEnd))
    for (let i = 0; i < 10; i++) {
      source.add(total / 10)
      const from = seen.texts.size
      await until(
        () => seen.texts.size >= from + 50,
        () => ({ n: seen.texts.size, ...publisher.stats() }),
      )
      await mosquitto.kill()
      await mosquitto.restart()
    }
    await until(
      () => publisher.stats().lag === 0,
      () => publisher.stats(),
    )
    await until(
      () => seen.complete === total,
      () => ({ complete: seen.complete, ...publisher.stats() }),
    )
    expect(seen.texts.size).toBe(total)
    expect(seen.changed).toEqual([])
    const jumps = seen.arrivals.filter((a, i) => i > 0 && a.sequence > (seen.arrivals[i - 1]?.sequence ?? 0) + 1)
    // Forward jumps happen only where the broker died, and where what happens now goes before what is sent late; else the order holds.
    expect(jumps.length).toBeLessThanOrEqual(100)
  })

  it('parks an event that MQTT 5 refuses each time, tells why, and sends all others', async () => {
    const mosquitto = await startMosquitto({
      config: ['allow_anonymous true', 'acl_file DIR/acl'],
      files: {
        acl: 'topic write luong/v1/kim-thanh/lane/import-0/event\ntopic write luong/v1/kim-thanh/lane/import-1/event\ntopic write luong/v1/kim-thanh/lane/-/event\ntopic read #\n',
      },
    })
    cleanups.push(() => mosquitto.stop())
    const seen = await consumer(mosquitto.url)
    const log = new TestLog()
    const { source, publisher, parked } = await rig(mosquitto.url, { protocol: 'auto', log })
    source.add(4)
    await until(
      () => publisher.stats().lag === 0,
      () => publisher.stats(),
    )
    expect([...seen.texts.keys()].sort()).toEqual([1, 3, 4])
    expect(publisher.stats().parked).toEqual([
      { sequence: 2, reason: expect.stringMatching(/import-2\/event refused.*0x87/), at: expect.any(Number) },
    ])
    expect([...parked.rows.keys()]).toEqual([2])
    expect(log.lines.some((l) => l.level === 'error' && l.fields.sequence === 2)).toBe(true)
  })

  it('does not park one event after the other when the broker refuses them all, and catches up when it takes them again', async () => {
    const acl = 'topic read #\ntopic write luong/v1/kim-thanh/status\n'
    const mosquitto = await startMosquitto({ config: ['allow_anonymous true', 'acl_file DIR/acl'], files: { acl } })
    cleanups.push(() => mosquitto.stop())
    const { source, publisher } = await rig(mosquitto.url, { protocol: 'auto' })
    source.add(50)
    await until(
      () => publisher.stats().why?.includes('takes no event any more') === true,
      () => publisher.stats(),
    )
    expect(publisher.stats().parked.length).toBe(3)
    expect(publisher.stats().lag).toBe(47)
    const { writeFile } = await import('node:fs/promises')
    await mosquitto.kill()
    await writeFile(`${mosquitto.dir}/acl`, 'topic readwrite #\n')
    await mosquitto.restart()
    await until(
      () => publisher.stats().lag === 0 && publisher.stats().parked.length === 0,
      () => publisher.stats(),
    )
  })

  it('parks an event on which a broker hangs up each time', async () => {
    const limit = 16
    const broker = await startBroker(
      { ...BASE, host: '127.0.0.1', port: 0, users: [], maxPayloadKb: limit },
      { log: silentLog, clock: systemClock },
    )
    cleanups.push(() => broker.stop())
    const seen = await consumer(`mqtt://127.0.0.1:${broker.port}`)
    const { source, publisher } = await rig(`mqtt://127.0.0.1:${broker.port}`)
    source.add(10)
    source.add(1, 40 * 1024)
    source.add(10)
    await until(
      () => publisher.stats().lag === 0,
      () => publisher.stats(),
    )
    expect(publisher.stats().parked.map((p) => p.sequence)).toEqual([11])
    // The broker acknowledges before it hands on.
    await until(() => seen.texts.size >= 20)
    expect(firsts(seen)).toEqual([...Array(21).keys()].map((i) => i + 1).filter((i) => i !== 11))
    expect(seen.changed).toEqual([])
  })

  it.each(['message_size_limit 16384', 'max_packet_size 16384'])(
    'parks an event that is too large for an MQTT 5 broker (%s)',
    async (limit) => {
      const mosquitto = await startMosquitto({ config: ['allow_anonymous true', limit] })
      cleanups.push(() => mosquitto.stop())
      const seen = await consumer(mosquitto.url)
      const { source, publisher } = await rig(mosquitto.url, { protocol: 'auto' })
      source.add(5)
      source.add(1, 40 * 1024)
      source.add(5)
      await until(
        () => publisher.stats().lag === 0,
        () => publisher.stats(),
      )
      expect(publisher.stats().parked.map((p) => p.sequence)).toEqual([6])
      await until(() => seen.texts.size === 10)
      expect(seen.texts.has(6)).toBe(false)
    },
  )

  it('heeds how many unacknowledged events an MQTT 5 broker allows', async () => {
    const mosquitto = await startMosquitto({ config: ['allow_anonymous true', 'max_inflight_messages 3'] })
    cleanups.push(() => mosquitto.stop())
    const seen = await consumer(mosquitto.url)
    const { source, publisher, connection } = await rig(mosquitto.url, { protocol: 'auto', window: 64 })
    source.add(1_000)
    await until(
      () => seen.complete === 1_000 && publisher.stats().lag === 0,
      () => publisher.stats(),
    )
    expect(connection.stats()).toMatchObject({ protocol: 5, connects: 1 })
    expect(publisher.stats().sent).toBe(1_000)
  })

  it('keeps two brokers apart: each has its own cursor', async () => {
    const a = await known.Mosquitto()
    const b = await known['the embedded broker']()
    const source = new MemorySource()
    const [seenA, seenB] = [await consumer(a.url), await consumer(`mqtt://127.0.0.1:${b.port}`)]
    const first = await rig(a.url, { source })
    const link = new BrokerConnection({
      name: 'local',
      clientId: 'local',
      url: b.internal.url,
      username: b.internal.username,
      password: b.internal.password,
      clock: systemClock,
      log: silentLog,
    })
    const second = new Publisher({ ...BASE, target: 'local', link, source, parked: new MemoryParked(), clock: systemClock, log: silentLog })
    cleanups.push(async () => {
      await second.stop()
      await link.stop()
    })
    link.start()
    await second.start()
    source.add(50)
    await until(() => seenA.complete === 50 && seenB.complete === 50)
    await a.kill()
    source.add(50)
    await until(() => seenB.complete === 100)
    expect(first.publisher.stats().lag).toBe(50)
    expect(source.cursors.get('local')).toBe(100)
  })
})
