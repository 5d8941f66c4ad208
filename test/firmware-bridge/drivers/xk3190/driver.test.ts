import { afterEach, describe, expect, test } from 'vitest'
import type { Weight } from '../../../../firmware-bridge/driver.ts'
import { encodeContinuous } from '../../../../firmware-bridge/drivers/xk3190/codec.ts'
import { settings } from '../../../../firmware-bridge/drivers/xk3190/schema.ts'
import type { Rig } from '../../../contract/rig.ts'
import { soloRig } from '../rigs.ts'

const rigs: Rig[] = []
const make = async (differs: Record<string, unknown> = {}) => {
  const rig = await soloRig('bytes', { driver: 'xk3190', ...differs })
  rigs.push(rig)
  const heard: (Weight | null)[] = []
  rig.device.scale!.onWeight((w) => heard.push(w))
  await rig.begin(3_000)
  return { rig, scale: rig.device.scale!, heard, load: (kg: number) => rig.sim.scale!.setLoad(kg) }
}
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.end()
})

describe.each(['continuous', 'command'] as const)('%s mode', (mode) => {
  test('a truck drives on: moving, then stable at its weight, with the frame as it came', async () => {
    const { rig, scale, heard, load } = await make({ mode })
    expect(scale.read()).toMatchObject({ kg: 0, stable: true, overload: false })
    load(38_420)
    await rig.clock.advance(900)
    const moving = heard.at(-1)!
    expect(moving.stable).toBe(false)
    expect(moving.kg).toBeGreaterThan(1_000)
    await rig.clock.advance(4_000)
    expect(scale.read()).toMatchObject({ kg: 38_420, stable: true, overload: false })
    expect(scale.read()!.raw).toBe(mode === 'continuous' ? '022B30333834323030313603' : '0241422B30333834323030313503')
  })

  test('nothing heard: null, once', async () => {
    const { rig, scale, heard } = await make({ mode })
    rig.sim.fault!('silent')
    await rig.clock.advance(5_000)
    expect(scale.read()).toBeNull()
    expect(heard.filter((w) => w === null)).toHaveLength(1)
    expect(rig.device.health()).toMatchObject({ state: 'down', why: expect.stringContaining('no weight for 2 s') })
    rig.sim.fault!('none')
    await rig.clock.advance(1_000)
    expect(scale.read()).toMatchObject({ kg: 0, stable: false })
  })
})

test('more than the capacity is an overload and never stable', async () => {
  const { rig, scale, load } = await make({ capacity_kg: 40_000 })
  load(40_020)
  await rig.clock.advance(6_000)
  expect(scale.read()).toMatchObject({ kg: 40_020, stable: false, overload: true })
})

test('tonnes', async () => {
  const { rig, scale, load } = await make({ unit: 't' })
  load(38_420)
  await rig.clock.advance(6_000)
  expect(scale.read()).toMatchObject({ kg: 38_420, stable: true })
  expect(scale.read()!.raw).toBe('022B30333834323033313503')
})

test('wrong checks are counted and never a weight', async () => {
  const { rig, scale, heard } = await make()
  rig.sim.fault!('bad-crc')
  await rig.clock.advance(5_000)
  const before = heard.length
  await rig.clock.advance(1_000)
  expect(heard.length).toBe(before)
  expect(scale.read()).toBeNull()
  expect(rig.device.health().counters.check_errors).toBeGreaterThan(40)
})

test('an indicator that shows letters: no weight, and health says to look at it', async () => {
  const { rig, scale } = await make()
  rig.sim.fault!('silent')
  const frame = Buffer.from(encodeContinuous({ digits: 0, decimals: 0 }))
  frame.write('+ -OL- 0', 1, 'latin1')
  const xor = frame.subarray(1, 9).reduce((a, b) => a ^ b, 0)
  frame.write(xor.toString(16).toUpperCase().padStart(2, '0'), 9, 'latin1')
  rig.noise(frame)
  await rig.clock.advance(10)
  expect(scale.read()).toBeNull()
  expect(rig.device.health()).toMatchObject({ state: 'degraded', why: expect.stringContaining('look at its display') })
})

test('in command mode another indicator on the line is not listened to', async () => {
  const { rig } = await make({ mode: 'command', address: 'B' })
  const { encodeReply } = await import('../../../../firmware-bridge/drivers/xk3190/codec.ts')
  rig.noise(encodeReply('C', 'B', { digits: 99_999, decimals: 0 }))
  rig.noise(encodeReply('B', 'D', { digits: 99_999, decimals: 0 }))
  await rig.clock.advance(10)
  expect(rig.device.scale!.read()!.kg).toBe(0)
  expect(rig.device.health().counters.foreign).toBe(2)
})

test('the continuous mode writes nothing to the line', async () => {
  const { rig } = await make()
  await rig.clock.advance(10_000)
  expect(rig.sent).toEqual([])
})

test('settings are bounded and unknown keys refused', () => {
  const ok = { driver: 'xk3190', link: 'w' }
  expect(settings.safeParse(ok).success).toBe(true)
  for (const bad of [
    { poll_ms: 1 },
    { address: 'a' },
    { address: 'AB' },
    { unit: 'lb' },
    { division_kg: 0 },
    { stable_readings: 1 },
    { stale: 5 },
  ]) {
    expect(settings.safeParse({ ...ok, ...bad }).success, JSON.stringify(bad)).toBe(false)
  }
})
