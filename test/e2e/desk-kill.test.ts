/** Row 12: what the desk knows survives kill -9: who has taken a vehicle, how long it waits, and the alarm that is raised. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { loadSite } from '../../config/load.ts'
import { mqttTransport } from '../../firmware-bridge/transport/mqtt.ts'
import { listenLine } from '../../firmware-bridge/transport/sim-line.ts'
import { systemClock } from '../../gateway/kernel/clock.ts'
import { runGateway } from '../harness/chaos-process.ts'
import { quiet, until, writeSite } from '../harness/chaos-site.ts'
import { Collector } from '../harness/collector.ts'
import type { EventData } from '../harness/event-log.ts'
import { startMosquitto } from '../harness/mosquitto.ts'
import { rng } from '../sim/random.ts'
import { makeArrival } from '../sim/traffic.ts'
import { HABITS } from '../sim/truck.ts'
import { createWorld } from '../sim/world.ts'

const cleanups: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

/** A lane with an undeclared truck at the line that was referred; the gateway is a process of its own. */
async function referred(desk: string) {
  const dir = await mkdtemp(join(tmpdir(), 'luong-desk-'))
  cleanups.push(() => rm(dir, { recursive: true, force: true }))
  const mosquitto = await startMosquitto()
  cleanups.push(() => mosquitto.stop())
  const bus = await listenLine('127.0.0.1', 0, quiet)
  cleanups.push(() => bus.stop())
  const address = { kind: 'tcp', host: '127.0.0.1', port: Number(bus.where.split(':')[1]) }
  const lanes = await writeSite({ dir, lanes: ['a'], bus: address, broker: { external: { url: mosquitto.url } } }, 'lanes.yaml')
  const file = join(dir, 'site.yaml')
  await writeFile(file, `version: 1\ninclude: [${lanes}]\ndesk: ${desk}\n`)
  const centre = new Collector({ url: mosquitto.url, site: 'chaos' })
  await centre.start()
  cleanups.push(() => centre.stop())
  const messages = mqttTransport({ name: 'world', url: mosquitto.url, clock: systemClock, log: quiet })
  messages.start()
  cleanups.push(() => messages.stop())
  const loaded = await loadSite(file)
  const world = await createWorld(loaded, { clock: systemClock, log: quiet, seed: 1, lineFor: () => bus.line, messages, traffic: false })
  cleanups.push(() => world.stop())
  world.start()
  const start = async () => {
    const gateway = runGateway(file)
    cleanups.push(() => gateway.kill('SIGKILL'))
    await gateway.ready()
    await until('the lane works', () => ['idle', 'identifying', 'waiting'].includes(String(centre.log.states.get('a')?.phase)))
    return gateway
  }
  const gateway = await start()
  await until('the lane is idle', () => centre.log.states.get('a')?.phase === 'idle')
  const lane = { id: 'a', direction: 'import', takes: ['loaded'], scale: false } as const
  const { truck } = makeArrival(1, lane, Date.now(), rng('desk', 1), { trouble: 0, chinese: 0 }, HABITS.normal)
  world.send('a', { truck, declaration: null, detained: false, trouble: null })
  const told = (kind: string) => centre.log.of(kind).map((e) => e.data as EventData)
  await until('it is referred', () => told('passage.referred').length === 1)
  const again = async (from: Awaited<ReturnType<typeof start>>) => {
    await from.kill('SIGKILL')
    const next = await start()
    await until('it is referred again', () => told('passage.referred').length === 2)
    return next
  }
  return { centre, world, told, gateway, again, passage: told('passage.referred')[0]!.passage! }
}

test('who has taken it still has it, and nobody else decides', async () => {
  const { centre, told, gateway, again, passage } = await referred('{ take_min: 5, decide_min: 15 }')
  expect(await centre.command({ do: 'take', lane: 'a', by: 'Lan', reason: 'papers', passage })).toMatchObject({ ok: true })
  await again(gateway)
  await until('Lan still has it', () => told('passage.taken').length === 2)
  expect(told('passage.aborted')).toMatchObject([{ passage, why: 'lost over a restart' }])
  const now = told('passage.referred')[1]!.passage!
  expect(told('passage.taken')[1]).toMatchObject({ passage: now, by: 'Lan', why: `taken before the restart, as passage ${passage}` })
  await until('the state tells', () => (centre.log.states.get('a')?.passage as { taken_by?: string } | null)?.taken_by === 'Lan')
  expect(await centre.command({ do: 'open', lane: 'a', by: 'Minh', passage: now })).toMatchObject({
    ok: false,
    error: expect.stringMatching(/Lan has taken/),
  })
  expect(await centre.command({ do: 'open', lane: 'a', by: 'Lan', passage: now })).toMatchObject({ ok: true })
  await until('it is through', () => told('passage.cleared').length === 1)
  expect(told('passage.cleared')).toMatchObject([{ passage: now, by: 'Lan' }])
  expect(centre.log.faults()).toEqual([])
})

test('an alarm that was raised is cleared once, and raised for the vehicle that still waits', async () => {
  const { centre, told, gateway, again, passage } = await referred('{ take_min: 0.1, decide_min: 15 }')
  const alarms = (change: string) => told(`alarm.${change}`).filter((a) => a.alarm === 'desk-unattended')
  await until('it is escalated', () => alarms('raised').length === 1)
  await again(gateway)
  await until('escalated anew, without waiting once more', () => alarms('raised').length === 2)
  const now = told('passage.referred')[1]!.passage!
  expect(told('passage.escalated').map((e) => e.passage)).toEqual([passage, now])
  expect(alarms('cleared')).toMatchObject([{ passage }])
  expect(await centre.command({ do: 'take', lane: 'a', by: 'Lan', passage: now })).toMatchObject({ ok: true })
  expect(alarms('cleared')).toMatchObject([{ passage }, { passage: now, why: 'taken by Lan' }])
  expect(centre.log.faults({ open: 1 })).toEqual([])
})
