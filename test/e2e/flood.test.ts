/** Too much of everything: the lanes next door must not suffer from it, and memory must not grow with it. */
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts'
import { type Inside, openInside } from '../harness/chaos-inside.ts'
import { until } from '../harness/chaos-site.ts'
import { rng } from '../sim/random.ts'
import { makeArrival } from '../sim/traffic.ts'

const cleanups: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})
const mb = (bytes: number) => Math.round(bytes / 1e6)
const passed = (site: Inside, lanes: readonly string[]) =>
  site.world.truth.vehicles.filter((v) => lanes.includes(v.lane) && v.outcome === 'passed').length

describe('floods', () => {
  it('100 pictures of 1 MB a second from one camera while trucks pass on the other lanes', async () => {
    const clock = new VirtualClock({ pace: 4 })
    clock.start()
    cleanups.push(() => clock.stop())
    const site = await openInside({ lanes: ['a', 'b', 'c'], clock, world: { traffic: { every_s: 12, trouble: 0 }, officer: {} } })
    cleanups.push(() => site.stop())
    await until('trucks pass', () => passed(site, ['b', 'c']) >= 2, 120_000)
    const [before, count] = [process.memoryUsage().rss, passed(site, ['b', 'c'])]
    const flooder = spawn(process.execPath, [resolve('dist/test/harness/flooder.js'), site.brokerUrl, 'camera/a/front', '1000000', '100'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    cleanups.push(() => flooder.kill('SIGKILL'))
    let result = ''
    flooder.stdout.on('data', (d: Buffer) => {
      result += d
    })
    let most = 0
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss)
    }, 100)
    cleanups.push(() => clearInterval(watch))
    await until('four more trucks pass beside the flood', () => passed(site, ['b', 'c']) >= count + 4, 150_000)
    flooder.kill('SIGTERM')
    await until('the flood says how much it was', () => result !== '', 30_000)
    const { taken } = JSON.parse(result) as { taken: number }
    const seen = await site.metric(/device_events_total\{.*device="front-a".*event="frames"/)
    expect(taken).toBeGreaterThan(200)
    expect(seen).toBeGreaterThan(100)
    const report = (await (await fetch(`http://127.0.0.1:${site.gateway.httpPort}/health`)).json()) as { event_loop_delay_ms: object }
    process.stdout.write(
      `flood: ${taken} pictures of 1 MB taken, ${seen} seen; rss ${mb(before)} → at most ${mb(most)} MB; event loop ${JSON.stringify(report.event_loop_delay_ms)}\n`,
    )
    expect(site.world.truth.disasters).toEqual([])
    // Nobody next door was referred for want of pictures or sensors.
    const events = await site.gateway.journal.events(0, 10_000)
    const hurt = events.filter((e) => e.lane !== 'a' && (e.type === 'luong.lane.fault.v1' || e.type === 'luong.passage.referred.v1'))
    expect(hurt.map((e) => e.json)).toEqual([])
    expect(most - before).toBeLessThan(500e6)
  })

  it('5,000 declarations in one burst: all are known, a truck passes meanwhile, nothing is lost at a restart', async () => {
    const site = await openInside({ lanes: ['a'], world: { traffic: { every_s: 10, trouble: 0 } } })
    cleanups.push(() => site.stop())
    const lane = { id: 'a', direction: 'import' as const, takes: ['loaded'], scale: false }
    await until('a truck has come', () => site.world.truth.counts.arrived > 0, 60_000)
    const r = rng('burst')
    const before = process.memoryUsage().rss
    const began = performance.now()
    const all = Array.from({ length: 5_000 }, (_, i) => ({
      ...makeArrival(i, lane, Date.now(), r, { trouble: 0 }).declaration!,
      id: `B-${i}`,
    }))
    const waves = Array.from({ length: 100 }, (_, i) => all.slice(i * 50, i * 50 + 50))
    for (const wave of waves)
      await Promise.all(
        wave.map((d) => site.messages.publish(`luong/v1/chaos/declaration/${d.id}`, JSON.stringify(d), { qos: 1, retain: true })),
      )
    const kept = async () => (await site.gateway.journal.documents('declarations')).filter((d) => d.key.startsWith('B-')).length
    await until('all are stored', async () => (await kept()) === 5_000, 90_000)
    const ms = performance.now() - began
    await until('a truck passes', () => passed(site, ['a']) > 0, 90_000)
    process.stdout.write(`burst: 5,000 declarations in ${Math.round(ms)} ms, rss ${mb(before)} → ${mb(process.memoryUsage().rss)} MB\n`)
    await site.stopGateway()
    await site.startGateway()
    expect(site.gateway.declarations.size).toBeGreaterThanOrEqual(5_000)
  })
})
