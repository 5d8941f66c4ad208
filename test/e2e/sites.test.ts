import { afterEach, describe, expect, test } from 'vitest'
import { loadSite } from '../../config/load.ts'
import { until } from '../harness/chaos-site.ts'
import { startPair } from '../harness/pair.ts'
import { startSite } from '../harness/site.ts'
import { rng } from '../sim/random.ts'
import { announce, makeArrival } from '../sim/traffic.ts'
import { HABITS } from '../sim/truck.ts'

const undo: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

describe('each shipped site boots, comes to rest, and lets a truck through each lane', () => {
  test.each(['kim-thanh', 'loi-mo', 'demo'])('%s', async (name) => {
    // As it is shipped, only that the wires end in memory.
    const file = `config/sites/${name}.yaml`
    const { lanes } = (await loadSite(file)).site
    const site = await startSite({ file, pace: 20 })
    undo.push(() => site.stop())
    await site.phases('idle')
    for (const [i, [id, lane]] of Object.entries(lanes).entries()) {
      const facts = { id, direction: lane.direction, takes: lane.takes, scale: lane.scale !== undefined }
      const arrival = makeArrival(i + 1, facts, site.clock.now(), rng(name, id), { trouble: 0 }, HABITS.normal)
      announce({ declare: (d) => void site.centre.publish(`declaration/${d.id}`, d, true), withdraw() {}, list() {} }, arrival)
      await until('it is declared', () => site.gateway.declarations.size === i + 1)
      site.world.send(id, arrival)
    }
    const count = Object.keys(lanes).length
    await until('all have left', () => site.world.truth.counts.passed === count)
    await site.phases('idle')
    await site.gateway.settle()
    await site.heard()
    const { log } = site.centre
    expect(log.faults()).toEqual([])
    for (const id of Object.keys(lanes)) {
      const [cleared] = log.of('passage.cleared', id)
      expect(cleared?.data, id).toMatchObject({ decision: { rule: 'declared', outcome: 'pass' }, direction: lanes[id]!.direction })
      expect(cleared?.subject).toBe(site.world.truth.vehicles.find((v) => v.lane === id)!.plate)
    }
    expect(site.world.truth.disasters).toEqual([])
    expect(site.gateway.httpPort).toBeGreaterThan(0)
    const health = (await (await fetch(`http://127.0.0.1:${site.gateway.httpPort}/health`)).json()) as { ok: boolean; problems: string[] }
    expect(health).toMatchObject({ ok: true, problems: [] })
  })
})

test('huu-nghi and youyiguan boot as a pair, and let a truck through each lane of both', async () => {
  const pair = await startPair({ pace: 20 })
  undo.push(() => pair.stop())
  await pair.met()
  const lanes = { 'export-1': 'huu-nghi', 'export-2': 'huu-nghi', 'import-1': 'youyiguan', 'import-2': 'youyiguan' } as const
  for (const [lane, from] of Object.entries(lanes)) {
    const plate = await pair.send(from, lane)
    for (const name of ['huu-nghi', 'youyiguan'] as const) {
      await pair.told(name, 'passage.cleared', plate)
      const cleared = pair
        .get(name)
        .centre.log.of('passage.cleared', lane)
        .find((e) => e.subject === plate)
      expect(cleared?.data).toMatchObject({ decision: { rule: 'declared', outcome: 'pass' } })
    }
  }
  for (const name of ['huu-nghi', 'youyiguan'] as const) {
    const site = pair.get(name)
    await site.phases('idle')
    await site.gateway.settle()
    await site.heard()
    expect(site.centre.log.faults()).toEqual([])
    expect(site.world.truth.disasters).toEqual([])
    const health = (await (await fetch(`http://127.0.0.1:${site.gateway.httpPort}/health`)).json()) as { ok: boolean; problems: string[] }
    expect(health).toMatchObject({ ok: true, problems: [] })
  }
})
