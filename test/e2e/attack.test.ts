/** Hundreds of slow and hundreds of flooding connections to the embedded broker, beside a lane with trucks: they pass, and nothing of them is lost. */
import { afterEach, expect, it } from 'vitest'
import { verifyJournal } from '../../gateway/journal/verify.ts'
import { type Inside, openInside } from '../harness/chaos-inside.ts'
import { until } from '../harness/chaos-site.ts'
import { Collector } from '../harness/collector.ts'
import { startProgram } from '../harness/program.ts'
import { rng } from '../sim/random.ts'
import { makeArrival } from '../sim/traffic.ts'
import { HABITS } from '../sim/truck.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

const LANE = { id: 'a', direction: 'import' as const, takes: ['loaded'], scale: false }
const TRUCKS = 3

async function aTruckPasses(site: Inside, centre: Collector, no: number): Promise<string> {
  const arrival = makeArrival(no, LANE, Date.now(), rng(no, 'attack'), { trouble: 0, chinese: 0 }, HABITS.brisk)
  await centre.publish(`declaration/${arrival.declaration!.id}`, arrival.declaration, true)
  await until('it is declared', () => site.gateway.declarations.get(arrival.declaration!.id))
  const before = centre.log.of('passage.cleared').length
  site.world.send('a', arrival)
  await until(`truck ${no} is cleared`, () => centre.log.of('passage.cleared').length > before, 120_000)
  await until('the lane is idle', () => site.gateway.lane('a')!.state.phase === 'idle')
  return arrival.truck.front!.text
}

it('trucks beside an attack are cleared, every event is heard, and who was refused is counted', async () => {
  process.env.LUONG_ATTACK = 'a-pass'
  const password = { env: 'LUONG_ATTACK' }
  // A camera that was taken over, among devices that were not.
  const users = [
    { name: 'world', role: 'admin', password },
    { name: 'centre', role: 'central', password },
    { name: 'rear', role: 'device', devices: ['rear-a'], password },
  ]
  const site = await openInside({
    lanes: ['a'],
    file: { broker: { embedded: { port: 0, users } } },
    as: { username: 'world', password: 'a-pass' },
    world: { traffic: false },
  })
  undo.push(() => site.stop())
  const centreUrl = site.brokerUrl.replace('://', '://centre:a-pass@')
  const centre = new Collector({ url: centreUrl, site: 'chaos' })
  await centre.start()
  undo.push(() => centre.stop())
  // The broker keeps nothing for who comes late: as any consumer, it asks for what it has missed.
  expect(await centre.command({ do: 'resend-from', from: 1 })).toMatchObject({ ok: true })
  const limited = (kind: string) => site.metric(new RegExp(`luong_broker_limited_total\\{limit="${kind}"\\}`))
  await until('the lane is idle', () => site.gateway.lane('a')!.state.phase === 'idle')
  const plates = [await aTruckPasses(site, centre, 1)]

  const how = ['200', '200', '200', 'rear', 'a-pass', 'camera/a/rear']
  const attacker = startProgram(process.execPath, ['dist/test/bench/attacker.js', new URL(site.brokerUrl).port, ...how])
  undo.push(() => attacker.kill())
  await until('it has begun', async () => (await limited('per_address')) + (await limited('connect_rate')) > 200)
  for (let no = 2; no <= 1 + TRUCKS; no++) {
    const refused = (await limited('per_address')) + (await limited('connect_rate'))
    plates.push(await aTruckPasses(site, centre, no))
    await until('it goes on', async () => (await limited('per_address')) + (await limited('connect_rate')) > refused)
  }
  expect(await limited('publish_rate')).toBeGreaterThan(0)
  expect((await site.health()).ok).toBe(true)
  attacker.signal('SIGTERM')
  expect(await attacker.exit).toBe(0)
  const did = JSON.parse(attacker.out()) as Record<string, number>
  for (const kind of ['connections', 'loris', 'messages']) expect(did[kind], kind).toBeGreaterThan(200)

  // The door is open again for who comes properly.
  const late = new Collector({ url: centreUrl, site: 'chaos' })
  await late.start()
  await late.stop()
  expect(await centre.command({ do: 'close-lane', lane: 'a' })).toMatchObject({ ok: true })
  const cleared = centre.log.of('passage.cleared').map((e) => e.subject)
  expect(cleared).toEqual(plates)
  await until('all was heard', () => centre.log.last === site.gateway.journal.head().sequence)
  expect(centre.log.faults()).toEqual([])
  expect(site.world.truth).toMatchObject({ disasters: [], counts: { passed: 1 + TRUCKS } })
  await site.stopGateway()
  expect((await verifyJournal(site.data)).ok).toBe(true)
}, 300_000)
