/** The wall clock jumps; trucks and arms keep their own time. */
import { afterEach, describe, expect, it } from 'vitest'
import type { Clock } from '../../gateway/kernel/clock.ts'
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts'
import { openInside } from '../harness/chaos-inside.ts'
import { until } from '../harness/chaos-site.ts'
import { rng } from '../sim/random.ts'
import { makeArrival } from '../sim/traffic.ts'
import { HABITS } from '../sim/truck.ts'

const cleanups: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

const MINUTE = 60_000
const LANE = { id: 'a', direction: 'import' as const, takes: ['loaded'], scale: false }

/** A virtual clock whose wall clock somebody sets. */
function jumping(pace: number): { clock: Clock; run: VirtualClock; jump: (ms: number) => void } {
  const run = new VirtualClock({ pace })
  let offset = 0
  const clock: Clock = {
    now: () => run.now() + offset,
    mono: () => run.mono(),
    after: (ms, fn) => run.after(ms, fn),
    track: (work) => run.track(work),
  }
  return { clock, run, jump: (ms) => (offset += ms) }
}

async function gate() {
  const j = jumping(20)
  j.run.start()
  cleanups.push(() => j.run.stop())
  // The world keeps the true time: only the gateway's clock is wrong.
  const site = await openInside({ lanes: ['a'], clock: j.run, gateway: { clock: j.clock }, world: { traffic: false } })
  cleanups.push(() => site.stop())
  await until('the lane is idle', () => site.gateway.lane('a')?.state.phase === 'idle')
  let no = 0
  const send = async () => {
    await until('the broker is there', () => site.messages.up)
    const arrival = makeArrival(++no, LANE, j.run.now(), rng(no, 'clock'), { trouble: 0 }, HABITS.brisk)
    await site.messages.publish(`luong/v1/chaos/declaration/${arrival.declaration!.id}`, JSON.stringify(arrival.declaration), {
      qos: 1,
      retain: true,
    })
    await until('it is declared', () => site.gateway.declarations.size === no)
    return site.world.send('a', arrival)
  }
  const idle = () =>
    until('the lane is idle again', () => site.gateway.lane('a')!.state.phase === 'idle' && site.gateway.lane('a')!.passage === null)
  return { ...j, site, send, idle }
}

describe('the wall clock jumps', () => {
  it.each([
    ['back 10 minutes', -10 * MINUTE],
    ['forward a quarter of an hour', 15 * MINUTE],
  ])('%s while the arm is open: the truck passes as ever, and events keep their order', async (_, by) => {
    const { site, send, idle, jump, run } = await gate()
    const truck = await send()
    await until('the arm is open', () => site.gateway.lane('a')!.state.phase === 'passing')
    const before = run.mono()
    jump(by)
    await until('it has passed', () => truck.outcome === 'passed')
    await idle()
    expect(run.mono() - before).toBeLessThan(MINUTE)
    const second = await send()
    await until('the next one too', () => second.outcome === 'passed')
    await idle()
    const events = await site.gateway.journal.events(0, 1_000)
    expect(events.map((e) => e.sequence)).toEqual(events.map((_e, i) => i + 1))
    expect(events.filter((e) => e.type === 'luong.passage.cleared.v1')).toHaveLength(2)
    // The step itself is in the journal, before what is stamped anew; the clock was not known to be wrong, so nothing is stamped again.
    const set = events.filter((e) => e.type === 'luong.clock.set.v1').map((e) => (JSON.parse(e.json) as { data: object }).data)
    // Measured between two clocks that are read one after the other: to a few milliseconds.
    expect(set).toEqual([expect.objectContaining({ by_ms: expect.closeTo(by, -1), restamp: false })])
    const [first] = events.filter((e) => e.type === 'luong.passage.cleared.v1')
    const { times } = (JSON.parse(first!.json) as { data: { times: { duration_ms: number } } }).data
    // By the monotonic clock: neither negative nor a quarter of an hour.
    expect(times.duration_ms).toBeGreaterThan(1_000)
    expect(times.duration_ms).toBeLessThan(2 * MINUTE)
    expect(site.world.truth.disasters).toEqual([])
  })

  it('forward a day: the declaration has run out, and the officer is told so', async () => {
    const { site, send, jump } = await gate()
    jump(24 * 60 * MINUTE)
    await send()
    await until('the lane has decided', () => site.gateway.lane('a')!.passage?.decision)
    const { decision } = site.gateway.lane('a')!.passage!
    expect(decision).toMatchObject({ outcome: 'refer', rule: 'declaration-not-in-date' })
    expect(decision!.reasons[0]!.en).toMatch(/expired or not yet valid/)
  })

  it('back a day and forward again over a restart: sequences go on, the chain verifies, no id comes twice', async () => {
    const { site, send, idle, jump } = await gate()
    const first = await send()
    await until('it has passed', () => first.outcome === 'passed')
    await idle()
    await site.stopGateway()
    jump(-24 * 60 * MINUTE)
    await site.startGateway()
    jump(24 * 60 * MINUTE)
    const second = await send()
    await until('the next has passed', () => second.outcome === 'passed')
    const events = await site.gateway.journal.events(0, 1_000)
    expect(events.map((e) => e.sequence)).toEqual(events.map((_e, i) => i + 1))
    expect(new Set(events.filter((e) => e.type === 'luong.passage.arrived.v1').map((e) => e.passage)).size).toBe(2)
  })
})
