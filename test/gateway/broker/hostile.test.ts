/** Bytes that no honest client sends, from strangers and from users, at the embedded broker. */
import { connect as netConnect, type Socket } from 'node:net'
import type { MqttClient } from 'mqtt'
import { afterEach, expect, it } from 'vitest'
import type { RunningBroker } from '../../../gateway/broker/config.ts'
import type { LimitKind } from '../../../gateway/broker/limits.ts'
import { systemClock } from '../../../gateway/kernel/clock.ts'
import { startBroker } from '../../harness/local-broker.ts'
import { BASE, client, TestLog, until } from '../uplink/helpers.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

const MB = 1024 * 1024
const USER = { name: 'cam', password: 'secret', role: 'device' as const, publish: ['cam/#'], subscribe: ['cam/#'] }

async function broker(): Promise<RunningBroker & { log: TestLog }> {
  const log = new TestLog()
  const config = { ...BASE, host: '127.0.0.1', port: 0, users: [USER], maxPayloadKb: 8_192 }
  const running = await startBroker(config, { log, clock: systemClock })
  cleanups.push(() => running.stop())
  return { ...running, log }
}

async function honest(b: RunningBroker, id = 'honest'): Promise<MqttClient> {
  const mqtt = client(`mqtt://127.0.0.1:${b.port}`, { username: 'cam', password: 'secret', id })
  cleanups.push(() => mqtt.endAsync(true))
  await until(() => mqtt.connected)
  return mqtt
}

async function raw(b: RunningBroker): Promise<Socket & { ended: Promise<void>; answers: Buffer[] }> {
  const socket = netConnect(b.port, '127.0.0.1')
  cleanups.push(() => socket.destroy())
  socket.on('error', () => {})
  const answers: Buffer[] = []
  socket.on('data', (bytes) => answers.push(bytes))
  const ended = new Promise<void>((done) => socket.once('close', () => done()))
  await new Promise<void>((done) => socket.once('connect', () => done()))
  return Object.assign(socket, { ended, answers })
}

/** A packet of that type byte; only its head where `body` is a length. */
function packet(type: number, body: Buffer | number): Buffer {
  const head = [type]
  let rest = typeof body === 'number' ? body : body.length
  do {
    head.push((rest & 0x7f) | (rest > 127 ? 0x80 : 0))
    rest = Math.floor(rest / 128)
  } while (rest > 0)
  return Buffer.concat([Buffer.from(head), typeof body === 'number' ? Buffer.alloc(0) : body])
}
const text = (s: string) => Buffer.concat([Buffer.from([s.length >> 8, s.length & 0xff]), Buffer.from(s)])
const connectAs = (id: string) =>
  packet(0x10, Buffer.concat([text('MQTT'), Buffer.from([4, 0xc2, 0, 60]), text(id), text('cam'), text('secret')]))
const subscribeTo = (filters: readonly string[]) =>
  packet(0x82, Buffer.concat([Buffer.from([0, 7]), ...filters.flatMap((f) => [text(f), Buffer.from([0])])]))

const hit = (b: RunningBroker, kind: LimitKind) => b.stats().limited[kind]

it.each([
  ['a list of filters', packet(0x82, 8 * MB)],
  ['a message', packet(0x30, 100)],
  ['a ping', Buffer.from([0xc0, 0])],
])('a stranger whose first packet is %s is closed at its head', async (_, bytes) => {
  const b = await broker()
  const socket = await raw(b)
  socket.write(bytes)
  await socket.ended
  expect([hit(b, 'not_connect'), socket.answers.length]).toEqual([1, 0])
})

it('a CONNECT of megabytes is closed at its head; nothing of it is kept', async () => {
  const b = await broker()
  const socket = await raw(b)
  socket.write(packet(0x10, 8 * MB))
  await socket.ended
  expect(hit(b, 'packet_size')).toBe(1)
})

it('what a client sends right behind CONNECT is read when it is known, and not at all when it is refused', async () => {
  const b = await broker()
  const listener = await honest(b)
  const got: string[] = []
  listener.on('message', (_, payload) => got.push(payload.toString()))
  await listener.subscribeAsync('cam/1')
  const message = (s: string) => packet(0x30, Buffer.concat([text('cam/1'), Buffer.from(s)]))
  const many = Array.from({ length: 300 }, (_, i) => message(`${i}`.padStart(100, '.')))
  const good = await raw(b)
  good.write(Buffer.concat([connectAs('good'), ...many]))
  await until(() => got.length === 300)
  expect(got.map((s) => Number(s.replace(/^\.+/, '')))).toEqual(many.map((_, i) => i))
  const bad = await raw(b)
  const wrong = Buffer.from(connectAs('bad').toString('latin1').replace('secret', 'guess!'), 'latin1')
  bad.write(Buffer.concat([wrong, ...many]))
  await bad.ended
  await listener.publishAsync('cam/1', 'end', { qos: 1 })
  await until(() => got.at(-1) === 'end')
  expect(got).toHaveLength(301)
})

it('a list of a million filters is closed at its head, also from a user; a list that may be is paid for filter by filter', async () => {
  const b = await broker()
  const socket = await raw(b)
  socket.write(connectAs('subscriber'))
  await until(() => socket.answers.length > 0)
  socket.write(packet(0x82, 7 * MB))
  await socket.ended
  expect(hit(b, 'packet_size')).toBe(1)
  const next = await raw(b)
  next.write(connectAs('subscriber'))
  await until(() => next.answers.length > 0)
  // 32 KB of short filters, of which 256 are taken: 512 messages' worth each time, 5,000 at once.
  const list = subscribeTo(Array.from({ length: 3_000 }, (_, i) => `cam${i}`))
  for (let i = 0; i < 20; i++) next.write(list)
  await until(() => hit(b, 'publish_rate') === 1)
  const mqtt = await honest(b)
  await mqtt.publishAsync('cam/1', 'still answered', { qos: 1 })
})

it('long filters, topics and client ids are nobody’s', async () => {
  const b = await broker()
  const mqtt = await honest(b)
  const long = `cam/${'x'.repeat(2_000)}`
  await expect(mqtt.subscribeAsync(long)).rejects.toThrow()
  expect(b.stats().denied).toBe(1)
  await mqtt.subscribeAsync(`cam/${'x'.repeat(1_000)}`)
  const closed = new Promise<void>((done) => mqtt.once('close', () => done()))
  mqtt.publish(long, 'x')
  await closed
  const socket = await raw(b)
  socket.write(connectAs('x'.repeat(2_000)))
  await socket.ended
  expect(b.log.lines.some((l) => /client id is longer/.test(l.message))).toBe(true)
})

it('unfinished messages of all together are bounded: whoever has most of them is closed, the others go on', async () => {
  const b = await broker()
  const mqtt = await honest(b)
  const sockets = await Promise.all(Array.from({ length: 9 }, () => raw(b)))
  for (const [i, socket] of sockets.entries()) {
    socket.write(connectAs(`slow-${i}`))
    await until(() => socket.answers.length > 0)
    socket.write(packet(0x30, 8 * MB))
    socket.write(Buffer.alloc(8 * MB - 1_000 * (i + 1)))
  }
  await Promise.race(sockets.map((socket) => socket.ended))
  expect(hit(b, 'unfinished')).toBeGreaterThan(0)
  await mqtt.publishAsync('cam/1', 'still answered', { qos: 1 })
  expect(sockets.filter((socket) => !socket.destroyed).length).toBeGreaterThan(0)
})
