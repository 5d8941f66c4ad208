/** After a long time away: what was held goes late, what happens now goes before it. */
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { Backoff } from '../../../firmware-bridge/transport/backoff.ts'
import { systemClock } from '../../../gateway/kernel/clock.ts'
import { silentLog } from '../../../gateway/kernel/log.ts'
import { BrokerConnection } from '../../../gateway/uplink/connection.ts'
import { Course, Courses } from '../../../gateway/uplink/course.ts'
import { Pace } from '../../../gateway/uplink/pace.ts'
import { Publisher } from '../../../gateway/uplink/publisher.ts'
import { startBroker } from '../../harness/local-broker.ts'
import { startMosquitto } from '../../harness/mosquitto.ts'
import { BASE, Consumer, client, MemoryParked, MemorySource, until } from './helpers.ts'

const HELD = 1_000
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

/** @param limit kB a message */
async function embedded(limit = 256): Promise<string> {
  const options = { ...BASE, host: '127.0.0.1', port: 0, users: [], maxPayloadKb: limit }
  const broker = await startBroker(options, { log: silentLog, clock: systemClock })
  cleanups.push(() => broker.stop())
  return `mqtt://127.0.0.1:${broker.port}`
}

function site(url: string, source: MemorySource, latePerSecond: number, parked = new MemoryParked()) {
  const common = { clock: systemClock, log: silentLog }
  const link = new BrokerConnection({ name: 'central', url, clientId: 'site', protocol: 'auto', backoff: new Backoff(20, 100), ...common })
  const publisher = new Publisher({
    ...BASE,
    target: 'central',
    link,
    source,
    parked,
    latePerSecond,
    backoff: new Backoff(5, 20),
    ...common,
  })
  const stop = async () => {
    await publisher.stop()
    await link.stop()
  }
  cleanups.push(stop)
  return { publisher, parked, link, stop, start: () => publisher.start().then(() => link.start()) }
}

async function centre(url: string) {
  const seen = new Consumer()
  const mqtt = client(url)
  cleanups.push(() => mqtt.endAsync(true))
  mqtt.on('message', (topic, payload) => seen.take(topic, payload))
  await new Promise((resolve) => mqtt.once('connect', resolve))
  await mqtt.subscribeAsync('luong/v1/+/lane/+/event', { qos: 1 })
  return { seen, order: () => seen.arrivals.map((a) => a.sequence) }
}

describe('asked to send again', () => {
  it.each([
    // [from, late cursor, live cursor] of held 1…10,000 with 2,000 through, and 300 that happened since.
    [1, 0, 10_000],
    [1_500, 1_499, 10_000],
    [5_000, 2_000, 10_000],
    [10_100, 2_000, 10_099],
    [10_301, 2_000, 10_300],
  ])('from %i: all of it, what was held and what happened since; nothing that is on its way anyway', (from, late, live) => {
    const courses = new Courses('x', new MemorySource())
    courses.late = new Course(2_000, 10_000)
    courses.live = new Course(10_300)
    expect(courses.back(from)).toBe(from <= 10_300)
    expect([courses.late.cursor, courses.live.cursor]).toEqual([late, live])
  })

  it('for what is all on its way: nothing is started over', () => {
    const courses = new Courses('x', new MemorySource())
    courses.late = new Course(2_000, 10_000)
    courses.live = new Course(10_000)
    const flights = [10_001, 10_002].map((sequence) => {
      courses.live.take([event(sequence)])
      return courses.live.next()!
    })
    expect([courses.back(5_000), courses.late.cursor, courses.live.cursor]).toEqual([false, 2_000, 10_000])
    // The broker has one of them, before a gap: that one would not come again by itself.
    courses.live.acknowledge(flights[1]!)
    expect(courses.back(5_000)).toBe(true)
  })
})

describe('a long backlog', () => {
  it('does not hold up what happens now; each of the two comes in order, and the range is told', async () => {
    const url = await embedded()
    const { seen, order } = await centre(url)
    const source = new MemorySource()
    source.add(HELD)
    const { publisher, start } = site(url, source, 400)
    expect(publisher.announce()).toEqual({ from: 1, to: HELD })
    await start()
    await until(() => seen.texts.size >= 100)
    source.add(5)
    await until(() => seen.texts.has(HELD + 5))
    expect(seen.complete).toBeLessThan(HELD)
    expect(publisher.stats().late).toEqual({ from: expect.any(Number), to: HELD })
    // Everything from there on comes again: what was held comes anyway, what happened since comes once more.
    await until(() => publisher.stats().lag <= HELD - 100 && seen.texts.size >= 105)
    expect(publisher.resendFrom(HELD - 10)).toBe(16)
    await until(() => seen.complete === HELD + 5 && publisher.stats().lag === 0)
    const held = order().filter((n) => n <= HELD)
    expect([...new Set(held)]).toEqual(Array.from({ length: HELD }, (_, i) => i + 1))
    // Twice only what was on its way at that moment.
    expect(held.length - HELD).toBeLessThanOrEqual(publisher.stats().window)
    expect(order().filter((n) => n > HELD)).toEqual([1, 2, 3, 4, 5, 1, 2, 3, 4, 5].map((n) => HELD + n))
    expect(publisher.stats()).toMatchObject({ late: null, lag: 0 })
    expect(source.cursors.get('central')).toBe(HELD + 5)
  })

  it('goes on in both places after a stop in the middle: what was acknowledged is not sent again', async () => {
    const url = await embedded()
    const { seen } = await centre(url)
    const source = new MemorySource()
    source.add(HELD)
    const first = site(url, source, 300)
    await first.start()
    await until(() => seen.texts.size >= 50)
    source.add(20)
    await until(() => seen.texts.has(HELD + 20))
    await first.stop()
    const before = seen.arrivals.length
    expect(before).toBeLessThan(HELD)
    const second = site(url, source, 10_000)
    await second.start()
    await until(() => seen.complete === HELD + 20 && second.publisher.stats().lag === 0)
    // A stop waits for what is on its way; so nothing at all comes twice.
    expect(seen.duplicates).toBe(0)
    expect(seen.arrivals.slice(before).every((a) => a.sequence <= HELD)).toBe(true)
  })

  it('is marked on each message where the broker speaks MQTT 5', async () => {
    const mosquitto = await startMosquitto()
    cleanups.push(() => mosquitto.stop())
    const source = new MemorySource()
    source.add(3)
    const { start, publisher } = site(mosquitto.url, source, 1_000)
    const marks = new Map<string, unknown>()
    const mqtt = client(mosquitto.url, { protocolVersion: 5 })
    cleanups.push(() => mqtt.endAsync(true))
    mqtt.on('message', (_, payload, packet) =>
      marks.set(JSON.parse(payload.toString()).sequence, packet.properties?.userProperties?.historical),
    )
    await new Promise((resolve) => mqtt.once('connect', resolve))
    await mqtt.subscribeAsync('luong/v1/+/lane/+/event', { qos: 1 })
    await start()
    await until(() => publisher.stats().lag === 0)
    source.add(2)
    await until(() => marks.size === 5)
    expect([...marks.values()]).toEqual(['true', 'true', 'true', undefined, undefined])
  })

  it('with an event in it on which the broker hangs up: it is put aside, however much happens meanwhile', async () => {
    const url = await embedded(16)
    const { seen } = await centre(url)
    const source = new MemorySource()
    source.add(600)
    source.add(1, 40 * 1024)
    source.add(HELD - 601)
    const { publisher, start } = site(url, source, 10_000)
    await start()
    const now = setInterval(() => source.add(1), 3)
    cleanups.push(() => clearInterval(now))
    await until(
      () => publisher.stats().parked.length === 1,
      () => publisher.stats(),
    )
    await until(
      () => publisher.stats().late === null,
      () => publisher.stats(),
    )
    clearInterval(now)
    const total = source.head().sequence
    await until(
      () => publisher.stats().lag === 0 && seen.texts.size === total - 1,
      () => publisher.stats(),
    )
    expect(publisher.stats().parked.map((p) => p.sequence)).toEqual([601])
    expect(seen.texts.has(601)).toBe(false)
    expect(seen.changed).toEqual([])
  })
})

describe('a course', () => {
  it('has its cursor behind what was acknowledged without a gap, whatever the order of acknowledgements', () => {
    const acks = fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 30 })
    fc.assert(
      fc.property(acks, fc.integer({ min: 1, max: 30 }), (order, end) => {
        const course = new Course(0, end)
        for (let wanted = course.wanted(30, 8); wanted; wanted = course.wanted(30, 8)) {
          course.take(Array.from({ length: wanted.limit }, (_, i) => event(wanted.after + i + 1)))
          while (course.next());
        }
        const flights = [...course.flights]
        expect(flights.map((f) => f.event.sequence)).toEqual(Array.from({ length: end }, (_, i) => i + 1))
        const done = new Set<number>()
        for (const n of order.filter((one) => one <= end)) {
          done.add(n)
          course.acknowledge(flights[n - 1]!)
          let upTo = 0
          while (done.has(upTo + 1)) upTo++
          expect(course.cursor).toBe(upTo)
          expect(course.done).toBe(upTo === end)
        }
      }),
    )
  })
})

it('a pace gives no more than its rate over any time, and never less than it could', () => {
  fc.assert(
    fc.property(fc.integer({ min: 10, max: 1_000 }), fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 60 }), (rate, waits) => {
      let now = 0
      const pace = new Pace({ ...systemClock, mono: () => now }, rate)
      let given = 0
      for (const ms of waits) {
        now += ms
        while (pace.take() === 0) given++
      }
      expect(given).toBeLessThanOrEqual(Math.max(1, rate / 10) + (rate * now) / 1_000 + 1e-6)
      let wait = pace.take()
      while (wait === 0) wait = pace.take()
      now += wait + 0.001
      expect(pace.take()).toBe(0)
    }),
  )
})

const event = (sequence: number) => ({ sequence, type: 't', lane: null, passage: null, at: 0, json: '{}' })
