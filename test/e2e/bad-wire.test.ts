/** Lines that lie, break and come back while trucks pass: the arm never comes down on anybody, and every truck is accounted for. */
import { afterEach, describe, expect, it } from 'vitest'
import type { SimFault } from '../../firmware-bridge/sim.ts'
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts'
import { type Inside, openInside } from '../harness/chaos-inside.ts'
import { type RelayWrite, relayWrites } from '../harness/chaos-process.ts'
import { until } from '../harness/chaos-site.ts'
import { rng } from '../sim/random.ts'
import { makeArrival } from '../sim/traffic.ts'
import { HABITS, type Habit } from '../sim/truck.ts'

const cleanups: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})
const LANE = { id: 'a', direction: 'import' as const, takes: ['loaded'], scale: false }

async function running(lanes: readonly string[], world: Parameters<typeof openInside>[0]['world'], pace = 30) {
  const clock = new VirtualClock({ pace })
  clock.start()
  cleanups.push(() => clock.stop())
  const site = await openInside({ lanes, clock, ...(world ? { world } : {}) })
  cleanups.push(() => site.stop())
  const writes: RelayWrite[] = []
  relayWrites(site.line.device, (w) => writes.push({ ...w, at: clock.mono() }))
  return { clock, site, writes }
}

async function seconds(clock: VirtualClock, n: number): Promise<void> {
  const end = clock.mono() + n * 1000
  await until(`${n} simulated seconds`, () => clock.mono() >= end, 120_000)
}

async function accounted(site: Inside): Promise<Record<string, number>> {
  const events = await site.gateway.journal.events(0, 10_000)
  expect(events.map((e) => e.sequence)).toEqual(events.map((_, i) => i + 1))
  const counts: Record<string, number> = {}
  for (const e of events) counts[e.type] = (counts[e.type] ?? 0) + 1
  const open = (await site.gateway.journal.unfinished()).map((p) => p.lane)
  const ended = ['cleared', 'aborted', 'refused', 'redirected'].reduce((n, t) => n + (counts[`luong.passage.${t}.v1`] ?? 0), 0)
  expect(counts['luong.passage.arrived.v1'] ?? 0).toBe(ended + open.length)
  expect(new Set(open).size).toBe(open.length)
  return counts
}

describe('a bus in trouble under traffic', () => {
  it('garbage, halves, wrong checksums, late answers, exceptions, silence and a foreign unit', async () => {
    const { clock, site } = await running(['a', 'b'], { traffic: { every_s: 14, trouble: 0.05 }, officer: {} })
    await seconds(clock, 60)
    const board = site.world.devices.get('io-a')
    const words: Partial<Record<SimFault, RegExp>> = {
      garbage: /io-a.*bytes of another unit or function/,
      'bad-crc': /io-a.*(checksum|CRC|valid frame)/i,
      half: /io-a.*(incomplete|half|did not answer|valid)/i,
      late: /io-a.*did not answer/,
      exception: /io-a.*(exception|refused|failure)/i,
      silent: /io-a.*did not answer/,
    }
    for (const fault of ['garbage', 'bad-crc', 'half', 'late', 'exception', 'silent'] as const) {
      const from = site.log.lines.length
      board.fault!(fault)
      await seconds(clock, 15)
      board.fault!('none')
      await seconds(clock, 30)
      const told = site.log.lines.slice(from).map((l) => `${l.message} ${JSON.stringify(l.about)}`)
      expect(told.filter((l) => words[fault]!.test(l)).length, `${fault}: ${told.slice(0, 10).join('\n')}`).toBeGreaterThan(0)
    }
    // A second master, or a board with the address of another: valid frames nobody asked for, and noise in between.
    for (let i = 0; i < 200; i++) {
      site.line.device.send(Uint8Array.from([7, 2, 1, 0xff, 0x61, 0x8c]))
      site.line.device.send(Uint8Array.from({ length: 1 + (i % 9) }, (_, n) => (i * 31 + n * 17) & 0xff))
      await seconds(clock, 0.1)
    }
    await seconds(clock, 60)
    const counts = await accounted(site)
    expect(site.world.truth.disasters).toEqual([])
    const cleared = (await site.gateway.journal.events(0, 10_000)).filter((e) => e.type === 'luong.passage.cleared.v1')
    // Whoever was cleared has driven through, but for those whose event says that no sensor proves it.
    const sure = cleared.filter((e) => !e.json.includes('no sensor proves'))
    expect(sure.length).toBeGreaterThan(10)
    expect(sure.length).toBeLessThanOrEqual(site.world.truth.vehicles.filter((v) => v.throughAt !== null).length)
    expect(counts['luong.alarm.raised.v1'] ?? 0).toBeGreaterThan(0)
    process.stdout.write(`wire: ${JSON.stringify(counts)} trucks ${JSON.stringify(site.world.truth.counts)}\n`)
  })

  it.each([0, 1, 2, 3, 4, 5, 6, 7])('the device server vanishes in mid-passage and comes back (%i)', async (n) => {
    const { clock, site, writes } = await running(['a'], { traffic: false })
    const { world, line } = site
    await until('the lane is idle', () => site.gateway.lane('a')!.state.phase === 'idle')
    const halt: Habit = { ...HABITS.brisk, stops: [{ at: 5.2, for_s: 30 }] }
    const arrival = makeArrival(1, LANE, clock.now(), rng(n), { trouble: 0 }, halt)
    await until('the broker is there', () => site.messages.up)
    await site.messages.publish(`luong/v1/chaos/declaration/${arrival.declaration!.id}`, JSON.stringify(arrival.declaration), {
      qos: 1,
      retain: true,
    })
    await until('it is declared', () => site.gateway.declarations.size === 1)
    const truck = world.send('a', arrival)
    // From before it arrives to after it has gone.
    const moment = [
      () => truck.stoppedAt !== null,
      () => site.gateway.lane('a')!.state.phase === 'identifying',
      () => site.gateway.lane('a')!.state.phase === 'opening',
      () => world.devices.get('arm-a').arm!.opening > 0.3,
      () => site.gateway.lane('a')!.state.phase === 'passing',
      () => truck.enteredAt !== null,
      () => truck.throughAt !== null,
      () => site.gateway.lane('a')!.state.phase === 'closing',
    ][n]!
    await until(`moment ${n}`, moment)
    const before = writes.length
    line.cut('the device server is off')
    await until('it is known to be gone', () => site.gateway.lane('a')!.state.sensors.presence === null)
    await seconds(clock, 45)
    expect(writes.length).toBe(before)
    expect((await site.health()).problems.join('\n')).toMatch(/device io-a is down: .*the device server is off/)
    expect(site.gateway.lane('a')!.alarms).toContain('sensor-unknown')
    line.restore()
    const officer = async () => {
      const { phase } = site.gateway.lane('a')!.state
      const what = phase === 'fault' ? 'close' : phase === 'waiting' ? 'open' : null
      if (what)
        await site.messages.publish(
          'luong/v1/chaos/command',
          JSON.stringify({
            id: `d-${writes.length}-${Math.round(clock.mono())}`,
            lane: 'a',
            do: what,
            by: 'desk',
            reason: 'test',
            expires: new Date(clock.now() + 60_000).toISOString(),
          }),
          { qos: 1, retain: false },
        )
      await seconds(clock, 3)
      return site.gateway.lane('a')!.state.phase === 'idle' && world.lanes.get('a')!.vehicles.length === 0
    }
    await until('the truck is through and the lane idle', officer, 60_000)
    expect(world.truth.disasters).toEqual([])
    await accounted(site)
  })
})
