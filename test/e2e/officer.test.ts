import { connect } from 'mqtt'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { until } from '../harness/chaos-site.ts'
import { type Event, kindOf } from '../harness/event-log.ts'
import { type RunningSite, startSite } from '../harness/site.ts'
import { rng } from '../sim/random.ts'
import type { Arrival } from '../sim/traffic.ts'
import { makeArrival } from '../sim/traffic.ts'
import { HABITS } from '../sim/truck.ts'

let site: RunningSite
beforeEach(async () => {
  site = await startSite({ file: 'test/sim-tests/one-lane.yaml', pace: 20 })
  await site.phases('idle')
})
afterEach(async () => {
  await site.stop()
})

let no = 0
/** A truck nobody declared comes and is referred. Returns its `referred` event. */
async function referred(options: { detained?: boolean } = {}): Promise<Event> {
  const facts = { id: 'lane', direction: 'import', takes: ['loaded'], scale: true } as const
  const arrival: Arrival = makeArrival(++no, facts, site.clock.now(), rng('officer', no), { trouble: 0, chinese: 0 }, HABITS.normal)
  const plate = arrival.truck.front!.text
  if (options.detained) await site.centre.publish(`list/detained/${plate}`, { key: plate, reason: 'wanted' }, true)
  const before = site.centre.log.of('passage.referred').length
  site.world.send('lane', { ...arrival, declaration: null })
  await until('it is referred', () => site.centre.log.of('passage.referred').length > before)
  return site.centre.log.of('passage.referred').at(-1)!
}

/** What the events of a command say. */
function answers(id: string): string[] {
  return site.centre.log
    .bySequence()
    .filter((e) => e.data.id === id && e.type.startsWith('luong.command.'))
    .map((e) => `${kindOf(e)} ${e.data.do ?? ''} ${e.data.by ?? ''}: ${e.data.why ?? ''}`)
}

const done = () => expect(site.centre.log.faults({ open: 1 })).toEqual([])

describe('an officer', () => {
  test('lets a referred truck through: reply, opened, cleared with the name', async () => {
    const { data } = await referred()
    const reply = await site.centre.command({ do: 'open', lane: 'lane', passage: data.passage, id: 'o-1' })
    expect(reply).toEqual({ id: 'o-1', ok: true })
    await until('it is cleared', () => site.centre.log.of('passage.cleared').length === 1)
    expect(site.centre.log.of('passage.cleared')[0]!.data).toMatchObject({
      passage: data.passage,
      outcome: 'cleared',
      by: 'Officer Lan',
      decision: { rule: 'not-declared', outcome: 'refer' },
    })
    expect(answers('o-1')).toEqual(['command.accepted open Officer Lan: '])
    expect(site.centre.log.of('command.accepted')[0]!.data).toMatchObject({ id: 'o-1', do: 'open', by: 'Officer Lan', reason: 'a test' })
    await site.phases('idle')
    expect(site.world.truth).toMatchObject({ counts: { passed: 1 }, disasters: [] })
    done()
  })

  test('turns one away: it is refused when it has left, by name', async () => {
    const { data } = await referred()
    expect(await site.centre.command({ do: 'refuse', lane: 'lane', passage: data.passage })).toMatchObject({ ok: true })
    site.world.lanes.get('lane')!.sendBack(1)
    await until('it is gone', () => site.centre.log.of('passage.refused').length === 1)
    expect(site.centre.log.of('passage.refused')[0]!.data).toMatchObject({ passage: data.passage, by: 'Officer Lan' })
    expect(site.world.truth.counts).toMatchObject({ passed: 0, backedOut: 1 })
    done()
  })

  test('is refused with a reason that can be acted on, and the arm does not move', async () => {
    const { data } = await referred()
    const open = { do: 'open', lane: 'lane' }
    const cases: [string, Record<string, unknown>, RegExp][] = [
      ['expired', { expires: new Date(site.clock.now() - 1_000).toISOString() }, /expired/],
      ['far-ahead', { expires: new Date(site.clock.now() + 48 * 3_600_000).toISOString() }, /24 hours/],
      ['unknown-lane', { lane: 'import-9' }, /no lane import-9.*lane/],
      ['unknown-field', { force: true }, /force/],
      ['nobody', { by: '' }, /by/],
      ['wrong-passage', { passage: '01J00000000000000000000000' }, /not the vehicle in lane lane.*that is 01/],
      ['not-a-command', { do: 'explode' }, /do/],
    ]
    for (const [id, change, why] of cases) {
      const reply = await site.centre.command({ ...open, id, ...change })
      expect(reply, id).toMatchObject({ id, ok: false })
      expect(reply.error, id).toMatch(why)
      await until(`the event of ${id}`, () => answers(id).length > 0)
      expect(answers(id), id).toHaveLength(1)
      expect(answers(id)[0], id).toMatch(/^command\.rejected/)
    }
    expect(site.gateway.lane('lane')!.state).toMatchObject({ phase: 'waiting', arm: 'closed' })
    // The same command twice: done once, refused the second time.
    expect(await site.centre.command({ ...open, id: 'twice', passage: data.passage })).toMatchObject({ ok: true })
    const again = await site.centre.command({ ...open, id: 'twice', passage: data.passage })
    expect(again).toMatchObject({ ok: false, error: expect.stringMatching(/repeated/) })
    await until('both are told', () => answers('twice').length === 2)
    expect(answers('twice').map((a) => a.split(' ')[0])).toEqual(['command.accepted', 'command.rejected'])
    await until('it is cleared', () => site.centre.log.of('passage.cleared').length === 1)
    await site.phases('idle')
    expect(site.world.truth.counts.passed).toBe(1)
    done()
  })

  test('cannot open for a detained vehicle until it is off the list', async () => {
    const { data } = await referred({ detained: true })
    const reply = await site.centre.command({ do: 'open', lane: 'lane', passage: data.passage, id: 'no' })
    expect(reply).toMatchObject({ ok: false, error: expect.stringMatching(/detained/) })
    await until('it is told', () => answers('no').length === 1)
    expect(answers('no')[0]).toMatch(/^command\.rejected open Officer Lan: .*detained/)
    expect(site.centre.log.of('alarm.raised').map((e) => e.data.alarm)).toEqual(['detained-vehicle'])
    expect(site.gateway.lane('lane')!.state).toMatchObject({ phase: 'waiting', arm: 'closed' })
    done()
  })

  test('closes and opens the lane, and turns its direction', async () => {
    const said = async (command: Record<string, unknown>) => (await site.centre.command({ lane: 'lane', do: 'close-lane', ...command })).ok
    expect(await said({ do: 'close-lane' })).toBe(true)
    await site.phases('closed')
    const open = await site.centre.command({ do: 'open', lane: 'lane' })
    expect(open).toMatchObject({ ok: false, error: expect.stringMatching(/out of service/) })
    expect(await said({ do: 'set-direction', direction: 'export' })).toBe(true)
    expect(await said({ do: 'open-lane' })).toBe(true)
    await site.phases('idle')
    await until('it is told', () => site.centre.log.of('lane.opened').length === 1)
    expect(site.centre.log.of('lane.closed')).toHaveLength(1)
    expect(site.centre.log.of('lane.opened')[0]!.data).toMatchObject({ lane: 'lane', direction: 'export' })
    await until('the state tells', () => site.centre.log.states.get('lane')?.direction === 'export')
    // Not while somebody is there.
    await referred()
    expect(await site.centre.command({ do: 'set-direction', direction: 'import', lane: 'lane' })).toMatchObject({ ok: false })
    expect(site.centre.log.of('passage.arrived')[0]!.data.direction).toBe('export')
    done()
  })

  test('has events sent again, byte for byte', async () => {
    await referred()
    await site.heard()
    const first = new Map<string, string>()
    const again = new Map<string, string>()
    let current = first
    const listener = connect(site.gateway.mqttUrl!, { clientId: 'second-centre', protocolVersion: 4 })
    listener.on('message', (_topic, payload) => current.set(JSON.parse(payload.toString()).id, payload.toString()))
    try {
      await new Promise<void>((resolve) => listener.once('connect', () => resolve()))
      await listener.subscribeAsync('luong/v1/one/lane/+/event', { qos: 1 })
      const { sequence } = site.gateway.journal.head()
      for (const into of [first, again]) {
        current = into
        expect(await site.centre.command({ do: 'resend-from', from: 1, id: `again-${into === again}` })).toMatchObject({ ok: true })
        await until('all came again', () => Array.from({ length: sequence }, (_, i) => `one:${i + 1}`).every((id) => into.has(id)))
      }
      for (const [id, text] of first) if (again.has(id)) expect(again.get(id)).toBe(text)
      expect(site.centre.log.duplicates).toBeGreaterThanOrEqual(2 * sequence)
      const beyond = await site.centre.command({ do: 'resend-from', from: 1_000_000, id: 'beyond' })
      expect(beyond).toMatchObject({ ok: false })
      await until('it is told', () => answers('beyond').length === 1)
      expect(answers('beyond')[0]).toMatch(/command\.rejected/)
    } finally {
      await listener.endAsync(true)
    }
    done()
  })
})
