/** Row 3 at a whole site: lanes that lead into one place. Perishable goods are called first, and nobody is overtaken for ever. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { reportText } from '../../gateway/cli/report-text.ts'
import { siteReport } from '../../gateway/figures/report.ts'
import { openReader } from '../../gateway/journal/reader.ts'
import { until } from '../harness/chaos-site.ts'
import type { Event, EventData } from '../harness/event-log.ts'
import { type RunningSite, startSite } from '../harness/site.ts'
import { rng } from '../sim/random.ts'
import { announce, makeArrival } from '../sim/traffic.ts'
import { HABITS } from '../sim/truck.ts'

const dir = mkdtempSync(join(tmpdir(), 'luong-calling-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

type Called = EventData & { readonly turn: { first: boolean; overtaken: number; before: string[]; waited_s: number } }
const DAY = 86_400_000

let no = 0
/** A truck in order, declared, that comes to the end of the queue in its lane. */
async function send(site: RunningSite, lane: string, perishable: boolean): Promise<string> {
  const { direction, takes, tag } = site.loaded.site.lanes[lane]!
  const facts = { id: lane, direction, takes: takes.slice(0, 1), scale: false, tag: tag !== undefined }
  const bodies = { rigid: 1, semi: 0, drawbar: 0 }
  const made = makeArrival(++no, facts, site.clock.now(), rng('calling', no), { trouble: 0, chinese: 0, bodies }, HABITS.brisk)
  const arrival = { ...made, declaration: { ...made.declaration!, perishable } }
  const { size } = site.gateway.declarations
  announce(site.feed, arrival)
  await until('it is declared', () => site.gateway.declarations.size > size)
  site.world.send(lane, arrival)
  return made.truck.front!.text
}

test('perishable goods before others, at most as often as the site file says', async () => {
  const file = join(dir, 'site.yaml')
  // One at a time, and out of a narrower gate than the shipped one, so that everybody meets.
  const calling = 'calling:\n  import-yard: { at_once: 1, overtaken: 2, wait_s: 3600 }\n'
  writeFileSync(file, `version: 1\ninclude: [${resolve('config/sites/kim-thanh.yaml')}]\n${calling}`)
  const site = await startSite({ file, pace: 20, dataDir: join(dir, 'data') })
  const { centre } = site
  const told = (kind: string) => centre.log.of(kind) as unknown as (Event & { readonly data: Called })[]
  let fresh: string[] = []
  let ordinary = ''
  let out = ''
  try {
    await site.phases('idle')
    // Fresh fruit in two lanes keeps the yard busy; machinery in the third comes after the first of them.
    fresh = [await send(site, 'import-2', true), await send(site, 'import-3', true)]
    await until('one is let in', () => told('passage.queued').length === 1)
    ordinary = await send(site, 'import-1', false)
    for (let i = 0; i < 2; i++) fresh.push(await send(site, 'import-2', true), await send(site, 'import-3', true))
    await until('the ordinary one waits', () => told('passage.queued').some((e) => e.subject === ordinary))
    await until('its state says so', () => String(centre.log.states.get('import-1')?.why).includes('waits for its turn'))
    expect(centre.log.states.get('import-1')).toMatchObject({ phase: 'waiting', passage: { outcome: 'pass' } })
    await until('all are through', () => told('passage.cleared').length === 7)
    // The tag readers of the shipped site answer: an R200 at the priority lane, a Chafon on the way out.
    out = await send(site, 'export-1', false)
    await until('it is through', () => told('passage.cleared').length === 8)
    await site.phases('idle')
    await site.heard()
    expect(centre.log.faults()).toEqual([])
  } finally {
    await site.stop()
  }

  const tagged = told('passage.cleared').filter((e) => e.data.identity?.tag === 'same')
  expect(tagged.map((e) => e.data.lane).filter((lane) => lane === 'import-2').length).toBe(3)
  expect(tagged.some((e) => e.subject === out)).toBe(true)
  const cleared = told('passage.cleared').flatMap((e) => (e.subject === out ? [] : [e.subject!]))
  expect([...cleared].sort()).toEqual([...fresh, ordinary].sort())
  const calls = told('passage.called')
  const its = calls.find((e) => e.subject === ordinary)!
  // Those that came later and went before it: no more than twice, and the events say who.
  const later = calls.filter((e) => e.data.turn.before.includes('import-1')).map((e) => e.subject)
  expect(later.length).toBeGreaterThan(0)
  expect(later.length).toBeLessThanOrEqual(2)
  expect(its.data.turn).toMatchObject({ group: 'import-yard', first: false, overtaken: later.length, before: [] })
  expect(cleared.indexOf(ordinary)).toBeGreaterThan(Math.max(...later.map((plate) => cleared.indexOf(plate!))))
  // One at a time: no vehicle is called before the one let in ahead of it is through.
  const times = centre.log.bySequence().filter((e) => /called|cleared/.test(e.type))
  for (const [i, e] of times.entries())
    if (e.type.includes('called')) expect(times.slice(0, i).filter((x) => x.type.includes('cleared')).length).toBeGreaterThan(0)
  for (const e of calls) expect(told('passage.queued').some((q) => q.subject === e.subject && q.data.passage === e.data.passage)).toBe(true)

  const reader = openReader(join(dir, 'data'))
  try {
    const from = Date.parse('2026-11-20T17:00:00Z')
    const report = siteReport(reader, from, from + DAY)
    const first = calls.filter((e) => e.data.turn.first)
    expect(report.turns).toMatchObject({ first: { count: first.length }, other: { count: 1 }, most_overtaken: later.length })
    expect(report.turns.went_before).toBe(later.length)
    expect(report.turns.other.mean).toBe(its.data.turn.waited_s)
    expect(reportText(report)).toMatch(/turns, where lanes lead into one place/)
  } finally {
    reader.close()
  }
})
