/** Both halves of a smart gate with nothing between them but a bridge from broker to broker: both ways, and after a long cut. */
import { afterEach, expect, test } from 'vitest'
import { until } from '../harness/chaos-site.ts'
import { type Name, type RunningPair, startPair } from '../harness/pair.ts'

/** Simulated minutes without the bridge; hours of it, without whole sites around it, are in test/gateway/peer/link.test.ts. */
const MINUTES = 20
let pair: RunningPair | undefined
afterEach(() => pair?.stop())

test('a bridge between the brokers of the two halves carries hand-overs both ways, and after hours of cut', {
  timeout: 300_000,
}, async () => {
  pair = await startPair({ bridge: true, settings: { peer: { within_min: 1_440 } } })
  const { get, send, told, clock, cable, met } = pair
  const data = (name: Name, kind: string) =>
    get(name)
      .centre.log.of(kind)
      .map((e) => e.data as Record<string, unknown>)
  await met()

  const out = await send('huu-nghi', 'export-1')
  const back = await send('youyiguan', 'import-1')
  await told('youyiguan', 'passage.cleared', out)
  await told('huu-nghi', 'passage.cleared', back)
  await told('huu-nghi', 'peer.received', out)
  await told('youyiguan', 'peer.received', back)
  // Each told the other what it may, and nothing else: the weight only in one direction.
  const said = (name: Name) => data(name, 'peer.expected')[0]!
  for (const name of ['huu-nghi', 'youyiguan'] as const) expect(said(name)).not.toHaveProperty('declaration')
  expect(get('youyiguan').centre.log.faults({ open: 2 })).toEqual([])

  cable.cut()
  const announced = await send('huu-nghi', 'export-1')
  await told('huu-nghi', 'peer.handed-over', announced)
  await told('youyiguan', 'passage.referred', announced)
  const [pace, until_] = [clock.pace, clock.mono() + MINUTES * 60_000]
  clock.pace = 1_000
  await until(`${MINUTES} minutes pass`, () => clock.mono() >= until_, 400_000)
  clock.pace = pace
  for (const name of ['huu-nghi', 'youyiguan'] as const)
    await until(`${name} misses the other`, () => data(name, 'alarm.raised').some((d) => d.alarm === 'peer-silent'))
  expect(data('youyiguan', 'peer.expected').map((d) => d.plate)).toEqual([out])

  cable.mend()
  await met()
  await told('youyiguan', 'peer.arrived', announced)
  expect(data('youyiguan', 'peer.expected').map((d) => d.plate)).toEqual([out, announced])
  const { passage } = data('youyiguan', 'passage.referred').find((d) => d.plates !== undefined)!
  await get('youyiguan').centre.command({ do: 'open', lane: 'export-1', passage })
  const [later, homeward] = [await send('huu-nghi', 'export-2'), await send('youyiguan', 'import-2')]
  await told('youyiguan', 'passage.cleared', later)
  await told('huu-nghi', 'passage.cleared', homeward)
  for (const [name, plates] of [
    ['youyiguan', [out, announced, later]],
    ['huu-nghi', [back, homeward]],
  ] as const) {
    expect(data(name, 'peer.expected').map((d) => d.plate)).toEqual(plates)
    expect(data(name, 'peer.missing')).toEqual([])
  }
})
