/** The drivers on real sockets and a real broker, with the system's own clock. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { Aedes } from 'aedes'
import sharp from 'sharp'
import { afterEach, expect, test } from 'vitest'
import { buildDevices } from '../../../firmware-bridge/build.ts'
import { buildSim } from '../../../firmware-bridge/build-sim.ts'
import type { Frame } from '../../../firmware-bridge/driver.ts'
import type { Links } from '../../../firmware-bridge/plan.ts'
import type { SimLine } from '../../../firmware-bridge/sim.ts'
import { systemClock } from '../../../gateway/kernel/clock.ts'
import { Listeners } from '../../../gateway/kernel/listeners.ts'
import { silentLog } from '../../../gateway/kernel/log.ts'
import { parseDevices, type RigOptions } from '../../contract/rig.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

async function until(what: string, test: () => boolean): Promise<void> {
  for (let i = 0; i < 2_000; i++) {
    if (test()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`waited in vain: ${what}`)
}

async function listen(onSocket: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    onSocket(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return (server.address() as AddressInfo).port
}

async function site(
  links: Links,
  raw: RigOptions['devices'],
  lineFor: (link: string) => SimLine = () => {
    throw new Error('no lines here')
  },
) {
  const common = { links, devices: parseDevices(raw), clock: systemClock, log: silentLog }
  const [devices, sims] = [await buildDevices(common), await buildSim({ ...common, lineFor })]
  cleanups.push(
    () => sims.stop(),
    () => devices.stop(),
  )
  return { devices, sims }
}

test('camera and relay board on a real broker', async () => {
  const aedes = await Aedes.createBroker()
  const port = await listen((socket) => void aedes.handle(socket))
  cleanups.push(() => new Promise<void>((resolve) => aedes.close(() => resolve())))
  const { devices, sims } = await site(
    { site: { kind: 'mqtt', url: `mqtt://127.0.0.1:${port}` } },
    {
      cam: { driver: 'mqtt-camera', link: 'site', topic: 'cam/1', pointer: '/values/image' },
      io: {
        driver: 'mqtt-io',
        link: 'site',
        preset: 'shelly',
        base: 'lane1',
        inputs: { loop: { channel: '0' } },
        outputs: { open: { channel: '0' } },
      },
    },
  )
  const picture = await sharp({ create: { width: 1_280, height: 720, channels: 3, background: 'gray' } })
    .jpeg()
    .toBuffer()
  const frames: Frame[] = []
  devices.get('cam').camera!.onFrame((frame) => frames.push(frame))
  // A copy stored before anybody listened.
  aedes.publish({ cmd: 'publish', topic: 'cam/1', payload: picture, qos: 1, retain: true, dup: false }, () => {})
  devices.start()
  sims.start()
  await until('the board is online', () => devices.get('io').health().state === 'ok')
  await until('the stored copy was seen and ignored', () => devices.get('cam').health().counters.retained === 1)
  expect(frames).toEqual([])
  await sims.get('cam').camera!.send(picture)
  await until('a frame', () => frames.length === 1)
  expect(Buffer.from(frames[0]!.image).equals(picture)).toBe(true)

  const board = sims.get('io').terminals!
  board.setInput('loop', true)
  await until('the loop is on', () => devices.input('io.loop').read().value === true)
  await devices.output('io.open').pulse(300, { deadline: systemClock.mono() + 5_000 })
  expect(board.output('open')).toBe(true)
  await until('the pulse is over', () => !board.output('open'))
})

test('weighbridge behind a serial device server', async () => {
  const heard = new Listeners<[Uint8Array]>()
  const sockets = new Set<Socket>()
  const port = await listen((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (bytes) => heard.emit(bytes))
  })
  // TCP splits and merges as it likes; send frames in two halves besides.
  const send = (bytes: Uint8Array) => {
    for (const socket of sockets) {
      socket.write(bytes.subarray(0, 5))
      socket.write(bytes.subarray(5))
    }
  }
  const { devices, sims } = await site(
    { scale: { kind: 'tcp', host: '127.0.0.1', port } },
    { scale: { driver: 'xk3190', link: 'scale', stable_ms: 300, stable_readings: 3 } },
    () => ({ onData: (fn) => heard.add(fn), send }),
  )
  devices.start()
  sims.start()
  const scale = devices.get('scale').scale!
  await until('zero', () => scale.read()?.stable === true && scale.read()?.kg === 0)
  sims.get('scale').scale!.setLoad(38_420)
  await until('the weight', () => scale.read()?.stable === true && scale.read()?.kg === 38_420)
  for (const socket of sockets) socket.destroy()
  await until('unknown after the loss', () => scale.read() === null)
  await until('back again', () => scale.read()?.kg === 38_420)
})
