/** The broker in its own thread: the gateway's connection to it, what passes between the threads, and threads that end or get stuck. */
import { createServer } from 'node:net'
import type { Worker } from 'node:worker_threads'
import { MqttClient } from 'mqtt'
import { afterAll, afterEach, expect, it } from 'vitest'
import type { BrokerConfig, RunningBroker } from '../../../gateway/broker/config.ts'
import { startBrokerThread } from '../../../gateway/broker/thread.ts'
import { systemClock } from '../../../gateway/kernel/clock.ts'
import { hashPassword, readPasswordHash } from '../../../gateway/kernel/password-hash.ts'
import { BASE, client, TestLog, until } from '../uplink/helpers.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

const HASH = { ln: 14, r: 8, p: 1 }
const USER = { name: 'camera', password: 'secret', role: 'device' as const, publish: ['cam/#'], subscribe: ['cam/#'] }
const LOGIN = { username: 'camera', password: 'secret' }

/** The newest thread that was started. */
let thread: Worker
const begun = (worker: Worker) => {
  thread = worker
}
process.on('worker', begun)
afterAll(() => process.off('worker', begun))

async function broker(config: Partial<BrokerConfig> = {}, lookMs?: number): Promise<RunningBroker & { log: TestLog }> {
  const log = new TestLog()
  const settings = { ...BASE, host: '127.0.0.1', port: 0, users: [USER], maxPayloadKb: 2_048, ...config }
  const running = await startBrokerThread(settings, { log, clock: systemClock, ...(lookMs === undefined ? {} : { lookMs }) })
  cleanups.push(() => running.stop())
  return Object.assign(running, { log })
}

/** As the gateway connects. */
async function inside(b: RunningBroker, reconnectPeriod = 0): Promise<MqttClient> {
  const { stream, username, password } = b.internal
  const mqtt = new MqttClient(stream as never, { username, password, clientId: 'luong-site', reconnectPeriod })
  mqtt.on('error', () => {})
  cleanups.push(() => mqtt.endAsync(true))
  await until(() => mqtt.connected)
  return mqtt
}

const outside = async (b: RunningBroker) => {
  const mqtt = client(`mqtt://127.0.0.1:${b.port}`, LOGIN)
  mqtt.on('error', () => {})
  cleanups.push(() => mqtt.endAsync(true))
  await until(() => mqtt.connected)
  return mqtt
}

it('carries pictures from a socket to the gateway and back, byte for byte and in order', async () => {
  const b = await broker()
  const [site, camera] = [await inside(b), await outside(b)]
  const got: Buffer[] = []
  site.on('message', (_, payload) => got.push(payload))
  await site.subscribeAsync('cam/#', { qos: 1 })
  const pictures = Array.from({ length: 40 }, (_, i) => Buffer.alloc(i % 3 === 0 ? 1_000_000 : 20 + i, i))
  await Promise.all(pictures.map((picture) => camera.publishAsync('cam/1', picture, { qos: 1 })))
  await until(() => got.length === pictures.length)
  expect(got.map((p) => [p.length, p[0], p.at(-1)])).toEqual(pictures.map((p) => [p.length, p[0], p.at(-1)]))
  const back: Buffer[] = []
  camera.on('message', (_, payload) => back.push(payload))
  await camera.subscribeAsync('cam/set')
  await Promise.all(pictures.map((picture) => site.publishAsync('cam/set', picture, { qos: 1 })))
  await until(() => back.length === pictures.length)
  expect(back.map((p) => [p.length, p[0]])).toEqual(pictures.map((p) => [p.length, p[0]]))
  await until(() => b.stats().published === 80 && b.stats().clients === 2)
})

it('says what keeps it from starting', async () => {
  await expect(broker({ host: '0.0.0.0', users: [] })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  const taken = createServer()
  await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done))
  cleanups.push(() => taken.close())
  const { port } = taken.address() as { port: number }
  await expect(broker({ port })).rejects.toMatchObject({ code: 'PORT_IN_USE', hint: expect.stringContaining(`${port}`) })
})

it('knows users by a hash, and keeps those on whose hash is the same after an exchange', async () => {
  const users = [{ ...USER, password: readPasswordHash(await hashPassword('secret', HASH)) }]
  const b = await broker({ users })
  const camera = await outside(b)
  b.exchange({ users })
  await camera.publishAsync('cam/1', 'still here', { qos: 1 })
  await until(() => b.stats().hashed === 1)
  expect(camera.connected).toBe(true)
  const closed = new Promise<void>((done) => camera.once('close', () => done()))
  b.exchange({ users: [{ ...USER, password: readPasswordHash(await hashPassword('secret', HASH)) }] })
  await closed
})

it('exchanges users: who is none any more is cut off', async () => {
  const b = await broker()
  const camera = await outside(b)
  const closed = new Promise<void>((done) => camera.once('close', () => done()))
  b.exchange({ users: [{ ...USER, password: 'another' }] })
  await closed
  const again = client(`mqtt://127.0.0.1:${b.port}`, LOGIN)
  cleanups.push(() => again.endAsync(true))
  const refused = await new Promise<Error>((done) => again.once('error', done))
  expect(refused.message).toMatch(/Bad username or password|Not authorized/i)
})

it('is started again on the same port when its thread ends, with what was exchanged; everyone finds it', async () => {
  const b = await broker()
  b.exchange({ users: [USER, { ...USER, name: 'second' }] })
  const [site, camera] = [await inside(b, 50), await outside(b)]
  const got: string[] = []
  site.on('message', (_, payload) => got.push(payload.toString()))
  await site.subscribeAsync('cam/#')
  const gone = Promise.all([site, camera].map((mqtt) => new Promise<void>((done) => mqtt.once('close', () => done()))))
  const { port } = b
  await thread.terminate()
  await gone
  expect(b.stats().clients).toBe(0)
  await until(() => site.connected && camera.connected)
  await until(() => b.stats().clients === 2)
  expect(b.port).toBe(port)
  expect(b.log.lines.some((line) => line.message.includes('started again'))).toBe(true)
  const second = client(`mqtt://127.0.0.1:${port}`, { ...LOGIN, username: 'second' })
  cleanups.push(() => second.endAsync(true))
  await until(() => second.connected)
  // mqtt.js subscribes again by itself.
  await until(() => {
    camera.publish('cam/1', 'again')
    return got.includes('again')
  })
})

it('does not answer: the gateway takes its connections back, then the thread is replaced', async () => {
  const b = await broker({}, 20)
  const site = await inside(b, 50)
  const gone = new Promise<void>((done) => site.once('close', () => done()))
  // As from a thread that hangs, nothing is heard of it any more.
  thread.removeAllListeners('message')
  await gone
  expect(b.log.lines.some((line) => line.message.includes('does not answer'))).toBe(true)
  const late = b.internal.stream()
  await new Promise<void>((done) => late.once('close', () => done()))
  await until(() => b.log.lines.some((line) => line.message.includes('is stuck')))
  await until(() => b.log.lines.some((line) => line.message.includes('started again')))
  await until(() => site.connected)
})

it('is tried again when a thread could not even be made', async () => {
  const b = await broker()
  const site = await inside(b, 50)
  await thread.terminate()
  await until(() => b.log.lines.some((line) => line.message.includes('started again')))
  // What cannot be sent to a thread keeps it from being made, as a lack of threads does.
  b.exchange({ users: [{ ...USER, password: (() => {}) as never }] })
  await until(() => b.log.lines.some((line) => /could not be cloned/.test(String(line.fields.why))))
  b.exchange({ users: [USER] })
  await until(() => site.connected)
})

it('ends what was connected, and the port is free', async () => {
  const b = await broker()
  const [site, camera] = [await inside(b), await outside(b)]
  const gone = Promise.all([site, camera].map((mqtt) => new Promise<void>((done) => mqtt.once('close', () => done()))))
  await b.stop()
  await gone
  const next = createServer()
  await new Promise<void>((done, failed) => next.once('error', failed).listen(b.port, '127.0.0.1', done))
  next.close()
})
