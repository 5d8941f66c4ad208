import sharp from 'sharp'
import { afterEach, beforeAll, expect, test } from 'vitest'
import type { Frame } from '../../../../firmware-bridge/driver.ts'
import { settings } from '../../../../firmware-bridge/drivers/mqtt-camera/schema.ts'
import type { MqttCameraSim } from '../../../../firmware-bridge/drivers/mqtt-camera/sim.ts'
import type { Rig } from '../../../contract/rig.ts'
import { soloRig } from '../rigs.ts'

let picture: Buffer
beforeAll(async () => {
  picture = await sharp({ create: { width: 320, height: 240, channels: 3, background: 'green' } })
    .jpeg()
    .toBuffer()
})
const rigs: Rig[] = []
const make = async (differs: Record<string, unknown> = {}) => {
  const rig = await soloRig('mqtt', { driver: 'mqtt-camera', topic: 'cam/1', ...differs })
  rigs.push(rig)
  const frames: Frame[] = []
  rig.device.camera!.onFrame((frame) => frames.push(frame))
  await rig.begin()
  return {
    rig,
    frames,
    sim: rig.sim as MqttCameraSim,
    send: async (image: Uint8Array = picture) => {
      await rig.sim.camera!.send(image)
      await rig.clock.advance(1)
    },
  }
}
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.end()
})

test('every form of the simulator arrives as the same picture', async () => {
  const { rig, frames, sim, send } = await make()
  for (const form of ['raw', 'base64', 'data-uri', 'json'] as const) {
    sim.form(form)
    await send()
  }
  expect(frames).toHaveLength(4)
  for (const frame of frames) expect(Buffer.from(frame.image).equals(picture)).toBe(true)
  expect(frames[0]).toMatchObject({ camera: 'dev', at: 1_000 })
  expect(rig.device.health().counters.frames).toBe(4)
})

test('a retained copy is ignored', async () => {
  const rig = await soloRig('mqtt', { driver: 'mqtt-camera', topic: 'cam/1' })
  rigs.push(rig)
  const frames: Frame[] = []
  rig.device.camera!.onFrame((frame) => frames.push(frame))
  await rig.begin()
  await rig.publish('cam/1', picture, true)
  await rig.clock.advance(1)
  expect(frames).toHaveLength(1)
  rig.plugged(false)
  rig.plugged(true)
  await rig.clock.advance(100)
  expect(frames).toHaveLength(1)
  expect(rig.device.health().counters.retained).toBe(1)
})

test('what is no picture is counted, said in health, and cured by the next picture', async () => {
  const { rig, frames, send } = await make({ max_kb: 64 })
  await rig.publish('cam/1', 'camera rebooting')
  await rig.publish('cam/1', '{"image":')
  await rig.publish('cam/1', new Uint8Array(70_000))
  await rig.publish('cam/1', '')
  await rig.clock.advance(1)
  expect(frames).toEqual([])
  expect(rig.device.health()).toMatchObject({
    state: 'degraded',
    why: 'dev: the last message on cam/1 was ignored: the message is empty',
    counters: { no_picture: 1, bad_json: 1, too_large: 1, empty: 1 },
  })
  await send()
  expect(frames).toHaveLength(1)
  expect(rig.device.health().state).toBe('ok')
})

test('a camera that should send and does not is down', async () => {
  const { rig, send } = await make({ stale_ms: 5_000 })
  expect(rig.device.health().state).toBe('starting')
  await send()
  expect(rig.device.health().state).toBe('ok')
  await rig.clock.advance(5_100)
  expect(rig.device.health()).toMatchObject({ state: 'down', why: expect.stringContaining('no picture on cam/1 for 5 s') })
  await send()
  expect(rig.device.health().state).toBe('ok')
})

test('trigger asks the camera, and a broker that is away is counted, not thrown', async () => {
  const { rig, sim } = await make({ trigger: { topic: 'cam/1/shoot', payload: '{"shoot":1}' } })
  rig.device.camera!.trigger!()
  await rig.clock.advance(10)
  expect(sim.triggered()).toBe(1)
  expect(rig.sent).toEqual(['cam/1/shoot {"shoot":1}'])
  rig.plugged(false)
  rig.device.camera!.trigger!()
  await rig.clock.advance(10)
  expect(rig.device.health().counters.trigger_failed).toBe(1)
  expect(sim.triggered()).toBe(1)
})

test('without a trigger there is none, and after stop nothing comes', async () => {
  const { rig, frames, send } = await make()
  expect(rig.device.camera!.trigger).toBeUndefined()
  await rig.device.stop()
  await send()
  expect(frames).toEqual([])
})

test('settings are bounded and unknown keys refused', () => {
  const ok = { driver: 'mqtt-camera', link: 'm', topic: 'a/b' }
  expect(settings.safeParse(ok).success).toBe(true)
  for (const bad of [
    { topic: 'a/#' },
    { topic: 'a/+/b' },
    { topic: '' },
    { pointer: 'image' },
    { pointer: '/a~2' },
    { max_kb: 1 },
    { stale_ms: 10 },
    { max: 3 },
  ]) {
    expect(settings.safeParse({ ...ok, ...bad }).success, JSON.stringify(bad)).toBe(false)
  }
})
