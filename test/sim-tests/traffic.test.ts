import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { memoryBroker } from '../../firmware-bridge/transport/memory-broker.ts'
import { declaration } from '../../gateway/identity/declaration.ts'
import { silentLog } from '../../gateway/kernel/log.ts'
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts'
import { command } from '../../gateway/uplink/schema/down.ts'
import { MqttFeed } from '../sim/feed.ts'
import { OfficerSim } from '../sim/officer.ts'
import { exponential, rng, weighted } from '../sim/random.ts'
import { makeArrival, TROUBLES } from '../sim/traffic.ts'

const LANE = { id: 'l', direction: 'import', takes: ['loaded', 'empty', 'parcel'], scale: true } as const
const VN = /^\d{2}([A-HK-NPSTUVXYZ]\d{5}|RM\d{5})$/
const CN = /^[云桂][A-HJ-NP-Z]([A-HJ-NP-Z0-9]{5}|[A-HJ-NP-Z0-9]{4}挂|\d{5}D)$/u

describe('trucks', () => {
  test('are declared validly, carry plates that exist, and are as long and heavy as trucks are', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const a = makeArrival(3, LANE, Date.UTC(2026, 10, 21), rng(seed), { trouble: 0.5 })
        if (a.declaration) declaration.parse(a.declaration)
        else expect(a.trouble).toBe('no-declaration')
        for (const plate of [a.truck.front!, a.truck.rear!]) expect(plate.text).toMatch(plate.country === 'vn' ? VN : CN)
        expect(a.truck.length).toBeGreaterThanOrEqual(6)
        expect(a.truck.length).toBeLessThanOrEqual(18)
        expect(a.truck.weight_kg).toBeLessThan(60_000)
        expect(a.truck.metal.at(-1)![1]).toBe(a.truck.length)
      }),
      { numRuns: 500 },
    )
  })

  test('what is wrong with one is really wrong', () => {
    const seen = new Set<string>()
    for (let i = 0; i < 400; i++) {
      const { truck, declaration: d, trouble, detained } = makeArrival(i, LANE, 0, rng('trouble', i), { trouble: 1 })
      seen.add(trouble!)
      if (trouble === 'wrong-lane') expect(d!.direction).toBe('export')
      if (trouble === 'expired') expect(Date.parse(d!.valid_to)).toBeLessThan(0)
      if (trouble === 'swapped-trailer') expect(d!.trailer).not.toBe(truck.rear!.text)
      if (trouble === 'overweight') expect(truck.weight_kg - d!.weight_kg!).toBeGreaterThan(6_000)
      expect(detained).toBe(trouble === 'detained')
    }
    expect([...seen].toSorted()).toEqual([...TROUBLES].toSorted())
  })

  test('chance is seeded, and fair enough', () => {
    expect([rng('a', 1)(), rng('a', 1)()]).toEqual([rng('a', 1)(), rng('a', 1)()])
    expect(rng('a', 1)()).not.toBe(rng('a1')())
    const r = rng('mean')
    const n = 4_000
    expect(Array.from({ length: n }, () => exponential(r, 30)).reduce((a, b) => a + b, 0) / n).toBeCloseTo(30, -1)
    const counts = { a: 0, b: 0 }
    for (let i = 0; i < n; i++) counts[weighted(r, { a: 3, b: 1 })]++
    expect(counts.a / counts.b).toBeGreaterThan(2.4)
    expect(counts.a / counts.b).toBeLessThan(3.6)
  })
})

describe('the declarations feed', () => {
  const entry = { id: 'x', plate: '24C12345', direction: 'import', traffic: 'loaded', valid_from: 'a', valid_to: 'b' } as const
  const turns = () => new Promise((r) => setTimeout(r, 5))

  test('waits for the broker, sends what is newest, and takes away what is withdrawn', async () => {
    const broker = memoryBroker()
    const link = broker.connect('feed')
    const feed = new MqttFeed(link, 'r/s', silentLog)
    feed.start()
    feed.declare(entry)
    feed.declare({ ...entry, plate: '24C54321' })
    feed.list('detained', 'K', { key: 'K' })
    await turns()
    expect(broker.retained.size).toBe(0)
    link.start()
    await turns()
    expect([...broker.retained.keys()]).toEqual(['r/s/declaration/x', 'r/s/list/detained/K'])
    expect(Buffer.from(broker.retained.get('r/s/declaration/x')!).toString()).toContain('24C54321')
    link.cut()
    feed.withdraw('x')
    await turns()
    expect(broker.retained.has('r/s/declaration/x')).toBe(true)
    link.restore()
    await turns()
    expect([...broker.retained.keys()]).toEqual(['r/s/list/detained/K'])
    feed.list('detained', 'K', null)
    await turns()
    expect(broker.retained.size).toBe(0)
    await feed.stop()
    feed.declare(entry)
    await turns()
    expect(broker.retained.size).toBe(0)
    await link.stop()
  })

  test('is bounded while the broker is away: the oldest goes', async () => {
    const broker = memoryBroker()
    const link = broker.connect('feed')
    let warned = 0
    const feed = new MqttFeed(link, 'r/s', { ...silentLog, warn: () => warned++ })
    feed.start()
    for (let i = 0; i < 2_010; i++) feed.declare({ ...entry, id: `d${i}` })
    link.start()
    for (let i = 0; i < 200 && broker.retained.size < 2_000; i++) await turns()
    expect(broker.retained.size).toBe(2_000)
    expect(broker.retained.has('r/s/declaration/d9')).toBe(false)
    expect(warned).toBe(10)
    await feed.stop()
    await link.stop()
  })
})

describe('the officer', () => {
  const event = (type: string, lane: string, data: object = {}) =>
    JSON.stringify({ type: `luong.passage.${type}.v1`, data: { lane, ...data } })
  const desk = async (lenient: number) => {
    const clock = new VirtualClock({ epoch: Date.UTC(2026, 10, 21) })
    const broker = memoryBroker()
    const [gate, link] = [broker.connect('gate'), broker.connect('desk')]
    const commands: unknown[] = []
    const back: string[] = []
    gate.start()
    link.start()
    gate.subscribe('r/s/command', (m) => commands.push(command.parse(JSON.parse(Buffer.from(m.payload).toString()))))
    const officer = new OfficerSim({
      messages: link,
      base: 'r/s',
      clock,
      log: silentLog,
      seed: 1,
      officer: { lenient },
      sendBack: (lane) => back.push(lane),
    })
    officer.start()
    const say = async (lane: string, text: string, ms = 20_000) => {
      await gate.publish(`r/s/lane/${lane}/event`, text, { qos: 1, retain: false })
      await clock.advance(ms)
    }
    return { say, commands, back, officer }
  }

  test('answers a referred vehicle, names the passage, and sends valid commands', async () => {
    const { say, commands } = await desk(1)
    await say('a', event('referred', 'a', { passage: '01JD0000000000000000000000' }))
    expect(commands).toMatchObject([{ lane: 'a', do: 'open', passage: '01JD0000000000000000000000' }])
    await say('a', event('referred', 'a'))
    expect(commands).toHaveLength(2)
  })

  test('never opens for a detained vehicle', async () => {
    const { say, commands } = await desk(1)
    for (let i = 0; i < 10; i++) await say('a', event('referred', 'a', { decision: { rule: 'detained' } }))
    expect(commands).toHaveLength(10)
    for (const c of commands) expect(c).toMatchObject({ do: 'refuse' })
  })

  test('waves refused and redirected vehicles back, and says nothing when a vehicle goes before the answer', async () => {
    const { say, commands, back } = await desk(0)
    // `refused` and `redirected` are told when the vehicle is gone: waved back it must be at the decision.
    await say('a', JSON.stringify({ type: 'luong.command.accepted.v1', data: { lane: 'a', do: 'refuse' } }))
    await say('b', event('decided', 'b', { decision: { outcome: 'redirect' } }))
    await say('c', event('decided', 'c', { decision: { outcome: 'pass' } }))
    expect(back).toEqual(['a', 'b'])
    await say('a', event('referred', 'a'), 1_000)
    await say('a', event('aborted', 'a'))
    expect(commands).toEqual([])
  })

  test('cares for nothing else, and for nothing after stop', async () => {
    const { say, commands, back, officer } = await desk(1)
    for (const text of [
      '',
      'null',
      '[]',
      '{',
      '{"type":"luong.passage.referred.v1"}',
      '{"type":"luong.passage.referred.v1","data":{"lane":7}}',
      '\xff',
    ])
      await say('a', text)
    await say('a', event('referred', 'a', { historical: true }))
    await say('a', event('referred', 'a'), 100)
    officer.stop()
    await say('a', event('referred', 'a'))
    expect([commands, back]).toEqual([[], []])
  })
})
