/** The central broker is away, or there and deaf, while the gate is busy. Nothing may be lost, and nobody here may feel it. */
import { createServer, connect as netConnect, type Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, describe, expect, it } from 'vitest'
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts'
import { openInside } from '../harness/chaos-inside.ts'
import { Collector } from '../harness/chaos-process.ts'
import { until } from '../harness/chaos-site.ts'
import { type Mosquitto, startMosquitto } from '../harness/mosquitto.ts'

const LANES = ['a', 'b', 'c']
const BASE = 'luong/v1/chaos'
const PACE = 60

const cleanups: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

const mb = (n: number) => Math.round(n / 1e5) / 10
/** What is still in use, not what the collector has not come to yet. */
setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void
function memory(): { rss: number; heap: number } {
  gc()
  const { rss, heapUsed } = process.memoryUsage()
  return { rss: mb(rss), heap: mb(heapUsed) }
}

/** Sequences per lane in the order in which they came for the first time. */
function inOrder(c: Collector): boolean {
  const last = new Map<string, number>()
  for (const { lane, sequence } of c.order) {
    if ((last.get(lane) ?? 0) > sequence) return false
    last.set(lane, sequence)
  }
  return true
}

async function busySite(uplink: Mosquitto, uplinkUrl = uplink.url) {
  const clock = new VirtualClock({ pace: PACE })
  clock.start()
  cleanups.push(() => clock.stop())
  const [local, central] = [new Collector(), new Collector()]
  await central.start(uplink.url, BASE)
  const site = await openInside({
    lanes: LANES,
    clock,
    gateway: { uplinkUrl },
    world: { traffic: { every_s: 15 }, officer: {} },
  })
  cleanups.push(() => site.stop())
  await local.start(site.brokerUrl, BASE)
  cleanups.push(() => Promise.all([local.stop(), central.stop()]))
  return { clock, site, local, central }
}

/** Waits for simulated minutes. */
async function minutes(clock: VirtualClock, n: number): Promise<void> {
  const end = clock.mono() + n * 60_000
  await until(`${n} simulated minutes`, () => clock.mono() >= end, 120_000)
}

async function everythingArrives({ site, local, central, clock }: Awaited<ReturnType<typeof busySite>>): Promise<number> {
  clock.pace = 1
  const head = site.gateway.journal.head().sequence
  const complete = () => central.last >= head && central.gaps().length === 0
  await until('the centre has all events', complete).catch(async (error: Error) => {
    const health = await (await fetch(`http://127.0.0.1:${site.gateway.httpPort}/health`)).text()
    throw new Error(
      `${error.message}: it has ${central.events.size} of ${head}, missing ${central.gaps().slice(0, 10)}; ${health.replace(/\s+/g, ' ')}; ${JSON.stringify(site.log.lines.filter((l) => JSON.stringify(l).includes('uplink')).slice(-8))}`,
    )
  })
  await until('the local broker has them too', () => local.last >= head)
  expect(central.gaps()).toEqual([])
  expect(central.complaints).toEqual([])
  expect(inOrder(central)).toBe(true)
  for (const [sequence, event] of central.events) if (local.events.has(sequence)) expect(local.events.get(sequence)!.text).toBe(event.text)
  return head
}

describe('uplink', () => {
  it('broker gone for ten simulated minutes of busy traffic: every event arrives, in order per lane', async () => {
    const broker = await startMosquitto({
      config: ['allow_anonymous true', 'persistence true', 'persistence_location DIR/', 'autosave_interval 1'],
    })
    cleanups.push(() => broker.stop())
    const s = await busySite(broker)
    await minutes(s.clock, 2)
    await broker.kill('SIGTERM')
    const before = { ...memory(), head: s.site.gateway.journal.head().sequence, local: s.local.events.size }
    await minutes(s.clock, 10)
    const after = { ...memory(), head: s.site.gateway.journal.head().sequence, local: s.local.events.size }
    expect(after.head - before.head).toBeGreaterThan(100)
    // Here nobody noticed: the local broker has everything but the last moments.
    await until('the local broker is up to date', () => s.local.last >= after.head)
    expect(s.local.gaps().filter((n) => n > 50)).toEqual([])
    expect(s.central.last).toBeLessThanOrEqual(before.head + 1)
    expect(s.site.log.find(/uplink.*refused; is the broker running|broker (lost|not reached)/)).toBeDefined()
    await broker.restart()
    const head = await everythingArrives(s)
    expect(s.site.world.truth.disasters).toEqual([])
    process.stdout.write(
      `outage: ${head} events, ${after.head - before.head} of them while the broker was away; rss ${before.rss} → ${after.rss} MB, heap ${before.heap} → ${after.heap} MB; ` +
        `duplicates at the centre ${s.central.duplicates}; trucks ${JSON.stringify(s.site.world.truth.counts)}\n`,
    )
    expect(after.heap - before.heap).toBeLessThan(40)
  })

  it('half-open: the line takes everything and answers nothing', async () => {
    const broker = await startMosquitto()
    cleanups.push(() => broker.stop())
    let swallow = false
    const sockets = new Set<Socket>()
    const proxy = createServer((socket) => {
      const far = netConnect(broker.port, '127.0.0.1')
      for (const [from, to] of [
        [socket, far],
        [far, socket],
      ] as const) {
        sockets.add(from)
        from.on('data', (d) => {
          if (!swallow) to.write(d)
        })
        from.on('error', () => {})
        from.on('close', () => {
          sockets.delete(from)
          if (!swallow) to.destroy()
        })
      }
    })
    await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done))
    cleanups.push(() => {
      for (const one of sockets) one.destroy()
      return new Promise((done) => proxy.close(done))
    })
    const s = await busySite(broker, `mqtt://127.0.0.1:${(proxy.address() as { port: number }).port}`)
    await minutes(s.clock, 1)
    await until('events reach the centre', () => s.central.last > 0)
    swallow = true
    const at = s.central.last
    await minutes(s.clock, 2)
    expect(s.local.last).toBeGreaterThan(at + 20)
    // Found dead by itself: a publish without its acknowledgement, or a ping without its answer.
    await until('the dead link is given up', () => s.site.log.find(/uplink.*(acknowledg|Keepalive|keepalive|answer)/i), 60_000)
    swallow = false
    const head = await everythingArrives(s)
    expect(head).toBeGreaterThan(at)
  })
})
