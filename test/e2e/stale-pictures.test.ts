/** A broker that keeps what it could not deliver must not open the arm for a truck that has long gone. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { loadSite } from '../../config/load.ts'
import { Gate, listenLine } from '../harness/chaos-gate.ts'
import { Collector, runGateway } from '../harness/chaos-process.ts'
import { quiet, until, writeSite } from '../harness/chaos-site.ts'
import { startMosquitto } from '../harness/mosquitto.ts'
import { scenePainter } from '../sim/camera.ts'
import { rng } from '../sim/random.ts'
import { makeArrival } from '../sim/traffic.ts'
import { HABITS } from '../sim/truck.ts'

const cleanups: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

it('pictures taken while the gateway was dead are not read as those of the truck that stands there now', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'luong-stale-'))
  cleanups.push(() => rm(dir, { recursive: true, force: true }))
  const broker = await startMosquitto()
  cleanups.push(() => broker.stop())
  const bus = await listenLine('127.0.0.1', 0, quiet)
  cleanups.push(() => bus.stop())
  const site = await writeSite({
    dir,
    lanes: ['a'],
    bus: { kind: 'tcp', host: '127.0.0.1', port: Number(bus.where.split(':')[1]) },
    broker: { external: { url: broker.url } },
  })
  const collector = new Collector()
  await collector.start(broker.url, 'luong/v1/chaos')
  cleanups.push(() => collector.stop())
  // The lane's own cameras see nothing: what is read can only be from before.
  const gate = await Gate.make({
    loaded: await loadSite(site),
    brokerUrl: broker.url,
    bus,
    seed: 1,
    painter: () => Promise.reject(new Error('dark')),
  })
  gate.enough()
  gate.start()
  cleanups.push(() => gate.stop())

  const lane = { id: 'a', direction: 'import' as const, takes: ['loaded'], scale: false }
  const gone = makeArrival(1, lane, Date.now(), rng(1, 'gone'), { trouble: 0 }, HABITS.brisk)
  const paint = scenePainter(1)
  const shot = { lane: 'a', vehicle: { truck: gone.truck } as never, near: 1, night: false }
  const pictures = await Promise.all(
    (['front', 'rear'] as const).flatMap((side) =>
      [0, 1, 2].map(async (number) => ({ side, image: await paint({ ...shot, side, number }) })),
    ),
  )

  await until('the world is connected', () => gate.messages.up)
  await gate.messages.publish(`luong/v1/chaos/declaration/${gone.declaration!.id}`, JSON.stringify(gone.declaration), {
    qos: 1,
    retain: true,
  })
  const first = runGateway(site)
  cleanups.push(() => first.kill('SIGKILL'))
  await first.ready()
  await until('the lane is idle', () => collector.lanes.get('a')?.phase === 'idle')
  await first.kill('SIGKILL')
  // The declared truck is photographed and turns away; another one, of which nobody knows, comes instead.
  for (let round = 0; round < 20; round++) for (const { side, image } of pictures) await collector.publish(`camera/a/${side}`, image)
  gate.world.send('a', { ...makeArrival(2, lane, Date.now(), rng(2, 'other'), {}, HABITS.brisk), declaration: null })
  await until('it stands at the line', () => gate.world.truth.vehicles[0]?.stoppedAt)
  const second = runGateway(site)
  cleanups.push(() => second.kill('SIGKILL'))
  const decided = await until('the lane has decided', () => [...collector.events.values()].find((e) => e.text.includes('passage.decided')))
  const { data } = JSON.parse(decided.text) as { data: { plates: { text: string }[]; decision: { outcome: string } } }
  expect(data.plates).toEqual([])
  expect(data.decision.outcome).toBe('refer')
})
