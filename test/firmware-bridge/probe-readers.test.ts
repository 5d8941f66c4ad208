import { expect, it } from 'vitest'
import { buildSim } from '../../firmware-bridge/build-sim.ts'
import type { ProbeFact } from '../../firmware-bridge/driver.ts'
import { probeDevice } from '../../firmware-bridge/probe.ts'
import { memoryLine } from '../../firmware-bridge/transport/memory.ts'
import { silentLog } from '../../gateway/kernel/log.ts'
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts'
import { parseDevices } from '../contract/rig.ts'

async function probed(driver: string, happens: Record<number, (sim: Awaited<ReturnType<typeof buildSim>>) => void>, differs = {}) {
  const clock = new VirtualClock({ epoch: 0, rounds: 1 })
  const line = memoryLine('wire', clock)
  const common = {
    links: { wire: { kind: 'memory' } } as const,
    devices: parseDevices({ dev: { driver, link: 'wire', ...differs } }),
    clock,
    log: silentLog,
  }
  const sims = await buildSim({ ...common, lineFor: () => line.device })
  sims.start()
  // Times count from when the line comes up: loading the driver takes no time of this clock.
  line.master.onState((up) => {
    if (up) for (const [at, fn] of Object.entries(happens)) clock.after(Number(at), () => fn(sims))
  })
  const live: ProbeFact[] = []
  clock.start()
  const result = await probeDevice({ ...common, device: 'dev', bytesFor: () => line.master, onFact: (fact) => live.push(fact) })
  await sims.stop()
  clock.stop()
  return { ...result, live }
}

it('shows tags as they come, and in the end how often and how well each was read', async () => {
  const { ok, facts, live } = await probed(
    'chafon',
    {
      500: (s) => s.get('dev').tag!.place(['E28068940000500012345678']),
      1500: (s) => s.get('dev').tag!.place([]),
      4200: (s) => s.get('dev').tag!.place(['30751FEB705C5904E3D50D70']),
    },
    { family: '288' },
  )
  expect(ok).toBe(true)
  expect(live.map((f) => f.value)).toEqual([
    'E28068940000500012345678 (signal 107, antenna 1)',
    '30751FEB705C5904E3D50D70 (signal 107, antenna 1)',
  ])
  const tags = facts.filter((f) => f.what === 'tag').map((f) => f.value)
  expect(tags).toHaveLength(2)
  expect(tags[0]).toMatch(/^E28068940000500012345678 \(read \d+ times, signal 107, antenna 1\)$/)
})

it('shows codes, and says when none came', async () => {
  const { facts, live } = await probed('qr-line', { 300: (s) => s.get('dev').code!.scan('TK-2026/1') })
  expect(live).toEqual([{ what: 'code', value: 'TK-2026/1' }])
  expect(facts).toContainEqual({ what: 'code', value: 'TK-2026/1' })
  expect((await probed('r200', {})).facts).toContainEqual({ what: 'tag', value: 'none came' })
})
