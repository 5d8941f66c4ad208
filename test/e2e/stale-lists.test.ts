/** The platform falls silent: declarations grow old, nobody passes on them any more, and everybody can see it. A file brings word again. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Declaration } from '../../gateway/identity/declaration.ts'
import { until } from '../harness/chaos-site.ts'
import { luong } from '../harness/program.ts'
import { type RunningSite, startSite } from '../harness/site.ts'
import { rng } from '../sim/random.ts'
import { type Arrival, makeArrival } from '../sim/traffic.ts'
import { HABITS } from '../sim/truck.ts'

const PACE = 20
const MAX_AGE_H = 0.5
const HOUR = 3_600_000

let dir: string
let site: RunningSite
const start = async () => {
  const dataDir = join(dir, 'data')
  site = await startSite({ file: join(dir, 'site.yaml'), pace: PACE, dataDir })
  await site.phases('idle')
}
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'luong-stale-'))
  const base = relative(dir, resolve('test/sim-tests/one-lane.yaml'))
  writeFileSync(join(dir, 'site.yaml'), `version: 1\ninclude: [${base}]\nlists: { max_age_h: ${MAX_AGE_H} }\n`)
  await start()
})
afterEach(async () => {
  await site.stop()
  rmSync(dir, { recursive: true, force: true })
})

let no = 0
function truck(): { arrival: Arrival; declared: Declaration } {
  const facts = { id: 'lane', direction: 'import', takes: ['loaded'], scale: true } as const
  const arrival = makeArrival(++no, facts, site.clock.now(), rng('stale', no), { trouble: 0, chinese: 0 }, HABITS.normal)
  const valid = {
    valid_from: new Date(site.clock.now() - HOUR).toISOString(),
    valid_to: new Date(site.clock.now() + 72 * HOUR).toISOString(),
  }
  return { arrival, declared: { ...arrival.declaration!, ...valid } as Declaration }
}

/** It comes to the lane; its decision. */
async function decided({ arrival }: { arrival: Arrival }) {
  const before = site.centre.log.of('passage.decided').length
  site.world.send('lane', { ...arrival, declaration: null })
  await until('it is decided', () => site.centre.log.of('passage.decided').length > before)
  return site.centre.log.of('passage.decided').at(-1)!.data
}

async function passes(t: { arrival: Arrival }) {
  const before = site.centre.log.of('passage.cleared').length
  expect(await decided(t)).toMatchObject({ decision: { outcome: 'pass' } })
  await until('it is cleared', () => site.centre.log.of('passage.cleared').length > before)
  await site.phases('idle')
}

async function growOld() {
  site.clock.pace = 2_000
  await until('the lists are too old', () => site.gateway.freshness.read().stale)
  site.clock.pace = PACE
}

const health = async () => (await fetch(`http://127.0.0.1:${site.gateway.httpPort}/health`)).json() as Promise<unknown>

test('lists that are too old let nobody pass, also after a restart; a sign of life and an imported file make them good again', async () => {
  const [first, second, third] = [truck(), truck(), truck()]
  expect(await health()).toMatchObject({
    lists: { stale: true, contact: null },
    problems: expect.arrayContaining([expect.stringMatching(/nothing was ever heard/)]),
  })
  for (const { declared } of [first, second]) await site.centre.publish(`declaration/${declared.id}`, declared, true)
  await until('they are known', () => site.gateway.declarations.size === 2)
  expect(await health()).toMatchObject({ declarations: 2, lists: { stale: false, max_age_h: MAX_AGE_H } })
  await passes(first)

  await growOld()
  const said = await decided(second)
  expect(said).toMatchObject({ decision: { outcome: 'refer', rule: 'lists-stale' } })
  const [why, rules] = said.decision!.reasons as { vi: string; zh: string; en: string }[]
  expect(why!.en).toMatch(/^The lists are too old: last contact with the platform [\d.]+ h ago \(at most 0\.5 h\)/)
  expect(why!.vi).toMatch(/đã cũ.*tối đa 0\.5 giờ/)
  expect(why!.zh).toMatch(/上限 0\.5 小时/)
  // What the rules would have said stands beside it.
  expect(rules!.en).toContain(second.declared.plate)
  expect(await health()).toMatchObject({
    ok: true,
    lists: { stale: true },
    problems: expect.arrayContaining([expect.stringMatching(/^lists: last contact .* h ago/)]),
  })
  const metrics = await (await fetch(`http://127.0.0.1:${site.gateway.httpPort}/metrics`)).text()
  expect(metrics).toMatch(/^luong_lists_stale 1$/m)
  await until('the lane says so', () => JSON.stringify(site.centre.log.states.get('lane')).includes('"stale":true'))
  expect(await site.centre.command({ do: 'refuse', lane: 'lane' })).toMatchObject({ ok: true })
  site.world.lanes.get('lane')!.sendBack(1)
  await site.phases('idle')

  const contact = site.gateway.freshness.read().contact
  await site.stop()
  await start()
  // The clock of the second run begins where that of the first did: only the contact itself can be compared.
  expect(site.gateway.freshness.read().contact).toBe(contact)
  await growOld()

  await site.centre.publish('platform', { at: new Date(site.clock.now() + HOUR).toISOString() }, true)
  await site.centre.publish('platform', { at: new Date(site.clock.now()).toISOString() }, true)
  await until('it is heard', () => !site.gateway.freshness.read().stale)
  await growOld()

  // Nobody is there to send anything: somebody brings a file, while the gateway runs.
  const file = join(dir, 'list.json')
  writeFileSync(file, JSON.stringify([third.declared]))
  const done = await luong('declarations', 'import', file, join(dir, 'site.yaml'), '--data', site.dataDir)
  expect(done).toMatchObject({ code: 0, out: expect.stringMatching(/1 declarations: the running gateway has taken them/) })
  expect(await health()).toMatchObject({ declarations: 3, lists: { stale: false } })
  await passes(third)
}, 180_000)
