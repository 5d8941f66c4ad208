/** Row 14: trucks, value and weight by direction, goods, firm, lane and hour, against the same period before; take-up, stays and sampling. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { columns } from '../../gateway/cli/columns.ts'
import { change, reportText } from '../../gateway/cli/report-text.ts'
import { crossingOf } from '../../gateway/figures/crossing.ts'
import { periodFigures } from '../../gateway/figures/period.ts'
import { FIGURES_POLICY, siteReport } from '../../gateway/figures/report.ts'
import { binomialBounds, samplingFigures } from '../../gateway/figures/sampling.ts'
import { createJournal } from '../../gateway/journal/create.ts'
import type { CrossingRow } from '../../gateway/journal/loads.ts'
import { CROSSING } from '../../gateway/journal/queries.ts'
import { type JournalReader, openReader } from '../../gateway/journal/reader.ts'
import { verifyJournal } from '../../gateway/journal/verify.ts'
import { zoneOf } from '../../gateway/journal/zone.ts'
import { draw, sampled } from '../../gateway/rules/sampling.ts'
import { HOUR, journalOf, MINUTE, MORNING, type PassageSpec } from '../gateway/figures/entries.ts'
import { tempFolder } from '../gateway/journal/fixtures.ts'

const DAY = 24 * HOUR
const FROM = Date.parse('2026-11-21T00:00:00+07:00')
const load = (kind: string, net_kg: number, value: number) => ({ currency: 'VND', cargo: [{ kind, net_kg, value }] })
const drawn = (id: string) => ({ id, seed: '2026', rate: 0.02, drawn: sampled(id, '2026', 0.02) })
const SPECS: PassageSpec[] = [
  // The day before.
  { id: 'A1', arrived: MORNING - DAY, plate: '24C00001', declared: { firm: 'A', ...load('durian', 10_000, 1_000) } },
  {
    id: 'A2',
    arrived: MORNING - DAY,
    plate: '云A10001',
    declared: { traffic: 'two-way', firm: 'B', two_way: 'D-B5', ...load('apple', 4_000, 500) },
  },
  { id: 'A3', arrived: MORNING - 30 * HOUR, plate: '云A10009', declared: { firm: 'C' } },
  // The day.
  {
    id: 'B1',
    arrived: MORNING,
    plate: '24C00001',
    declared: { firm: 'A', perishable: true, ...load('durian', 12_000, 1_500) },
    draws: [drawn('D-B1')],
  },
  {
    id: 'B2',
    arrived: MORNING + 5 * MINUTE,
    ended: 40_000,
    plate: '24C00002',
    declared: { firm: 'A', ...load('durian', 8_000, 700) },
    draws: [drawn('D-B2')],
  },
  {
    id: 'B3',
    arrived: MORNING + HOUR,
    lane: 'export-1',
    direction: 'export',
    plate: '24C00003',
    declared: {
      firm: 'C',
      firm_id: '53',
      currency: 'CNY',
      cargo: [
        { kind: 'mango', net_kg: 900, value: 70 },
        { kind: 'tea', net_kg: 100, value: 30 },
      ],
    },
  },
  {
    id: 'B4',
    arrived: MORNING + HOUR,
    plate: '24C00004',
    outcome: 'aborted',
    referred: true,
    decided: 9_000,
    declared: { firm: 'A', ...load('durian', 9, 9) },
  },
  {
    id: 'B5',
    arrived: MORNING + 2 * HOUR,
    lane: 'export-1',
    direction: 'export',
    plate: '云A10001',
    declared: { traffic: 'two-way', firm: 'B', two_way: 'D-A2' },
  },
  { id: 'B6', arrived: MORNING + 3 * HOUR, lane: 'export-2', direction: 'export', plate: '云A10002', declared: { traffic: 'empty' } },
  { id: 'B7', arrived: MORNING + 4 * HOUR, ended: null, plate: '24C00005', referred: true, declared: null },
]

let folder: ReturnType<typeof tempFolder>
let reader: JournalReader
beforeAll(async () => {
  folder = tempFolder()
  const journal = createJournal({ dir: folder.dir, site: 'kim-thanh', timezone: 'Asia/Ho_Chi_Minh', minFreeMb: 1 })
  await journal.open()
  await journal.append(journalOf(SPECS))
  await journal.putDocument(FIGURES_POLICY.collection, FIGURES_POLICY.key, {
    home: 'vn',
    counts: 'visitors',
    two_way_h: 20,
    empty_h: 24,
    other_h: 24,
    empties: 3,
  })
  await journal.close()
  reader = openReader(folder.dir)
})
afterAll(() => {
  reader.close()
  folder.remove()
})

describe('report of a day against the day before', () => {
  it('counts trucks, declared weight and value by direction, goods, firm, lane and hour', () => {
    const { period, before } = siteReport(reader, FROM, FROM + DAY)
    expect(period).toMatchObject({
      passages: 7,
      referred: 2,
      let_in: 0,
      stopped: { other: { outcome: 'refer', passages: 2, let_in: 0 } },
      outcomes: { cleared: 5, referred: 2 },
      lanes: { 'import-1': 4, 'export-1': 2, 'export-2': 1 },
      directions: { import: 4, export: 3 },
      passage_s: { mean: 24, p95: 40 },
    })
    const { loads } = period
    expect(loads.all).toEqual({ trucks: 5, net_kg: 21_000, value: { VND: 2_200, CNY: 100 } })
    expect(loads.direction).toEqual({
      import: { trucks: 2, net_kg: 20_000, value: { VND: 2_200 } },
      export: { trucks: 3, net_kg: 1_000, value: { CNY: 100 } },
    })
    expect(loads.goods).toEqual({
      durian: { trucks: 2, net_kg: 20_000, value: { VND: 2_200 } },
      mango: { trucks: 1, net_kg: 900, value: { CNY: 70 } },
      tea: { trucks: 1, net_kg: 100, value: { CNY: 30 } },
      none: { trucks: 1, net_kg: 0, value: {} },
      unnamed: { trucks: 1, net_kg: 0, value: {} },
    })
    expect(loads.firm).toMatchObject({
      A: { trucks: 2 },
      '53': { trucks: 1, net_kg: 1_000 },
      B: { trucks: 1 },
      'not declared': { trucks: 1 },
    })
    expect(loads.lane['export-1']).toMatchObject({ trucks: 2, net_kg: 1_000 })
    expect(Object.fromEntries(Object.entries(loads.hour).map(([h, f]) => [h, f.trucks]))).toEqual({ '08': 2, '09': 1, '10': 1, '11': 1 })
    expect(before).toMatchObject({ passages: 3, loads: { all: { trucks: 3, net_kg: 14_000, value: { VND: 1_500 } } } })
  })

  it('tells waiting times of perishable goods apart, and figures of each lane', () => {
    const { period } = siteReport(reader, FROM, FROM + DAY)
    expect(period.waiting_s).toEqual({
      all: { count: 7, mean: 3.86, p95: 9 },
      perishable: { count: 1, mean: 3, p95: 3 },
      other: { count: 6, mean: 4, p95: 9 },
    })
    expect(period.by_lane['import-1']).toEqual({
      passages: 4,
      cleared: 2,
      waiting_s: { count: 4, mean: 4.5, p95: 9 },
      passage_s: { count: 2, mean: 30, p95: 40 },
      most_in_an_hour: 2,
    })
  })

  it('reports take-up of two-way cargo, and who stays too long', () => {
    const { period, stays } = siteReport(reader, FROM, FROM + DAY)
    expect(period.two_way).toEqual({ firms: 1, passages: 1, returns: 4, empty_returns: 1, empty_share: 0.25 })
    expect(stays).toMatchObject({ inside: 1, two_way: 0, empties: 0, went_back: 1, went_back_late: 1 })
    expect(stays!.over).toEqual([{ plate: '云A10009', since: '2026-11-20T02:00:20.000+07:00', hours: 34, limit_h: 24, two_way: false }])
  })

  it('says it in words, with the change in per cent', () => {
    const text = reportText(siteReport(reader, FROM, FROM + DAY))
    expect(text).toMatch(/^passages +7 +3 +\+133.3 %$/m)
    expect(text).toMatch(/^all +5 +\+66.7 % +21\.0 +\+50 % +2 200 VND \+ 100 CNY +\+46\.7 % \/ new$/m)
    expect(text).toMatch(/^goods durian +2 +\+100 % +20\.0 +\+100 % +2 200 VND +\+120 %$/m)
    expect(text).toMatch(/^durian +2026 +2\.0 % +2 +0 +0 to 1 +as promised$/m)
    expect(text).toMatch(/^云A10009 +2026-11-20 02:00 +34 h +24 h$/m)
    expect(text).toMatch(/^share of empty returns +25\.0 % +0\.0 %$/m)
    const report = siteReport(reader, FROM, FROM + DAY)
    expect(reportText(report, 'vi')).toMatch(/^lượt xe +7 +3 +\+133\.3 %$/m)
    const zh = reportText(report, 'zh')
    expect(zh).toMatch(/^车次 +7 +3 +\+133\.3 %$/m)
    // Right-aligned by what a terminal shows, where a Chinese character takes two columns.
    const [head, first] = zh.split('\n').slice(2, 4)
    expect([head, first].map((line) => columns(line!))).toEqual([columns(head!), columns(head!)])
    expect(head!.length).toBeLessThan(columns(head!))
    expect([change(16_575, 10_000), change(1_174, 1_000), change(5, 0), change(0, 0), change(1, 2)]).toEqual([
      '+65.8 %',
      '+17.4 %',
      'new',
      '',
      '-50 %',
    ])
  })

  it('is verified together with the journal', async () => {
    expect(await verifyJournal(folder.dir)).toMatchObject({ ok: true, passages: SPECS.length })
  })
})

it('sums over parts of a period are the sum over all of it', () => {
  const { zone } = reader
  const all = reader.db
    .prepare<[], CrossingRow>(`SELECT ${CROSSING} FROM passages p LEFT JOIN loads l ON l.passage = p.id`)
    .all()
    .map(crossingOf)
  fc.assert(
    fc.property(fc.integer({ min: FROM - DAY, max: FROM + DAY }), fc.shuffledSubarray(all, { minLength: all.length }), (cut, order) => {
      const whole = periodFigures(order, zone, FROM - DAY, FROM + DAY)
      const [a, b] = [periodFigures(all, zone, FROM - DAY, cut), periodFigures(all, zone, cut, FROM + DAY)]
      expect(a.passages + b.passages).toBe(whole.passages)
      expect(a.loads.all.net_kg + b.loads.all.net_kg).toBe(whole.loads.all.net_kg)
      for (const by of ['direction', 'goods', 'firm', 'lane', 'hour', 'traffic'] as const)
        for (const [name, sum] of Object.entries(whole.loads[by]))
          expect((a.loads[by][name]?.trucks ?? 0) + (b.loads[by][name]?.trucks ?? 0)).toBe(sum.trucks)
    }),
    { numRuns: 50 },
  )
})

it('which rules stopped whom, and whom an officer let in all the same', () => {
  const stopped = (rule: string, outcome: string, ended: string | null) =>
    crossingOf({
      id: 'P',
      lane: 'import-1',
      direction: 'import',
      plate: '24C00001',
      outcome: ended,
      arrivedAt: FROM,
      decidedAt: FROM,
      referredAt: outcome === 'refer' ? FROM : null,
      endedAt: ended === null ? null : FROM + 1,
      load: JSON.stringify({ rule, outcome }),
    })
  const rows = [
    stopped('not-declared', 'refer', 'cleared'),
    stopped('not-declared', 'refer', 'refused'),
    stopped('not-declared', 'refer', null),
    stopped('wrong-direction', 'redirect', 'redirected'),
    stopped('declared', 'pass', 'cleared'),
  ]
  expect(periodFigures(rows, zoneOf('Asia/Ho_Chi_Minh'), FROM, FROM + DAY)).toMatchObject({
    referred: 3,
    let_in: 1,
    stopped: {
      'not-declared': { outcome: 'refer', passages: 3, let_in: 1 },
      'wrong-direction': { outcome: 'redirect', passages: 1, let_in: 0 },
    },
  })
})

describe('proof of sampling', () => {
  it('bounds hold what 999 of 1,000 samplings give, and are tight', () => {
    const log = [0]
    for (let i = 1; i <= 3_000; i++) log.push(log[i - 1]! + Math.log(i))
    const pmf = (n: number, k: number, p: number) => Math.exp(log[n]! - log[k]! - log[n - k]! + k * Math.log(p) + (n - k) * Math.log(1 - p))
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3_000 }), fc.double({ min: 0.001, max: 0.999, noNaN: true }), (n, p) => {
        const { least, most } = binomialBounds(n, p)
        const between = (from: number, to: number) => {
          let sum = 0
          for (let k = from; k <= to; k++) sum += pmf(n, k, p)
          return sum
        }
        expect(between(least, most)).toBeGreaterThan(0.999 - 1e-6)
        expect(between(0, least)).toBeGreaterThan(0.0005 - 1e-6)
        expect(between(most, n)).toBeGreaterThan(0.0005 - 1e-6)
      }),
      { numRuns: 50 },
    )
    expect([binomialBounds(0, 0.5), binomialBounds(9, 0), binomialBounds(9, 1)]).toEqual([
      { least: 0, most: 0 },
      { least: 0, most: 0 },
      { least: 9, most: 9 },
    ])
  })

  it('100,000 loads: the journal holds seed and id of every draw, each can be repeated, and a dishonest rate is found', () => {
    const empty: CrossingRow = {
      id: 'P',
      lane: 'import-1',
      direction: 'import',
      plate: null,
      outcome: null,
      arrivedAt: 0,
      decidedAt: null,
      referredAt: null,
      endedAt: null,
      load: null,
    }
    const crossing = (id: string, was: boolean) =>
      crossingOf({ ...empty, load: JSON.stringify({ goods: [{ name: 'mango' }], draws: [{ id, seed: 's', rate: 0.02, drawn: was }] }) })
    const ids = Array.from({ length: 100_000 }, (_, i) => `L${i}`)
    const was = ids.map((id) => sampled(id, 's', 0.02))
    const honest = samplingFigures(ids.map((id, i) => crossing(id, was[i]!)))
    expect(honest).toMatchObject([
      { goods: 'mango', seed: 's', rate: 0.02, asked: 100_000, drawn: was.filter(Boolean).length, within: true },
    ])
    for (const i of [0, 7, 99_999]) expect(draw(ids[i]!, 's') < 0.02).toBe(was[i])
    // The same load at two lanes is one draw.
    expect(samplingFigures([...ids.slice(0, 10), ...ids.slice(0, 10)].map((id) => crossing(id, true)))[0]).toMatchObject({
      asked: 10,
      drawn: 10,
    })
    const friends = samplingFigures(ids.map((id, i) => crossing(id, i % 10 > 0 && was[i]!)))
    expect(friends[0]).toMatchObject({ within: false })
  })
})
