import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { until } from '../harness/chaos-site.ts'
import { startSite } from '../harness/site.ts'

const dir = mkdtempSync(join(tmpdir(), 'luong-plan-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

test('a plan comes into force at a whole site by command; state and events tell', async () => {
  const file = join(dir, 'tidal.yaml')
  const plans = 'lane_plan:\n  plans: { day: {}, night: { lane: { direction: export } } }\n'
  writeFileSync(file, `version: 1\ninclude: [${resolve('test/sim-tests/one-lane.yaml')}]\n${plans}`)
  const site = await startSite({ file, pace: 20 })
  try {
    await site.phases('idle')
    const no = await site.centre.command({ do: 'set-plan', plan: 'noon' })
    expect(no).toMatchObject({ ok: false, error: expect.stringMatching(/no plan noon; there are day, night/) })
    expect(await site.centre.command({ do: 'set-plan', plan: 'night' })).toMatchObject({ ok: true })
    await until('the state tells', () => site.centre.log.states.get('lane')?.direction === 'export')
    await until('it is told', () => site.centre.log.of('lane.plan').length === 1)
    expect(site.centre.log.of('lane.plan')[0]!.data).toMatchObject({
      lane: 'lane',
      plan: 'night',
      direction: 'export',
      change: 'done',
      by: 'Officer Lan',
    })
    await until('the lane is open again', () => site.centre.log.states.get('lane')?.phase === 'idle')
    expect(site.centre.log.states.get('lane')).toMatchObject({ plan: { name: 'night' } })
    await site.heard()
    expect(site.centre.log.faults({ open: 1 })).toEqual([])
  } finally {
    await site.stop()
  }
})
