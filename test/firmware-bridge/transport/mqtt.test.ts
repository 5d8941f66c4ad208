import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { Aedes } from 'aedes'
import { afterEach, describe, expect, it } from 'vitest'
import { Backoff } from '../../../firmware-bridge/transport/backoff.ts'
import { memoryBroker } from '../../../firmware-bridge/transport/memory-broker.ts'
import { type MqttOptions, mqttTransport } from '../../../firmware-bridge/transport/mqtt.ts'
import { topicMatches, validFilter } from '../../../firmware-bridge/transport/topic.ts'
import type { Message, MessageTransport } from '../../../firmware-bridge/transport/transport.ts'
import { systemClock } from '../../../gateway/kernel/clock.ts'
import { silentLog } from '../../../gateway/kernel/log.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

async function until(what: string, test: () => boolean): Promise<void> {
  for (let i = 0; i < 1_500; i++) {
    if (test()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`waited in vain: ${what}`)
}

async function broker(port = 0) {
  const aedes = await Aedes.createBroker()
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    aedes.handle(socket)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const stop = async () => {
    for (const socket of sockets) socket.destroy()
    if (server.listening) await new Promise((resolve) => server.close(resolve))
    await new Promise<void>((resolve) => aedes.close(() => resolve()))
  }
  cleanups.push(stop)
  return { port: (server.address() as AddressInfo).port, stop, aedes }
}

function client(port: number, options: Partial<MqttOptions> = {}): MessageTransport {
  const transport = mqttTransport({
    name: 'site broker',
    url: `mqtt://127.0.0.1:${port}`,
    clock: systemClock,
    log: silentLog,
    backoff: new Backoff(20, 100),
    ...options,
  })
  cleanups.push(() => transport.stop())
  transport.start()
  return transport
}

const collect = (transport: MessageTransport, filter: string) => {
  const got: string[] = []
  const off = transport.subscribe(filter, (m: Message) =>
    got.push(`${m.topic}=${Buffer.from(m.payload)}${m.retained ? ' (retained)' : ''}`),
  )
  return Object.assign(got, { off })
}

describe('the transport on a real broker', () => {
  it('delivers, tells retained copies from news, and honours wildcards', async () => {
    const { port } = await broker()
    const a = client(port)
    await until('up', () => a.up)
    await a.publish('gate/1/state', 'old', { qos: 1, retain: true })
    const b = client(port)
    const got = collect(b, 'gate/+/state')
    await until('retained copy', () => got.length === 1)
    await a.publish('gate/1/state', Uint8Array.from(Buffer.from('new')), { qos: 1, retain: true })
    await a.publish('gate/1/other', 'no', { qos: 0, retain: false })
    await until('news', () => got.length === 2)
    expect([...got]).toEqual(['gate/1/state=old (retained)', 'gate/1/state=new'])
    got.off()
    await a.publish('gate/1/state', 'later', { qos: 1, retain: false })
    const second = collect(b, 'gate/#')
    await until('a second subscriber gets its copy', () => second.length === 1)
    expect(got).toHaveLength(2)
  })

  it('keeps subscriptions over a reconnect and sends nothing of before', async () => {
    const first = await broker()
    const a = client(first.port)
    const got = collect(a, 'x/#')
    await until('up', () => a.up)
    await first.stop()
    await until('down', () => !a.up)
    await expect(a.publish('x/1', 'lost', { qos: 1, retain: false })).rejects.toMatchObject({ code: 'LINK_DOWN' })
    await expect(a.publish('x/1', 'lost', { qos: 0, retain: false })).rejects.toMatchObject({ code: 'LINK_DOWN' })
    await broker(first.port)
    await until('up again', () => a.up)
    await a.publish('x/2', 'fresh', { qos: 1, retain: false })
    await until('delivery', () => got.length > 0)
    expect([...got]).toEqual(['x/2=fresh'])
  })

  it('rejects what is not acknowledged, bounded in number and time', async () => {
    // A broker that says CONNACK and then nothing.
    const sockets: Socket[] = []
    const server: Server = createServer((socket) => {
      sockets.push(socket)
      socket.on('error', () => {})
      socket.once('data', () => socket.write(Uint8Array.of(0x20, 2, 0, 0)))
    }).listen(0, '127.0.0.1')
    cleanups.push(() => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
    await once(server, 'listening')
    const a = client((server.address() as AddressInfo).port, { maxInFlight: 2, publishMs: 200 })
    await until('up', () => a.up)
    const works = [1, 2, 3].map((i) =>
      a.publish('x', String(i), { qos: 1, retain: false }).then(
        () => 'ok',
        (e) => e.code,
      ),
    )
    expect(await Promise.all(works)).toEqual(['LINK_DOWN', 'LINK_DOWN', 'QUEUE_FULL'])
    const lost = a.publish('x', 'again', { qos: 1, retain: false }).then(
      () => 'ok',
      (e) => e.code,
    )
    await a.stop()
    expect(await lost).toBe('LINK_DOWN')
  })

  it('has its last will', async () => {
    const { port } = await broker()
    const watcher = client(port)
    const got = collect(watcher, 'status')
    await until('up', () => watcher.up)
    const socket = { value: undefined as Socket | undefined }
    const proxy = createServer((down) => {
      socket.value = down
      import('node:net').then(({ connect }) => {
        const up = connect(port, '127.0.0.1')
        for (const s of [up, down]) s.on('error', () => {})
        down.pipe(up).pipe(down)
        down.on('close', () => up.destroy())
      })
    }).listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    cleanups.push(() => proxy.close())
    const dying = client((proxy.address() as AddressInfo).port, {
      will: { topic: 'status', payload: 'offline', qos: 1, retain: true },
      backoff: new Backoff(60_000, 60_000),
    })
    await until('up', () => dying.up)
    socket.value!.destroy()
    await until('will', () => got.length === 1)
    expect(got[0]).toBe('status=offline')
  })

  it('says why it is not connected', async () => {
    const { port, stop } = await broker()
    await stop()
    const whys: string[] = []
    const a = client(port)
    a.onState((up, why) => up || whys.push(why ?? ''))
    await until('a reason', () => whys.length > 0)
    expect(whys[0]).toBe('site broker: refused; is the broker running, and is the port right?')
  })

  it('refuses a filter that is none', async () => {
    const { port } = await broker()
    const a = client(port)
    for (const filter of ['', 'a/#/b', 'a+/b', 'a#']) expect(() => a.subscribe(filter, () => {})).toThrow(/not a valid MQTT topic filter/)
  })

  it('a handler that throws harms nobody', async () => {
    const { port } = await broker()
    const a = client(port)
    a.subscribe('x', () => {
      throw new Error('bug')
    })
    const got = collect(a, 'x')
    await until('up', () => a.up)
    await a.publish('x', '1', { qos: 1, retain: false })
    await until('the other one', () => got.length === 1)
  })
})

describe('topics', () => {
  it.each([
    ['a/b', 'a/b', true],
    ['a/+', 'a/b', true],
    ['a/+', 'a', false],
    ['a/+', 'a/b/c', false],
    ['a/#', 'a', true],
    ['a/#', 'a/b/c', true],
    ['#', 'a/b', true],
    ['+/+', '/b', true],
    ['#', '$SYS/x', false],
    ['+/x', '$SYS/x', false],
    ['$SYS/#', '$SYS/x', true],
    ['a/b', 'a/b/c', false],
  ])('%s on %s: %s', (filter, topic, fits) => expect(topicMatches(filter, topic)).toBe(fits))

  it.each([
    ['a/+/b', true],
    ['#', true],
    ['+', true],
    ['', false],
    ['a/#/b', false],
    ['a+', false],
  ])('filter %j valid: %s', (filter, valid) => expect(validFilter(filter)).toBe(valid))
})

describe('the broker in memory', () => {
  it('behaves as a real one: retained, wildcards, loss and return', async () => {
    const { connect, retained } = memoryBroker()
    const [a, b] = [connect('a'), connect('b')]
    const got = collect(b, 'x/#')
    await expect(a.publish('x/1', '1', { qos: 1, retain: true })).rejects.toMatchObject({ code: 'LINK_DOWN' })
    a.start()
    await a.publish('x/1', 'one', { qos: 1, retain: true })
    b.start()
    await until('retained', () => got.length === 1)
    b.cut()
    await a.publish('x/2', 'unheard', { qos: 1, retain: false })
    b.restore()
    await until('retained again', () => got.length === 2)
    await a.publish('x/1', '', { qos: 1, retain: true })
    await until('the empty one', () => got.length === 3)
    expect([...got]).toEqual(['x/1=one (retained)', 'x/1=one (retained)', 'x/1='])
    expect(retained.size).toBe(0)
  })
})
