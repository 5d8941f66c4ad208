/** Both halves of a smart gate, each with its own gateway and broker: trucks cross both ways, over cuts, restarts, replays and wrong clocks. */
import { connect, type MqttClient } from 'mqtt'
import { afterEach, describe, expect, test } from 'vitest'
import { until } from '../harness/chaos-site.ts'
import type { Event } from '../harness/event-log.ts'
import { type Name, type PairOptions, type RunningPair, startPair } from '../harness/pair.ts'

let pair: RunningPair
const undo: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})
async function start(options: PairOptions = {}): Promise<void> {
  pair = await startPair(options)
  undo.push(() => pair.stop())
  await pair.met()
}

type PeerData = Event['data'] & { readonly plate?: string; readonly handover?: string; readonly differs?: readonly string[] }
const told = (name: Name, kind: string): PeerData[] =>
  pair
    .get(name)
    .centre.log.of(kind)
    .map((e) => e.data)
const alarms = (name: Name, alarm: string) =>
  ['raised', 'cleared'].flatMap((c) =>
    told(name, `alarm.${c}`)
      .filter((d) => d.alarm === alarm)
      .map(() => c),
  )
const done = async () => {
  for (const name of ['huu-nghi', 'youyiguan'] as const) {
    await pair.get(name).gateway.settle()
    await pair.get(name).heard()
    expect(pair.get(name).centre.log.faults({ open: 2 })).toEqual([])
    expect(pair.get(name).world.truth.disasters).toEqual([])
  }
}

describe('a pair', () => {
  test('hands trucks over both ways, and tells the other only what may be told', async () => {
    await start()
    const heard: Record<string, unknown>[] = []
    const listener: MqttClient = connect(pair.get('huu-nghi').gateway.mqttUrl!, { protocolVersion: 4 })
    undo.push(() => listener.endAsync(true))
    listener.on('message', (_, payload) => heard.push(JSON.parse(payload.toString())))
    await listener.subscribeAsync('luong/v1/+/peer/+/hand-over', { qos: 1 })
    const out = await pair.send('huu-nghi', 'export-1')
    const back = await pair.send('youyiguan', 'import-1')
    await pair.told('youyiguan', 'passage.cleared', out)
    await pair.told('huu-nghi', 'passage.cleared', back)
    for (const [from, to, plate] of [
      ['huu-nghi', 'youyiguan', out],
      ['youyiguan', 'huu-nghi', back],
    ] as const) {
      await pair.told(from, 'peer.received', plate)
      const [handed, expected, arrived] = [told(from, 'peer.handed-over'), told(to, 'peer.expected'), told(to, 'peer.arrived')]
      expect(handed.map((d) => d.plate)).toEqual([plate])
      expect(expected).toMatchObject([{ plate, handover: handed[0]!.handover, peer: from }])
      expect(arrived).toMatchObject([{ plate, handover: handed[0]!.handover, differs: [] }])
      const cleared = pair
        .get(to)
        .centre.log.of('passage.cleared')
        .find((e) => e.subject === plate)
      expect(cleared?.data).toMatchObject({ decision: { rule: 'declared', outcome: 'pass' }, passage: arrived[0]!.passage })
    }
    await until('both hand-overs were heard', () => heard.length >= 2)
    const envelope = ['at', 'direction', 'from', 'handover', 'id', 'kind', 'lane', 'left_at', 'number', 'plate', 'stream']
    for (const message of heard) {
      const shared = pair.get(message.from as Name).loaded.site.site.id === 'huu-nghi' ? [] : ['weight_kg']
      const allowed = [...envelope, 'trailer', 'container', 'tag', 'traffic', ...shared]
      expect(Object.keys(message).filter((key) => !allowed.includes(key))).toEqual([])
      expect(envelope.filter((key) => !(key in message))).toEqual([])
    }
    for (const name of ['huu-nghi', 'youyiguan'] as const) expect(told(name, 'alarm.raised')).toEqual([])
    await done()
  })

  test('with clocks 10 minutes apart works as ever, and says so', async () => {
    await start({ skewMs: 600_000 })
    const plate = await pair.send('huu-nghi', 'export-1')
    await pair.told('youyiguan', 'passage.cleared', plate)
    for (const name of ['huu-nghi', 'youyiguan'] as const) {
      await until(`${name} names the difference`, () => alarms(name, 'peer-clock').length === 1)
      const why = String(told(name, 'alarm.raised')[0]!.why)
      expect(why).toMatch(
        name === 'huu-nghi' ? /clock of youyiguan is (9|10)(\.\d)? min ahead/ : /clock of huu-nghi is (9|10)(\.\d)? min behind/,
      )
    }
    expect(told('youyiguan', 'peer.missing')).toEqual([])
    await done()
  })

  test('over a cut link and a restart: nothing is lost, nothing comes twice', async () => {
    await start()
    pair.cable.cut()
    const first = await pair.send('huu-nghi', 'export-1')
    await pair.told('huu-nghi', 'peer.handed-over', first)
    // It comes before its announcement does: unknown is not yes.
    await pair.told('youyiguan', 'passage.referred', first)
    const referred = pair
      .get('youyiguan')
      .centre.log.of('passage.referred')
      .find((e) => e.subject === first)!
    expect(referred.data.decision).toMatchObject({ rule: 'pair-cut', outcome: 'refer' })
    expect(Object.keys(referred.data.decision!.reasons[0]!).sort()).toEqual(['en', 'vi', 'zh'])
    await pair.restart('huu-nghi')
    pair.cable.mend()
    await pair.met()
    await pair.told('youyiguan', 'peer.arrived', first)
    expect(told('youyiguan', 'peer.expected').map((d) => d.plate)).toEqual([first])
    const reply = await pair.get('youyiguan').centre.command({ do: 'open', lane: 'export-1', passage: referred.data.passage })
    expect(reply).toMatchObject({ ok: true })
    await pair.told('youyiguan', 'passage.cleared', first)
    const second = await pair.send('huu-nghi', 'export-1')
    await pair.told('youyiguan', 'passage.cleared', second)
    expect(told('youyiguan', 'peer.expected').map((d) => d.plate)).toEqual([first, second])
    expect(told('youyiguan', 'peer.arrived').map((d) => d.plate)).toEqual([first, second])
    await until('all of it is acknowledged', async () => {
      const health = await fetch(`http://127.0.0.1:${pair.get('huu-nghi').gateway.httpPort}/health`)
      return ((await health.json()) as { peer: { waiting: number } }).peer.waiting === 0
    })
  })

  test('raises the alarm for a truck that nobody handed over, and for one that never comes', async () => {
    await start({ settings: { peer: { within_min: 3 } } })
    const stranger = await pair.send('youyiguan', 'export-1')
    await pair.told('youyiguan', 'passage.referred', stranger)
    expect(alarms('youyiguan', 'peer-unexpected')).toEqual(['raised'])
    expect(told('youyiguan', 'passage.referred')[0]!.decision).toMatchObject({ rule: 'pair-unexpected' })
    const lost = await pair.send('huu-nghi', 'export-2')
    pair.crossing.stop()
    await pair.told('youyiguan', 'peer.missing', lost)
    expect(alarms('youyiguan', 'peer-missing')).toEqual(['raised'])
    await pair.told('huu-nghi', 'peer.missing', lost)
    // An officer knows what became of it.
    const about = told('youyiguan', 'peer.missing')[0]!.handover!
    const settle = { do: 'acknowledge', about, by: '王伟', reason: 'turned back on the bridge' }
    expect(await pair.get('youyiguan').centre.command(settle)).toMatchObject({ ok: true })
    await until('the alarm is cleared', () => alarms('youyiguan', 'peer-missing').includes('cleared'))
    await done()
  })

  test('turns a lane only when the other half has shut and emptied its end of the road', async () => {
    await start()
    const say = (name: Name, c: object) => pair.get(name).centre.command({ lane: 'export-2', do: 'close-lane', ...c })
    expect(await say('huu-nghi', {})).toMatchObject({ ok: true })
    await until('it is out of service', () => pair.get('huu-nghi').gateway.lane('export-2')!.state.phase === 'closed')
    const turn = { do: 'set-direction', direction: 'import' }
    const no = await say('huu-nghi', turn)
    expect(no).toMatchObject({ ok: false, error: expect.stringMatching(/other side does not agree: lane export-2 is in service here/) })
    expect(await say('youyiguan', {})).toMatchObject({ ok: true })
    await until('theirs is, too', () => pair.get('youyiguan').gateway.lane('export-2')!.state.phase === 'closed')
    expect(await say('huu-nghi', turn)).toMatchObject({ ok: true })
    expect(await say('youyiguan', turn)).toMatchObject({ ok: true })
    for (const name of ['huu-nghi', 'youyiguan'] as const) expect(pair.get(name).gateway.lane('export-2')!.direction).toBe('import')
    // Whoever cannot be asked does not agree.
    pair.cable.cut()
    await until('it is noticed', async () => {
      const reply = await say('youyiguan', { ...turn, direction: 'export' })
      return !reply.ok && /does not agree/.test(reply.error ?? '')
    })
    await done()
  })

  test('takes no hand-over twice, out of order, or from somebody else', async () => {
    await start()
    const url = pair.get('huu-nghi').gateway.mqttUrl!
    const intruder = connect(url, { protocolVersion: 4 })
    undo.push(() => intruder.endAsync(true))
    const seen: Record<string, unknown>[] = []
    intruder.on('message', (_, payload) => seen.push(JSON.parse(payload.toString())))
    await intruder.subscribeAsync('luong/v1/youyiguan/peer/huu-nghi/hand-over', { qos: 1 })
    const plate = await pair.send('youyiguan', 'import-1')
    await pair.told('huu-nghi', 'peer.expected', plate)
    await until('it was heard', () => seen.length > 0)
    const [message] = seen
    const topic = 'luong/v1/youyiguan/peer/huu-nghi/hand-over'
    const forged = { ...message, plate: '99Z99999' }
    const bad = [
      message,
      forged,
      { ...forged, number: 7, id: `${message!.stream}-7` },
      { ...forged, number: 2 },
      { ...forged, stream: 'f'.repeat(16), number: 1, id: `${'f'.repeat(16)}-1` },
      { ...forged, from: 'somebody' },
      { ...forged, extra: true },
      'nonsense',
    ]
    for (const b of bad) await intruder.publishAsync(topic, JSON.stringify(b), { qos: 1 })
    const refused = async () => {
      const health = await fetch(`http://127.0.0.1:${pair.get('huu-nghi').gateway.httpPort}/health`)
      return ((await health.json()) as { peer: { refused: number } }).peer.refused
    }
    await until('they were refused', async () => (await refused()) >= 4)
    await pair.told('huu-nghi', 'passage.cleared', plate)
    const next = await pair.send('youyiguan', 'import-1')
    await pair.told('huu-nghi', 'passage.cleared', next)
    expect(told('huu-nghi', 'peer.expected').map((d) => d.plate)).toEqual([plate, next])
    await done()
  })
})
