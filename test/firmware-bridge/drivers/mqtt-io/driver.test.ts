import { afterEach, describe, expect, test } from 'vitest'
import type { MqttIoSim } from '../../../../firmware-bridge/drivers/mqtt-io/sim.ts'
import { outcome, type Rig } from '../../../contract/rig.ts'
import { soloRig } from '../rigs.ts'

const rigs: Rig[] = []
const RELAY = { topic: 'r/set', on: 'ON', off: 'OFF', state: { topic: 'r', on: 'ON', off: 'OFF' } }
const AVAILABLE = { availability: { topic: 'av' }, inputs: { loop: { topic: 'loop', on: '1', off: '0' } }, outputs: { relay: RELAY } }
const make = async (differs: Record<string, unknown> = AVAILABLE, before?: (rig: Rig) => Promise<void>) => {
  const rig = await soloRig('mqtt', { driver: 'mqtt-io', ...differs })
  rigs.push(rig)
  await before?.(rig)
  await rig.begin()
  const loop = rig.device.points!.inputs.get('loop')!
  const relay = rig.device.points!.outputs.get('relay')!
  const options = (ms = 2_000) => ({ deadline: rig.clock.mono() + ms })
  return {
    rig,
    loop,
    sim: rig.sim as MqttIoSim,
    value: () => loop.read().value,
    say: async (topic: string, payload: string, retain = false) => {
      await rig.publish(topic, payload, retain)
      await rig.clock.advance(1)
    },
    set: (on: boolean) => outcome(rig.clock, relay.set(on, options()), 10_000),
    pulse: (ms: number) => outcome(rig.clock, relay.pulse(ms, options()), 10_000),
    /** What was sent to the relay. */
    sent: () => rig.sent.filter((line) => line.startsWith('r/set ') || line.startsWith('pulse ')),
  }
}
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.end()
})

describe('inputs', () => {
  test('follow the device, and tell when', async () => {
    const { rig, loop, sim, value } = await make()
    const heard: [unknown, number][] = []
    loop.onChange((v, at) => heard.push([v, at]))
    expect(value()).toBe(false)
    sim.terminals.setInput('loop', true)
    await rig.clock.advance(1)
    expect([value(), heard]).toEqual([true, [[true, 1_000]]])
  })

  test('a retained copy does not count', async () => {
    const { rig, value, say, sim } = await make()
    sim.fault('silent')
    await say('loop', '1', true)
    expect(value()).toBe(true)
    rig.plugged(false)
    expect(value()).toBeNull()
    rig.plugged(true)
    await rig.clock.advance(100)
    expect(value()).toBeNull()
    expect(rig.device.health().counters.retained).toBeGreaterThan(0)
    await say('loop', '1')
    expect(value()).toBe(true)
  })

  test('except where the settings accept it', async () => {
    const { rig, value, say, sim } = await make({ ...AVAILABLE, accept_retained: true })
    sim.fault('silent')
    await say('loop', '1', true)
    rig.plugged(false)
    rig.plugged(true)
    await rig.clock.advance(100)
    expect(value()).toBe(true)
  })

  test('unknown while the device is offline, even when somebody speaks for it', async () => {
    const { rig, sim, value, say } = await make()
    sim.power(false)
    await rig.clock.advance(1)
    expect(value()).toBeNull()
    expect(rig.device.health()).toMatchObject({ state: 'down', why: expect.stringContaining('av says that the device is offline') })
    await say('loop', '1')
    expect(value()).toBeNull()
    sim.power(true)
    await rig.clock.advance(1)
    expect(value()).toBe(false)
    expect(rig.device.health().state).toBe('ok')
  })

  test('nothing heard of availability: unknown, and health says which topic', async () => {
    const { rig, value, say } = await make({ ...AVAILABLE, availability: { topic: 'av', online: 'yes' } }, async (r) =>
      r.sims.get('dev').fault!('silent'),
    )
    await say('av', 'what')
    await say('loop', '1')
    expect(value()).toBeNull()
    expect(rig.device.health()).toMatchObject({ state: 'degraded', why: expect.stringContaining('nothing heard on av') })
  })

  test('a message that is neither on nor off makes it unknown, counted', async () => {
    const { rig, value, say } = await make()
    await say('loop', 'unavailable')
    expect(value()).toBeNull()
    expect(rig.device.health()).toMatchObject({
      state: 'degraded',
      why: expect.stringContaining('dev.loop is unknown'),
      counters: { unclear: 1 },
    })
    await say('loop', '0')
    expect(value()).toBe(false)
  })

  test('unknown when not reported for stale_ms', async () => {
    const { rig, sim, value } = await make({ ...AVAILABLE, stale_ms: 1_500 })
    await rig.clock.advance(10_000)
    expect(value()).toBe(false)
    sim.fault('silent')
    await rig.clock.advance(1_600)
    expect(value()).toBeNull()
  })

  test('several points in one JSON topic; a partial report leaves the others alone', async () => {
    const { rig, value, say } = await make({
      stale_ms: 60_000,
      inputs: {
        loop: { topic: 'st', on: 'true', off: 'false', pointer: '/a' },
        other: { topic: 'st', on: 'true', off: 'false', pointer: '/b' },
      },
      outputs: { relay: RELAY },
    })
    const other = () => rig.device.points!.inputs.get('other')!.read().value
    await say('st', '{"a":true}')
    expect([value(), other()]).toEqual([true, false])
    await say('st', '{"b":true}')
    expect([value(), other()]).toEqual([true, true])
  })

  test('the state is asked for at the start and again', async () => {
    const { rig } = await make({ ...AVAILABLE, query: { topic: 'ask', payload: '?' }, query_ms: 5_000 })
    const asked = () => rig.sent.filter((line) => line === 'ask ?').length
    const first = asked()
    expect(first).toBeGreaterThan(0)
    await rig.clock.advance(15_500)
    expect(asked()).toBe(first + 3)
  })
})

describe('commands', () => {
  test('count as done when the device says so', async () => {
    const { rig, sim, set, sent } = await make()
    expect(await set(true)).toBe('ok')
    expect(sim.terminals.output('relay')).toBe(true)
    expect(sent()).toEqual(['r/set ON'])
    sim.fault('silent')
    expect(await set(false)).toMatchObject({ code: 'DEVICE_TIMEOUT', message: expect.stringContaining('not confirmed within 1000 ms') })
    expect(rig.device.health().counters.confirm_timeouts).toBe(1)
  })

  test('are never retained', async () => {
    const { rig, set } = await make()
    await set(true)
    await set(false)
    expect([...rig.broker.retained.keys()]).toEqual(['av'])
  })

  test('a state that is already so needs no repeat by the device', async () => {
    const { sim, set } = await make()
    await set(true)
    sim.fault('silent')
    expect(await set(true)).toBe('ok')
  })

  test('a retained state confirms nothing', async () => {
    const { rig, sim, say, set } = await make()
    sim.fault('silent')
    await say('r', 'ON', true)
    rig.plugged(false)
    rig.plugged(true)
    await rig.clock.advance(10)
    expect(await set(true)).toMatchObject({ code: 'DEVICE_TIMEOUT' })
  })

  test('without a state topic the broker’s word has to do', async () => {
    const { set, sim } = await make({ ...AVAILABLE, outputs: { relay: { topic: 'r/set', on: 'ON', off: 'OFF' } } })
    sim.fault('exception')
    expect(await set(true)).toBe('ok')
  })

  test('a device that is offline is not sent anything', async () => {
    const { rig, sim, set, sent } = await make()
    sim.power(false)
    await rig.clock.advance(1)
    expect(await set(true)).toMatchObject({ code: 'LINK_DOWN', message: expect.stringContaining('offline') })
    expect(sent()).toEqual([])
  })

  test('no more than eight wait', async () => {
    const { rig, sim } = await make()
    sim.fault('silent')
    const relay = rig.device.points!.outputs.get('relay')!
    const results = Array.from({ length: 10 }, () => outcome(rig.clock, relay.set(true, { deadline: rig.clock.mono() + 100 }), 20_000))
    const codes = (await Promise.all(results)).map((r) => (r === 'ok' ? r : (r as { code?: string }).code))
    expect(codes.filter((code) => code === 'QUEUE_FULL')).toHaveLength(2)
    expect(codes.filter((code) => code === 'DEVICE_TIMEOUT')).toHaveLength(8)
  })
})

describe('pulses', () => {
  const own = { ...AVAILABLE, outputs: { relay: { ...RELAY, pulse: { topic: 'pulse', payload: 'go {ms}' } } } }

  test('timed by the device where it can', async () => {
    const { rig, pulse, sent, sim } = await make(own)
    expect(await pulse(500)).toBe('ok')
    expect(sim.terminals.output('relay')).toBe(true)
    await rig.clock.advance(600)
    expect(sim.terminals.output('relay')).toBe(false)
    expect(sent()).toEqual(['pulse go 500'])
  })

  test('an old `on` does not confirm the next pulse', async () => {
    const { rig, pulse, say, sim } = await make(own)
    await pulse(500)
    await rig.clock.advance(1_000)
    await say('r', 'ON')
    sim.fault('silent')
    expect(await pulse(500)).toMatchObject({ code: 'DEVICE_TIMEOUT' })
  })

  test('else by the gateway', async () => {
    const { rig, pulse, sent } = await make()
    await pulse(500)
    await rig.clock.advance(600)
    expect(rig.moves).toEqual(['dev.relay on', 'dev.relay off'])
    expect(sent()).toEqual(['r/set ON', 'r/set OFF'])
  })

  test('and off is tried until it is so', async () => {
    const { rig, pulse } = await make()
    await pulse(500)
    rig.plugged(false)
    await rig.clock.advance(5_000)
    expect(rig.moves).toEqual(['dev.relay on'])
    rig.plugged(true)
    await rig.clock.advance(2_000)
    expect(rig.moves).toEqual(['dev.relay on', 'dev.relay off'])
  })

  test('a later `on` is not ended by an earlier pulse', async () => {
    const { rig, pulse, set } = await make()
    await pulse(500)
    await set(true)
    await rig.clock.advance(3_000)
    expect(rig.moves).toEqual(['dev.relay on'])
  })

  test('stopping ends a pulse that runs, and nothing else', async () => {
    const { rig, pulse } = await make()
    await pulse(3_000)
    expect(await outcome(rig.clock, rig.device.stop(), 5_000)).toBe('ok')
    expect(rig.moves).toEqual(['dev.relay on', 'dev.relay off'])
    const other = await make()
    await other.set(true)
    await outcome(other.rig.clock, other.rig.device.stop(), 5_000)
    expect(other.rig.moves).toEqual(['dev.relay on'])
  })

  test('a guard cannot hold up the end of a pulse', async () => {
    const { rig } = await make()
    let may = true
    const relay = rig.device.points!.outputs.get('relay')!
    const work = relay.pulse(500, { deadline: rig.clock.mono() + 1_000, guard: () => may })
    await rig.clock.advance(10)
    await work
    may = false
    await rig.clock.advance(1_000)
    expect(rig.moves).toEqual(['dev.relay on', 'dev.relay off'])
  })
})
