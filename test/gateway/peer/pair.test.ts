/** Vehicles and messages between the two halves, by the pure core. */
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { differences, find } from '../../../gateway/peer/match.ts'
import { MOST_WAITING } from '../../../gateway/peer/pair.ts'
import { documentsOf, recallPair } from '../../../gateway/peer/state.ts'
import { passage, TwoHalves } from './world.ts'

const MIN = 60_000
let two: TwoHalves
beforeEach(() => {
  two = new TwoHalves()
  two.connect()
})
const leaves = (plate: string | null, more: Parameters<typeof passage>[4] = {}) =>
  two.give(two.a, passage('cleared', 'export', plate, { half: two.a, at: two.at }, more))
const stands = (plate: string | null, more: Parameters<typeof passage>[4] = {}) =>
  two.give(two.b, passage('decided', 'export', plate, { half: two.b, at: two.at }, more))
const passes = (plate: string | null, more: Parameters<typeof passage>[4] = {}) =>
  two.give(two.b, passage('cleared', 'export', plate, { half: two.b, at: two.at }, more))
const id = (n: number) => `01K${String(n).padStart(23, '0')}`

describe('a vehicle that is handed over', () => {
  it('is expected there, arrives, and both sides know', () => {
    leaves('24C00001', { id: id(1), trailer: '24R00001' })
    expect(two.a.told('handed-over')).toMatchObject([{ handover: id(1), plate: '24C00001', trailer: '24R00001' }])
    expect(two.b.told('expected')).toMatchObject([{ handover: id(1), plate: '24C00001', trailer: '24R00001', late: false }])
    two.pass(10 * MIN)
    stands('24C00001', { id: id(2), trailer: '24R00001' })
    expect(two.b.told('arrived')).toMatchObject([{ handover: id(1), passage: id(2), differs: [], late: false }])
    expect(two.a.told('received')).toMatchObject([{ handover: id(1), plate: '24C00001', differs: [] }])
    expect(two.a.state.underWay.size).toBe(0)
    passes('24C00001', { id: id(2), trailer: '24R00001' })
    expect(two.b.state.expected.size).toBe(0)
    two.pass(60 * MIN)
    expect([...two.a.alarms(), ...two.b.alarms()]).toEqual([])
  })

  it('is handed over only in the direction that leaves for the other side', () => {
    two.give(two.a, passage('cleared', 'import', '24C00001', { half: two.a, at: two.at }))
    two.give(two.a, passage('decided', 'export', '24C00002', { half: two.a, at: two.at }))
    expect(two.a.told('handed-over')).toEqual([])
    two.give(two.b, passage('cleared', 'import', '24C00003', { half: two.b, at: two.at }))
    expect(two.a.told('expected')).toMatchObject([{ plate: '24C00003', direction: 'import' }])
  })

  it('is missing after the time allowed: an alarm there, known here; it clears when it comes', () => {
    leaves('24C00001', { id: id(1) })
    two.pass(30 * MIN)
    expect(two.b.told('missing')).toEqual([])
    two.pass(2_000)
    expect(two.b.alarms()).toEqual(['raised peer-missing 24C00001'])
    expect(two.b.events.at(-1)).toMatchObject({ about: id(1), why: '24C00001 left a 30 min ago and has not come; 30 min are allowed' })
    expect(two.a.told('missing')).toMatchObject([{ handover: id(1), plate: '24C00001', way: 'out' }])
    two.b.boot(two.at)
    two.pass(10 * MIN)
    stands('24C00001')
    expect(two.b.alarms()).toEqual(['raised peer-missing 24C00001', 'cleared peer-missing 24C00001'])
    expect(two.b.told('arrived')).toMatchObject([{ late: true }])
  })

  it('is settled by an officer who knows where it is', () => {
    leaves('24C00001', { id: id(1) })
    two.pass(31 * MIN)
    const no = two.give(two.b, { kind: 'acknowledge', about: id(9), by: 'Lan', answer: 'broke down' })
    expect(no.answer).toMatch(/no message or hand-over .* waits/)
    const done = two.give(two.b, { kind: 'acknowledge', about: id(1), by: 'Lan', answer: 'broke down on the bridge' })
    expect(done.answer).toBeNull()
    expect(two.b.told('settled')).toMatchObject([{ handover: id(1), by: 'Lan', text: 'broke down on the bridge' }])
    expect(two.b.alarms()).toEqual(['raised peer-missing 24C00001', 'cleared peer-missing 24C00001'])
  })

  it('tells what was swapped on the way: the trailer, or the plates of the tractor', () => {
    leaves('24C00001', { id: id(1), trailer: '24R00001', share: { tag: 'E2801' } })
    stands('24C00001', { trailer: '24R09999' })
    expect(two.b.told('arrived')[0]!.differs).toEqual(['trailer 24R00001 ≠ 24R09999'])
    leaves('24C00002', { id: id(2), share: { tag: 'E2802' } })
    stands('24C07777', { tags: ['E2802'] })
    expect(two.b.told('arrived')[1]).toMatchObject({ handover: id(2), differs: ['plate 24C00002 ≠ 24C07777'] })
    expect(two.a.told('received').map((r) => r.differs?.length)).toEqual([1, 1])
  })

  it('that stands at one lane and then at another has arrived once', () => {
    leaves('24C00001')
    stands('24C00001', { id: id(2) })
    stands('24C00001', { id: id(3) })
    passes('24C00001', { id: id(3) })
    expect(two.b.told('arrived').map((e) => e.passage)).toEqual([id(2), id(3)])
    expect(two.a.told('received')).toHaveLength(1)
    expect(two.b.state.expected.size).toBe(0)
  })

  it('that came while the link was cut is brought together with its announcement, also when it has passed', () => {
    two.disconnect()
    leaves('24C00001', { id: id(1) })
    leaves('24C00002', { id: id(2) })
    two.pass(10 * MIN)
    stands('24C00001', { id: id(3) })
    stands('24C00002', { id: id(4) })
    passes('24C00002', { id: id(4) })
    two.pass(180 * MIN)
    two.connect()
    two.pass(5_000)
    expect(two.b.told('arrived').map((e) => [e.handover, e.passage])).toEqual([
      [id(1), id(3)],
      [id(2), id(4)],
    ])
    expect([...two.b.state.expected.keys()]).toEqual([id(1)])
    expect(two.b.alarms().filter((a) => /missing/.test(a))).toEqual([])
    expect(two.a.told('received')).toHaveLength(2)
  })

  it('is forgotten after three days, and the alarm with it', () => {
    leaves('24C00001')
    two.pass(31 * MIN)
    two.at += 73 * 60 * MIN
    two.pass(2_000)
    expect(two.b.state.expected.size).toBe(0)
    expect(two.a.state.underWay.size).toBe(0)
    expect(two.b.alarms().filter((a) => /missing/.test(a))).toEqual(['raised peer-missing 24C00001', 'cleared peer-missing 24C00001'])
  })

  it('without a plate is expected as well, and found by its tag', () => {
    leaves(null, { id: id(1), share: { tag: 'E2801' } })
    stands('24C00001', { tags: ['E2801'] })
    expect(two.b.told('arrived')).toMatchObject([{ handover: id(1), differs: [] }])
  })
})

describe('the hotline', () => {
  const write = (n: number, text = 'durian for inspection') => two.give(two.a, { kind: 'message', id: `m${n}`, by: 'Lan', text })

  it('carries a message to the other desk, and the name of the officer who acknowledges it back', () => {
    expect(write(1).answer).toBeNull()
    expect(two.b.told('message')).toMatchObject([{ message: 'm1', way: 'in', by: 'Lan', text: 'durian for inspection' }])
    const done = two.give(two.b, { kind: 'acknowledge', about: 'm1', by: '王伟', answer: 'understood' })
    expect(done.answer).toBeNull()
    for (const half of [two.a, two.b]) {
      expect(half.told('acknowledged')).toMatchObject([{ message: 'm1', by: '王伟', text: 'understood' }])
      expect(half.state.notes.size).toBe(0)
    }
    // Once is enough.
    expect(two.give(two.b, { kind: 'acknowledge', about: 'm1', by: '李娜', answer: 'me too' }).answer).toMatch(/no message/)
    two.pass(20 * MIN)
    expect([...two.a.alarms(), ...two.b.alarms()]).toEqual([])
  })

  it('escalates on both sides what nobody acknowledges, once, over restarts, until somebody does', () => {
    write(1)
    two.pass(4 * MIN)
    expect(two.b.alarms()).toEqual([])
    two.pass(2 * MIN)
    for (const half of [two.a, two.b]) half.boot(two.at)
    two.connect()
    two.pass(10 * MIN)
    for (const half of [two.a, two.b]) expect(half.alarms()).toEqual(['raised hotline-unanswered'])
    two.give(two.b, { kind: 'acknowledge', about: 'm1', by: '王伟', answer: 'sorry' })
    for (const half of [two.a, two.b]) expect(half.alarms()).toEqual(['raised hotline-unanswered', 'cleared hotline-unanswered'])
  })

  it('escalates here what cannot even be sent', () => {
    two.disconnect()
    write(1)
    two.pass(6 * MIN)
    expect(two.a.alarms().filter((a) => /hotline/.test(a))).toEqual(['raised hotline-unanswered'])
    expect(two.b.told('message')).toEqual([])
  })

  it('is bounded: too many that wait are refused, and the desk is told', () => {
    two.disconnect()
    const answers = Array.from({ length: 210 }, (_, i) => write(i).answer)
    expect(answers.filter((a) => a === null)).toHaveLength(200)
    expect(answers.at(-1)).toMatch(/use the telephone/)
    two.connect()
    expect([...two.b.state.notes.values()]).toHaveLength(200)
    expect(MOST_WAITING).toBeGreaterThan(200)
  })
})

describe('what is kept', () => {
  it('is the whole state: after any step the documents hold what the next run needs', () => {
    const plates = fc.constantFrom('24C00001', '24C00002', '24C00003')
    const acts = fc.array(
      fc.oneof(
        fc.record({ do: fc.constantFrom('leaves', 'stands', 'passes', 'back'), plate: plates }),
        fc.record({ do: fc.constantFrom('cut', 'connect', 'write', 'answer', 'wait'), plate: plates }),
      ),
      { maxLength: 40 },
    )
    fc.assert(
      fc.property(acts, (all) => {
        two = new TwoHalves({ settings: { withinMs: 2 * MIN, hotlineMs: MIN } })
        two.connect()
        let n = 0
        for (const { do: what, plate } of all) {
          if (what === 'leaves') leaves(plate)
          else if (what === 'stands') stands(plate)
          else if (what === 'passes') passes(plate)
          else if (what === 'back') two.give(two.b, passage('cleared', 'import', plate, { half: two.b, at: two.at }))
          else if (what === 'cut') two.disconnect()
          else if (what === 'connect') two.connect()
          else if (what === 'write') two.give(two.a, { kind: 'message', id: `m${++n}`, by: 'Lan', text: plate })
          else if (what === 'answer') two.give(two.b, { kind: 'acknowledge', about: `m${n}`, by: 'Wei', answer: 'yes' })
          else two.pass(45_000)
          for (const { state, documents } of [two.a, two.b]) {
            const kept = recallPair(JSON.parse(JSON.stringify([...documents].map(([key, value]) => ({ key, value })))))!
            const { session: _, ...link } = state.link
            const { session: __, ...again } = kept.link
            expect({ ...kept, link: again }).toEqual({ ...state, link })
          }
        }
      }),
      { numRuns: 60 },
    )
  })

  it('is told as changes only', () => {
    leaves('24C00001', { id: id(1) })
    const before = two.b.state
    expect(documentsOf(before, before)).toEqual([])
    const after = { ...before, cursor: 7 }
    expect(documentsOf(before, after).map((d) => d.key)).toEqual(['head'])
    expect(documentsOf(before, { ...before, expected: new Map() })).toEqual([{ key: `expected/${id(1)}`, value: null }])
  })
})

describe('finding the hand-over of a vehicle', () => {
  const expected = (n: number, more: object = {}) =>
    ({
      handover: id(n),
      direction: 'export',
      lane: 'x',
      left_at: '',
      status: 'expected',
      left: n,
      due: 0,
      alarmed: false,
      ...more,
    }) as const

  it('goes by plate first, the last time it left; then by what exactly one has', () => {
    const all = [expected(1, { plate: 'A1111', tag: 'T1' }), expected(2, { plate: 'A1111' }), expected(3, { plate: 'B2222', tag: 'T1' })]
    const seen = { plates: [] as string[], tags: [] as string[] }
    expect(find(all, { ...seen, plates: ['A1111'] })?.handover).toBe(id(2))
    expect(find(all, { ...seen, plates: ['X', 'B2222'] })?.handover).toBe(id(3))
    expect(find(all, { ...seen, tags: ['T1'] })).toBeNull()
    expect(find(all.slice(1), { ...seen, tags: ['T1'] })?.handover).toBe(id(3))
    expect(find(all, seen)).toBeNull()
  })

  it('counts as a difference only what both sides know', () => {
    const handed = expected(1, { plate: 'A1111', trailer: 'R1', container: 'C1', tag: 'T1', weight_kg: 20_000 })
    expect(differences(handed, { plates: [], tags: [] })).toEqual([])
    expect(differences(handed, { plates: ['A1111'], trailer: 'R1', container: 'C1', tags: ['T1'], weight_kg: 20_900 })).toEqual([])
    expect(differences(handed, { plates: ['B'], trailer: 'R2', container: 'C2', tags: ['T2'], weight_kg: 21_100 })).toEqual([
      'plate A1111 ≠ B',
      'trailer R1 ≠ R2',
      'container C1 ≠ C2',
      'tag T1 ≠ T2',
      'weight 20000 kg ≠ 21100 kg',
    ])
  })
})
