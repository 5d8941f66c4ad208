/** Both halves of a smart gate with nothing between them but a bridge from broker to broker: both ways, and after a long cut. */
import { connect } from 'mqtt'
import { afterEach, expect, test } from 'vitest'
import { until } from '../harness/chaos-site.ts'
import { type Name, type RunningPair, startPair } from '../harness/pair.ts'

/** Simulated minutes without the bridge; hours of it, without whole sites around it, are in test/gateway/peer/link.test.ts. */
const MINUTES = 20
const undo: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

test('a bridge between the brokers of the two halves carries hand-overs both ways, and after a long cut', {
  timeout: 300_000,
}, async () => {
  const pair: RunningPair = await startPair({ bridge: true, settings: { peer: { within_min: 1_440 } } })
  undo.push(() => pair.stop())
  const { get, send, told, clock, cable, met } = pair
  const data = (name: Name, kind: string) =>
    get(name)
      .centre.log.of(kind)
      .map((e) => e.data as Record<string, unknown>)
  await met()
  const heard: Record<string, unknown>[] = []
  for (const [at, from] of [
    ['huu-nghi', 'youyiguan'],
    ['youyiguan', 'huu-nghi'],
  ] as const) {
    const listener = connect(get(at).gateway.mqttUrl!, { protocolVersion: 4 })
    undo.push(() => listener.endAsync(true))
    listener.on('message', (_, payload) => heard.push(JSON.parse(payload.toString())))
    await listener.subscribeAsync(`luong/v1/${from}/peer/${at}/hand-over`, { qos: 1 })
  }

  const out = await send('huu-nghi', 'export-1')
  const back = await send('youyiguan', 'import-1')
  await told('youyiguan', 'passage.cleared', out)
  await told('huu-nghi', 'passage.cleared', back)
  await told('huu-nghi', 'peer.received', out)
  await told('youyiguan', 'peer.received', back)
  // What came over the bridge is what each may tell, and nothing else: the weight only in one direction.
  const envelope = ['at', 'direction', 'from', 'handover', 'id', 'kind', 'lane', 'left_at', 'number', 'plate', 'stream']
  const shared = ['trailer', 'container', 'tag', 'traffic']
  await until('both hand-overs were heard beyond the bridge', () => heard.length >= 2)
  for (const message of heard) {
    const allowed = [...envelope, ...shared, ...(message.from === 'youyiguan' ? ['weight_kg'] : [])]
    expect(Object.keys(message).filter((key) => !allowed.includes(key))).toEqual([])
  }
  expect(get('youyiguan').centre.log.faults({ open: 2 })).toEqual([])

  cable.cut()
  const announced = await send('huu-nghi', 'export-1')
  await told('huu-nghi', 'peer.handed-over', announced)
  await told('youyiguan', 'passage.referred', announced)
  // It came before its announcement: unknown is not yes.
  expect(data('youyiguan', 'passage.referred')[0]).toMatchObject({
    decision: { rule: expect.stringMatching(/^pair-(cut|unexpected)$/), outcome: 'refer' },
  })
  const [pace, until_] = [clock.pace, clock.mono() + MINUTES * 60_000]
  clock.pace = 1_000
  await until(`${MINUTES} minutes pass`, () => clock.mono() >= until_, 400_000)
  clock.pace = pace
  expect(data('youyiguan', 'peer.expected').map((d) => d.plate)).toEqual([out])

  cable.mend()
  await met()
  await told('youyiguan', 'peer.arrived', announced)
  expect(data('youyiguan', 'peer.expected').map((d) => d.plate)).toEqual([out, announced])
  const { passage } = data('youyiguan', 'passage.referred')[0]!
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
