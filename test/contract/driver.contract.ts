/** What every driver owes, checked against its own simulator. Use: `describeDriver('barrier', { make: () => makeRig({…}) })`. */
import { afterEach, describe, expect, it } from 'vitest'
import type { CommandOptions, Device } from '../../firmware-bridge/driver.ts'
import type { SimFault } from '../../firmware-bridge/sim.ts'
import { LuongError } from '../../gateway/kernel/errors.ts'
import { outcome, type Rig } from './rig.ts'

export interface DriverContract {
  readonly make: () => Promise<Rig>
  /** A command that moves something, while the device is in a state in which it may; absent for what only reports. */
  readonly command?: (device: Device, options: CommandOptions) => Promise<void>
  /** Whether the driver claims to know anything about the outside; default: inputs, position, weight, tags, codes. */
  readonly knows?: (device: Device) => boolean
  /** The device never says anything by itself and cannot be asked, so its silence cannot be noticed (a camera). */
  readonly mute?: boolean
  /** Which simulated device to make silent, late, noisy; default: the subject, else the first that can. */
  readonly faulty?: string
  /** What the world does so that the device has something to say. */
  readonly prepare?: (rig: Rig) => void | Promise<void>
}

const FAULTS: readonly SimFault[] = ['silent', 'late', 'garbage', 'bad-crc', 'exception', 'half']

function knowsByDefault(device: Device): boolean {
  const inputs = [...(device.points?.inputs.values() ?? [])].some((input) => input.read().value !== null)
  const position = device.barrier !== undefined && device.barrier.position() !== 'unknown'
  const weight = device.scale !== undefined && device.scale.read() !== null
  const seen = [device.tag, device.code].some((reader) => reader !== undefined && reader.present().length > 0)
  return inputs || position || weight || seen
}

/** Declares the suite. */
export function describeDriver(name: string, contract: DriverContract): void {
  const knows = contract.knows ?? knowsByDefault
  const reports = (device: Device) => device.points?.inputs.size || device.barrier || device.scale || device.tag

  describe(`driver contract: ${name}`, () => {
    const rigs: Rig[] = []
    const setUp = async () => {
      const rig = await contract.make()
      rigs.push(rig)
      return rig
    }
    const begin = async (ms?: number) => {
      const rig = await setUp()
      await rig.begin(ms)
      await contract.prepare?.(rig)
      await rig.clock.advance(1_000)
      return rig
    }
    const command = (rig: Rig, ms: number, guard?: () => boolean) =>
      contract.command!(rig.device, { deadline: rig.clock.mono() + ms, ...(guard ? { guard } : {}) })
    afterEach(async () => {
      for (const rig of rigs.splice(0)) await rig.end()
    })

    it('does nothing in its constructor', async () => {
      const rig = await setUp()
      await rig.clock.advance(2_000)
      expect(rig.sent).toEqual([])
      expect(knows(rig.device)).toBe(false)
      expect(rig.device.health().state).not.toBe('ok')
    })

    it('moves nothing by starting, running, stopping and starting again', async () => {
      const rig = await begin(5_000)
      await outcome(rig.clock, rig.device.stop(), 20_000)
      rig.device.start()
      await rig.clock.advance(5_000)
      expect(rig.moves).toEqual([])
    })

    it('is ok while its device is there, and says why when it is not', async () => {
      const rig = await begin()
      expect(rig.device.health()).toMatchObject({ state: 'ok' })
      rig.plugged(false)
      await rig.clock.advance(2_000)
      const { state, why } = rig.device.health()
      expect(['down', 'degraded']).toContain(state)
      expect(why).toBeTruthy()
      rig.plugged(true)
      await contract.prepare?.(rig)
      await rig.clock.advance(10_000)
      expect(rig.device.health().state).toBe('ok')
    })

    it('tells its listeners about health, and no longer after they left', async () => {
      const rig = await begin()
      const heard: string[] = []
      const off = rig.device.onHealth((h) => heard.push(h.state))
      rig.plugged(false)
      await rig.clock.advance(2_000)
      expect(heard.length).toBeGreaterThan(0)
      expect(heard.at(-1)).toBe(rig.device.health().state)
      off()
      const before = heard.length
      rig.plugged(true)
      await rig.clock.advance(10_000)
      expect(heard.length).toBe(before)
    })

    it('knows nothing before the first answer, nor after link loss', async () => {
      const rig = await setUp()
      expect(knows(rig.device)).toBe(false)
      rig.plugged(false)
      await rig.begin(3_000)
      expect(knows(rig.device)).toBe(false)
      rig.plugged(true)
      await contract.prepare?.(rig)
      await rig.clock.advance(5_000)
      if (!reports(rig.device)) return
      expect(knows(rig.device)).toBe(true)
      rig.plugged(false)
      await rig.clock.advance(100)
      expect(knows(rig.device)).toBe(false)
    })

    it('knows nothing after the device has fallen silent, and says so', async () => {
      const rig = await begin()
      const faulty = pickFaulty(rig, contract.faulty)
      if (contract.mute || !faulty) return
      faulty.fault?.('silent')
      await rig.clock.advance(60_000)
      expect(knows(rig.device)).toBe(false)
      const { state, why } = rig.device.health()
      expect(['down', 'degraded']).toContain(state)
      expect(why).toBeTruthy()
      faulty.fault?.('none')
      await contract.prepare?.(rig)
      await rig.clock.advance(15_000)
      expect(rig.device.health().state).toBe('ok')
    })

    it.each(FAULTS)('comes through a device that is %s', async (kind) => {
      const rig = await begin()
      const faulty = pickFaulty(rig, contract.faulty)
      faulty?.fault?.(kind)
      const work = contract.command ? command(rig, 1_000).catch((e) => e) : Promise.resolve()
      await rig.clock.advance(20_000)
      await outcome(rig.clock, work, 5_000)
      faulty?.fault?.('none')
      await contract.prepare?.(rig)
      await rig.clock.advance(15_000)
      expect(rig.device.health().state).toBe('ok')
    })

    it('lives through noise on the line', async () => {
      const rig = await begin()
      let seed = 7
      for (let i = 0; i < 200; i++) {
        const bytes = Uint8Array.from({ length: 1 + (i % 40) }, () => {
          seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff
          return seed >> 16
        })
        rig.noise(bytes)
        await rig.clock.advance(7)
      }
      expect(rig.moves).toEqual([])
      await contract.prepare?.(rig)
      await rig.clock.advance(15_000)
      expect(rig.device.health().state).toBe('ok')
    })

    it('stops within its time when the link is down, twice, and sends nothing afterwards', async () => {
      const rig = await begin()
      rig.plugged(false)
      await rig.clock.advance(500)
      await outcome(rig.clock, rig.device.stop(), 10_000)
      await outcome(rig.clock, rig.device.stop(), 10_000)
      rig.plugged(true)
      await rig.clock.advance(100)
      expect(knows(rig.device)).toBe(false)
      expect(rig.moves).toEqual([])
    })

    it('starts again', async () => {
      const rig = await begin()
      await outcome(rig.clock, rig.device.stop(), 10_000)
      await rig.clock.advance(1_000)
      expect(knows(rig.device)).toBe(false)
      rig.device.start()
      await contract.prepare?.(rig)
      await rig.clock.advance(5_000)
      expect(rig.device.health().state).toBe('ok')
      if (reports(rig.device)) expect(knows(rig.device)).toBe(true)
    })

    if (!contract.command) return

    it('carries out a command', async () => {
      const rig = await begin()
      expect(await outcome(rig.clock, command(rig, 2_000), 5_000)).toBe('ok')
      await rig.clock.advance(100)
      expect(rig.moves.length).toBeGreaterThan(0)
    })

    it('does not send a command past its deadline', async () => {
      const rig = await begin()
      for (const ms of [0, -1, -10_000]) {
        const error = await outcome(rig.clock, command(rig, ms), 5_000)
        expect(error).toBeInstanceOf(LuongError)
        expect((error as LuongError).code).toBe('COMMAND_EXPIRED')
      }
      await rig.clock.advance(5_000)
      expect(rig.moves).toEqual([])
    })

    it('does not send a command whose guard says no', async () => {
      const rig = await begin()
      const error = await outcome(
        rig.clock,
        command(rig, 2_000, () => false),
        5_000,
      )
      expect(error).toBeInstanceOf(LuongError)
      expect((error as LuongError).code).toBe('DEVICE_REFUSED')
      await rig.clock.advance(5_000)
      expect(rig.moves).toEqual([])
    })

    it('refuses a command while the link is down and does not send it later', async () => {
      const rig = await begin()
      rig.plugged(false)
      await rig.clock.advance(100)
      const error = await outcome(rig.clock, command(rig, 2_000), 10_000)
      expect(error).toBeInstanceOf(LuongError)
      expect(['LINK_DOWN', 'COMMAND_EXPIRED']).toContain((error as LuongError).code)
      rig.plugged(true)
      await rig.clock.advance(10_000)
      expect(rig.moves).toEqual([])
    })

    it('settles a command that is never answered', async () => {
      const rig = await begin()
      pickFaulty(rig, contract.faulty)?.fault?.('silent')
      const error = await outcome(rig.clock, command(rig, 1_000), 20_000)
      expect(error).toBeInstanceOf(LuongError)
      expect(['DEVICE_TIMEOUT', 'COMMAND_EXPIRED', 'LINK_DOWN']).toContain((error as LuongError).code)
      expect(rig.moves).toEqual([])
    })

    it('settles a command that is under way when it stops, or when the link goes', async () => {
      for (const end of [(rig: Rig) => void rig.device.stop(), (rig: Rig) => rig.plugged(false)]) {
        const rig = await begin()
        pickFaulty(rig, contract.faulty)?.fault?.('silent')
        const work = command(rig, 1_000)
        work.catch(() => {})
        end(rig)
        expect(await outcome(rig.clock, work, 20_000)).toBeInstanceOf(LuongError)
      }
    })
  })
}

function pickFaulty(rig: Rig, id: string | undefined) {
  if (id !== undefined) return rig.sims.get(id)
  if (rig.sim.fault) return rig.sim
  return [...rig.sims.all.values()].find((sim) => sim.fault)
}
