import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { buildDevices } from '../../../../firmware-bridge/build.ts'
import { buildSim } from '../../../../firmware-bridge/build-sim.ts'
import { pulseRequest, setRequest } from '../../../../firmware-bridge/drivers/modbus-io/codec.ts'
import { PROFILES, type ProfileName, profileNames } from '../../../../firmware-bridge/drivers/modbus-io/profiles.ts'
import { encodeRequest, rtuFrame } from '../../../../firmware-bridge/modbus/codec.ts'
import type { Links } from '../../../../firmware-bridge/plan.ts'
import { probeDevice } from '../../../../firmware-bridge/probe.ts'
import { openSimLines } from '../../../../firmware-bridge/transport/sim-line.ts'
import { systemClock } from '../../../../gateway/kernel/clock.ts'
import { silentLog } from '../../../../gateway/kernel/log.ts'
import { makeRig, outcome, parseDevices, type Rig } from '../../../contract/rig.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

async function board(profile: ProfileName, more: object = {}, others: Record<string, { driver: string }> = {}): Promise<Rig> {
  const rig = await makeRig({
    links: { bus: 'bytes' },
    devices: { 'io-1': { driver: 'modbus-io', link: 'bus', profile, ...more }, ...others },
    subject: 'io-1',
  })
  cleanups.push(() => rig.end())
  return rig
}
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const soon = (rig: Rig) => ({ deadline: rig.clock.mono() + 2_000 })
const input = (rig: Rig, name: string) => rig.device.points!.inputs.get(name)!
const output = (rig: Rig, name: string) => rig.device.points!.outputs.get(name)!

describe('profiles', () => {
  it.each<[ProfileName, number, number, string]>([
    ['waveshare-relay-d', 0, 700, '0105020000078db0'],
    ['waveshare-relay-d', 0, 1_000, '01050200000a4c75'],
    ['lc-tech-8-mode4', 0, 1_000, 'ff1000030002040004000a4597'],
    ['r4d8', 0, 10_000, '01060001060a5bad'],
  ])('%s: output %i for %i ms', (name, index, ms, frame) => {
    const profile = PROFILES[name]
    expect(hex(rtuFrame(profile.unit, encodeRequest(pulseRequest(profile, index, ms)!.request)))).toBe(frame)
  })

  it.each<[ProfileName, boolean, string]>([
    ['waveshare-relay', true, '01050000ff008c3a'],
    ['waveshare-relay', false, '010500000000cdca'],
    ['lc-tech-8', true, 'ff050000ff0099e4'],
    ['r4d8', true, '010600010100d99a'],
    ['r4d8', false, '010600010200d96a'],
    ['stc-kc', true, '0105000101009d9a'],
  ])('%s: output 1 to %s', (name, on, frame) => {
    expect(hex(rtuFrame(PROFILES[name].unit, encodeRequest(setRequest(PROFILES[name], 0, on))))).toBe(frame)
  })

  it.each(profileNames)('%s: inputs, switching and pulsing work against its simulator', async (profile) => {
    const rig = await board(profile)
    await rig.begin(500)
    expect(rig.device.health().state).toBe('ok')
    for (const name of rig.device.points!.inputs.keys()) {
      rig.sim.terminals!.setInput(name, true)
      await rig.clock.advance(100)
      expect(input(rig, name).read().value).toBe(true)
    }
    for (const [name, point] of rig.device.points!.outputs) {
      expect(await outcome(rig.clock, point.set(true, soon(rig)), 1_000)).toBe('ok')
      expect(rig.sim.terminals!.output(name)).toBe(true)
      expect(await outcome(rig.clock, point.set(false, soon(rig)), 1_000)).toBe('ok')
      expect(rig.sim.terminals!.output(name)).toBe(false)
      expect(await outcome(rig.clock, point.pulse(1_000, soon(rig)), 1_000)).toBe('ok')
      expect(rig.sim.terminals!.output(name)).toBe(true)
      await rig.clock.advance(800)
      expect(rig.sim.terminals!.output(name)).toBe(true)
      await rig.clock.advance(400)
      expect(rig.sim.terminals!.output(name)).toBe(false)
    }
    await rig.clock.advance(3_000)
    expect(rig.device.health()).toMatchObject({ state: 'ok', counters: { disagreements: 0, timeouts: 0, crc_errors: 0 } })
  })
})

describe('inputs', () => {
  it('tell changes with the time at which the bytes came in, and turn round when inverted', async () => {
    const rig = await board('waveshare-relay-d', { invert: ['di2'] })
    const seen: unknown[] = []
    input(rig, 'di2').onChange((value) => seen.push(value))
    await rig.begin(300)
    rig.sim.terminals!.setInput('di2', true)
    await rig.clock.advance(100)
    rig.plugged(false)
    expect(seen).toEqual([true, false, null])
  })

  it('are unknown when not confirmed in time, although the link is up', async () => {
    const rig = await board('waveshare-relay-d', { stale_ms: 400 })
    await rig.begin(300)
    rig.sim.fault!('silent')
    await rig.clock.advance(300)
    expect(input(rig, 'di1').read().value).toBe(false)
    await rig.clock.advance(200)
    expect(input(rig, 'di1').read().value).toBe(null)
    await rig.clock.advance(2_000)
    expect(rig.device.health()).toMatchObject({ state: 'down', why: expect.stringContaining('io-1 (unit 1) did not answer within 200 ms') })
  })

  it('stay fresh while another board on the bus is dead', async () => {
    const rig = await board(
      'waveshare-relay-d',
      {},
      { dead: { driver: 'modbus-io', link: 'bus', profile: 'waveshare-relay-d', unit: 9 } as { driver: string } },
    )
    await rig.begin(0)
    rig.sims.get('dead').fault!('silent')
    await rig.clock.advance(1_000)
    let unknown = 0
    input(rig, 'di1').onChange((value) => value === null && unknown++)
    await rig.clock.advance(30_000)
    expect(input(rig, 'di1').read().value).toBe(false)
    expect(unknown).toBe(0)
    expect(rig.devices.get('dead').health().state).toBe('down')
  })
})

describe('outputs', () => {
  it('that were on are left on by starting', async () => {
    const rig = await board('waveshare-relay-d')
    await rig.begin(300)
    await outcome(rig.clock, output(rig, 'do3').set(true, soon(rig)), 1_000)
    await outcome(rig.clock, rig.device.stop(), 5_000)
    rig.device.start()
    await rig.clock.advance(3_000)
    expect(rig.sim.terminals!.output('do3')).toBe(true)
    expect(rig.moves).toEqual(['io-1.do3 on'])
    expect(rig.device.health().state).toBe('ok')
  })

  it('that something else switches are reported', async () => {
    const rig = await board('waveshare-relay-d')
    await rig.begin(300)
    await outcome(rig.clock, output(rig, 'do1').set(true, soon(rig)), 1_000)
    await rig.clock.advance(1_000)
    expect(rig.device.health().state).toBe('ok')
    // Another master on the wire.
    const foreign = rtuFrame(1, encodeRequest(setRequest(PROFILES['waveshare-relay-d'], 0, false)))
    rig.lines.get('bus')!.master.write(foreign)
    await rig.clock.advance(3_000)
    expect(rig.device.health()).toMatchObject({
      state: 'degraded',
      why: 'io-1.do1 is off although it was switched on; does something else switch it?',
    })
    await outcome(rig.clock, output(rig, 'do1').set(true, soon(rig)), 1_000)
    await rig.clock.advance(3_000)
    expect(rig.device.health().state).toBe('ok')
  })

  it('timed by the gateway go off when it stops in the middle of a pulse', async () => {
    const rig = await board('wellpro-8025')
    await rig.begin(300)
    await outcome(rig.clock, output(rig, 'do1').pulse(60_000, soon(rig)), 1_000)
    await rig.clock.advance(1_000)
    expect(rig.sim.terminals!.output('do1')).toBe(true)
    await outcome(rig.clock, rig.device.stop(), 5_000)
    expect(rig.sim.terminals!.output('do1')).toBe(false)
  })

  it('go off in the end although the board did not answer when the pulse was over', async () => {
    const rig = await board('wellpro-8025')
    await rig.begin(300)
    await outcome(rig.clock, output(rig, 'do1').pulse(500, soon(rig)), 1_000)
    rig.sim.fault!('silent')
    await rig.clock.advance(5_000)
    expect(rig.sim.terminals!.output('do1')).toBe(true)
    rig.sim.fault!('none')
    await rig.clock.advance(3_000)
    expect(rig.sim.terminals!.output('do1')).toBe(false)
  })

  it('a newer command ends what an older one still wanted', async () => {
    const rig = await board('wellpro-8025')
    await rig.begin(300)
    await outcome(rig.clock, output(rig, 'do1').pulse(500, soon(rig)), 1_000)
    await outcome(rig.clock, output(rig, 'do1').set(true, soon(rig)), 1_000)
    await rig.clock.advance(3_000)
    expect(rig.sim.terminals!.output('do1')).toBe(true)
  })

  it('refuse a pulse of impossible length', async () => {
    const rig = await board('waveshare-relay-d')
    await rig.begin(300)
    for (const ms of [0, -5, Number.NaN, 1e9]) {
      expect(await outcome(rig.clock, output(rig, 'do1').pulse(ms, soon(rig)), 1_000)).toMatchObject({ code: 'DEVICE_REFUSED' })
    }
    expect(rig.moves).toEqual([])
  })
})

describe('over a real PTY and a real socket', () => {
  it.each(['serial', 'tcp'] as const)('%s: reads, pulses, and is probed', async (kind) => {
    const dir = await mkdtemp(join(tmpdir(), 'luong-io-'))
    cleanups.push(() => rm(dir, { recursive: true, force: true }))
    const serial = { kind: 'serial', path: join(dir, 'tty'), baud: 115_200, parity: 'none', data_bits: 8, stop_bits: 1 } as const
    const listening: Links = { bus: kind === 'serial' ? serial : { kind: 'tcp', host: '127.0.0.1', port: 0 } }
    const lines = await openSimLines(listening, silentLog)
    cleanups.push(() => lines.stop())
    const port = Number(lines.where.get('bus')!.split(':')[1])
    const links: Links = kind === 'serial' ? listening : { bus: { kind: 'tcp', host: '127.0.0.1', port } }
    const devices = parseDevices({
      'io-1': { driver: 'modbus-io', link: 'bus', profile: 'waveshare-relay-d', stale_ms: 5_000, timeout_ms: 2_000 },
    })
    const common = { links, devices, clock: systemClock, log: silentLog }
    const sims = await buildSim({ ...common, lineFor: lines.lineFor })
    sims.start()
    cleanups.push(() => sims.stop())
    const gateway = await buildDevices(common)
    cleanups.push(() => gateway.stop())
    const terminals = sims.get('io-1').terminals!
    terminals.setInput('di4', true)
    gateway.start()
    const until = async (test: () => boolean) => {
      for (let i = 0; i < 1_500 && !test(); i++) await new Promise((resolve) => setTimeout(resolve, 10))
      expect(test()).toBe(true)
    }
    await until(() => gateway.input('io-1.di4').read().value === true)
    expect(gateway.input('io-1.di3').read().value).toBe(false)
    await gateway.output('io-1.do2').pulse(200, { deadline: systemClock.mono() + 10_000 })
    expect(terminals.output('do2')).toBe(true)
    await until(() => !terminals.output('do2'))
    await gateway.stop()
    const result = await probeDevice({ ...common, device: 'io-1' })
    expect(result.ok).toBe(true)
    const facts = Object.fromEntries(result.facts.map((f) => [f.what, f.value]))
    expect(facts).toMatchObject({ board: expect.stringContaining('Waveshare'), firmware: '2.00', 'relays on': 'none' })
    expect(facts.inputs).toContain('di4 on')
    expect(facts['reply time']).toMatch(/10 of 10 answered/)
  })
})
