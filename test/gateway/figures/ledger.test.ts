/** What the ledger holds is a function of the journal alone: incremental is the same as rebuilt, at any moment. */
import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { dayFigures } from '../../../gateway/figures/day.ts'
import { historyOf } from '../../../gateway/figures/history.ts'
import { Ledger, type LedgerSource } from '../../../gateway/figures/ledger.ts'
import type { StayPolicy } from '../../../gateway/figures/stays.ts'
import { inward, stayFigures, staysAt } from '../../../gateway/figures/stays.ts'
import { encode } from '../../../gateway/journal/encode.ts'
import type { Entry } from '../../../gateway/journal/journal.ts'
import { openStore, type Store } from '../../../gateway/journal/store.ts'
import { verifyJournal } from '../../../gateway/journal/verify.ts'
import { zoneOf } from '../../../gateway/journal/zone.ts'
import { tempFolder } from '../journal/fixtures.ts'
import { HOUR, journalOf, MINUTE, MORNING, type PassageSpec } from './entries.ts'

const ZONE = 'Asia/Ho_Chi_Minh'
const zone = zoneOf(ZONE)
const LANES = ['import-1', 'import-2', 'export-1']
const POLICY: StayPolicy = { home: 'vn', counts: 'visitors', two_way_h: 36, empty_h: 24, other_h: 24, empties: 2 }
const PLATES = ['24C12345', '24C54321', '云A10001', '云A10002', '云A10003']

let folder: ReturnType<typeof tempFolder>
beforeEach(() => {
  folder = tempFolder()
})
afterEach(() => folder.remove())

const passage = fc.record(
  {
    lane: fc.constantFrom(...LANES),
    direction: fc.constantFrom('import' as const, 'export' as const),
    arrived: fc.integer({ min: MORNING - 60 * HOUR, max: MORNING + 4 * HOUR }),
    decided: fc.integer({ min: 500, max: 60_000 }),
    ended: fc.option(fc.integer({ min: 61_000, max: 30 * MINUTE })),
    outcome: fc.constantFrom('cleared' as const, 'cleared' as const, 'refused' as const, 'redirected' as const, 'aborted' as const),
    referred: fc.boolean(),
    plate: fc.constantFrom(...PLATES),
    declared: fc.option(
      fc.record({
        id: fc.constantFrom('D1', 'D2', 'D3'),
        traffic: fc.constantFrom('loaded', 'empty', 'two-way', 'border-resident'),
        resident: fc.constantFrom('R1', 'R2'),
        firm: fc.constantFrom('A', 'B'),
        perishable: fc.boolean(),
        currency: fc.constantFrom('VND', 'CNY'),
        cargo: fc.array(fc.record({ kind: fc.constantFrom('mango', 'tea'), net_kg: fc.nat(9_000), value: fc.nat(1_000_000) }), {
          maxLength: 3,
        }),
      }),
    ),
  },
  { requiredKeys: ['lane', 'direction', 'arrived', 'plate', 'declared'] },
)
const specs = fc
  .array(passage, { maxLength: 25 })
  .map((all) => all.map((p, i): PassageSpec => ({ ...p, id: `P${String(i).padStart(2, '0')}` })))

const source = (store: Store): LedgerSource => {
  const ask = async <T>(name: Parameters<Store['query']>[0], arg: string | number) => store.query(name, [arg]) as T
  return {
    crossings: (since) => ask('crossings', since),
    lastCrossed: (direction) => ask('lastCrossed', direction),
    uses: (since) => ask('uses', since),
  }
}

/** Everything that is asked of a ledger. */
function picture(ledger: Ledger, now: number) {
  const sorted = [...ledger.crossings()].sort((a, b) => a.arrivedAt - b.arrivedAt || (a.id < b.id ? -1 : 1))
  const load = { vehicle: '云A10001', declaration: 'D1', firm: 'A', firm_id: '', resident: 'R1', currency: 'VND' }
  const asked = (direction: 'import' | 'export') =>
    historyOf(ledger, POLICY, zone, { passage: 'NEW', lane: 'import-9', direction, load, now })
  return {
    crossings: sorted.filter((c) => c.arrivedAt >= ledger.since(now) || c.endedAt === null),
    day: dayFigures(ledger.crossings(), LANES, zone, now),
    stays: stayFigures(staysAt(ledger.inside, POLICY, now), POLICY),
    all: [...ledger.inside.all()],
    asked: [asked('import'), asked('export')],
  }
}

it('rebuilt from the rows is the same as fed entry by entry, wherever the program stopped', async () => {
  await fc.assert(
    fc.asyncProperty(specs, fc.double({ min: 0, max: 1, noNaN: true }), async (all, share) => {
      const { dir, remove } = tempFolder()
      const store = openStore({ dir, site: 's', timezone: ZONE, minFreeMb: 0, reserveMb: 0 })
      try {
        const entries = journalOf(all)
        const cut = Math.round(share * entries.length)
        const write = (some: readonly Entry[]) => store.write({ rows: some.map(encode), documents: [], cursors: [] })
        const fed = new Ledger(zone, POLICY.home)
        fed.apply(entries.slice(0, cut))
        write(entries.slice(0, cut))
        const at = entries[cut - 1]?.at ?? MORNING - 61 * HOUR
        const rebuilt = new Ledger(zone, POLICY.home)
        await rebuilt.restore(source(store), inward(POLICY.home), at)
        expect(picture(rebuilt, at)).toEqual(picture(fed, at))
        // And both go on alike.
        const rest = entries.slice(cut)
        for (const ledger of [fed, rebuilt]) ledger.apply(rest)
        const end = (entries.at(-1)?.at ?? at) + 1
        expect(picture(rebuilt, end)).toEqual(picture(fed, end))
        write(rest)
        expect(await verifyJournal(dir)).toMatchObject({ ok: true })
      } finally {
        store.close()
        remove()
      }
    }),
    { numRuns: 40 },
  )
}, 120_000)

it('how the passages of different vehicles and lanes interleave changes nothing about who is inside', () => {
  const trucks = PLATES.map(
    (plate, i): PassageSpec => ({ id: `P${i}`, plate, arrived: MORNING, declared: { traffic: i % 2 ? 'empty' : 'loaded' } }),
  )
  const of = (order: readonly PassageSpec[]) => {
    const ledger = new Ledger(zone, 'vn')
    ledger.apply(order.flatMap((s) => journalOf([s])))
    return staysAt(ledger.inside, POLICY, MORNING + HOUR)
  }
  fc.assert(
    fc.property(fc.shuffledSubarray(trucks, { minLength: trucks.length }), (order) => {
      expect(of(order)).toEqual(of(trucks))
    }),
    { numRuns: 20 },
  )
})

it('days come and go: what no figure needs is forgotten, who is inside and what was used is not', () => {
  const ledger = new Ledger(zone, 'vn')
  const day = (n: number): PassageSpec => ({
    id: `P${n}`,
    arrived: MORNING + n * 24 * HOUR,
    plate: n === 0 ? '云A10001' : '24C12345',
    declared: { id: `D${n}`, traffic: 'empty', valid_from: '2026-11-20T00:00:00Z', valid_to: '2027-11-24T00:00:00Z' },
  })
  for (let n = 0; n < 60; n++) ledger.apply(journalOf([day(n)]))
  const now = MORNING + 59 * 24 * HOUR + MINUTE
  expect([...ledger.crossings()].map((c) => c.id)).toEqual(['P58', 'P59'])
  expect(staysAt(ledger.inside, POLICY, now).map((s) => [s.vehicle, Math.round(s.hours)])).toEqual([['云A10001', 59 * 24]])
  expect(ledger.uses.get('D0', 'import', now)).toMatchObject({ times: 1 })
  expect(ledger.uses.get('D0', 'export', now)).toBe(null)
})
