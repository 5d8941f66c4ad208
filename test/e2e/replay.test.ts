/** What a busy gate recorded goes through the lane core again: the same actions, passage by passage. */
import { afterEach, expect, it } from 'vitest'
import { replaySteps } from '../../gateway/cli/replay.ts'
import { openReader } from '../../gateway/journal/reader.ts'
import { recording } from '../../gateway/journal/recording.ts'
import { verifyJournal } from '../../gateway/journal/verify.ts'
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts'
import { openInside } from '../harness/chaos-inside.ts'
import { luong } from '../harness/chaos-process.ts'
import { until } from '../harness/chaos-site.ts'

const cleanups: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

it('every passage of a busy run with faults and restarts replays to the same actions', async () => {
  const clock = new VirtualClock({ pace: 40 })
  clock.start()
  cleanups.push(() => clock.stop())
  const site = await openInside({ lanes: ['a', 'b', 'c'], clock, world: { traffic: { every_s: 12, trouble: 0.3 }, officer: {} } })
  cleanups.push(() => site.stop())
  const seconds = async (n: number) => {
    const end = clock.mono() + n * 1_000
    await until(`${n} simulated seconds`, () => clock.mono() >= end, 120_000)
  }
  await seconds(90)
  site.world.devices.get('io-b').fault!('garbage')
  await seconds(20)
  site.world.devices.get('io-b').fault!('none')
  await seconds(60)
  await site.stopGateway()
  await seconds(5)
  await site.startGateway()
  await seconds(120)
  await site.stopGateway()
  const report = await verifyJournal(site.data)
  expect(report.bad).toBeUndefined()
  const reader = openReader(site.data)
  let steps = 0
  const passages = (reader.db.prepare('SELECT id FROM passages').pluck().all() as string[]) ?? []
  try {
    for (const id of passages) {
      for (const step of replaySteps(recording(reader, id))) {
        steps++
        expect(step.same, `passage ${id}, entry ${step.entry}: ${JSON.stringify(step)}`).toBe(true)
      }
    }
  } finally {
    reader.close()
  }
  expect(passages.length).toBeGreaterThan(10)
  process.stdout.write(`replay: ${passages.length} passages, ${steps} inputs, all with the same actions\n`)
  const ran = await luong(['replay', site.data, '--passage', passages[0]!])
  expect(ran).toMatchObject({ code: 0, out: expect.stringMatching(/inputs replayed, the same actions/) })
  const json = await luong(['replay', site.data, '--passage', passages[1]!, '--json'])
  for (const line of json.out.trimEnd().split('\n')) expect(JSON.parse(line)).toMatchObject({ same: true })
  const none = await luong(['replay', site.data, '--passage', 'X'])
  expect(none).toMatchObject({ code: 2, err: expect.stringMatching(/no inputs are recorded for passage X/) })
})
