import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { LISTS_STATE } from '../../../gateway/declarations/state.ts'
import { type Log, silentLog } from '../../../gateway/kernel/log.ts'
import { facts } from '../../../gateway/rules/facts.ts'
import { NEVER_H, unlessStale } from '../../../gateway/rules/stale.ts'
import { ListFreshness, type ListsPolicy } from '../../../gateway/site/freshness.ts'

const HOUR = 3_600_000
const START = Date.parse('2026-11-21T08:00:00+07:00')
let now: number
let link: boolean | null
let stored: Map<string, unknown>
const clock = { now: () => now, mono: () => now } as never
beforeEach(() => {
  now = START
  link = null
  stored = new Map()
})

function fresh(policy: Partial<ListsPolicy> = {}, log: Log = silentLog): ListFreshness {
  const journal = () => ({
    documents: async () => [...stored].map(([key, value]) => ({ key, value, at: 0 })),
    putDocument: async (collection: string, key: string, value: unknown) => {
      expect(collection).toBe(LISTS_STATE)
      stored.set(key, value)
    },
  })
  return new ListFreshness({ policy: { max_age_h: 24, fresh_by: 'link', ...policy }, journal, link: () => link, clock, log })
}

describe('how old the lists are', () => {
  it('never heard is too old; a message counts from when it came', () => {
    const f = fresh()
    expect(f.read()).toMatchObject({ contact: null, age_h: null, stale: true })
    f.heard()
    expect(f.read()).toMatchObject({ contact: START, age_h: 0, stale: false })
    now += 24 * HOUR
    expect(f.read()).toMatchObject({ age_h: 24, stale: false })
    now += 1
    expect(f.read().stale).toBe(true)
  })

  it('is said once, and by a site that never heard anything only after it had time to', () => {
    const said: string[] = []
    const note = (_: object, message: string) => said.push(message)
    const f = fresh({}, { ...silentLog, warn: note, info: note })
    f.tick()
    now += 9_000
    f.tick()
    expect([said, f.read().stale]).toEqual([[], true])
    now += 1_000
    f.tick()
    f.tick()
    expect(said).toEqual(['the lists are too old: lanes refer what they would let pass'])
    f.heard()
    f.tick()
    expect(said[1]).toBe('the lists are up to date again')
    now += 25 * HOUR
    f.tick()
    expect(said.length).toBe(3)
  })

  it('a connection that stands is contact where the site says so', () => {
    const [byLink, byMessage] = [fresh(), fresh({ fresh_by: 'message' })]
    link = true
    expect([byLink.read().stale, byMessage.read().stale]).toEqual([false, true])
    now += 100 * HOUR
    expect(byLink.read().stale).toBe(false)
    link = false
    now += 25 * HOUR
    expect(byLink.read()).toMatchObject({ age_h: 25, stale: true })
  })

  it('what the platform says of its time is believed up to now, and not at all from far ahead', () => {
    const f = fresh()
    expect(f.heard(START - 3 * HOUR)).toBe(true)
    expect(f.read().age_h).toBe(3)
    expect(f.heard(START + 10 * 60_000)).toBe(true)
    expect(f.read().age_h).toBe(0)
    expect(f.heard(START + HOUR)).toBe(false)
    expect(f.read().contact).toBe(START)
  })

  it('a contact from a time when the clock was wrong is none', () => {
    const f = fresh()
    f.heard()
    now = START - 48 * HOUR
    expect(f.read()).toMatchObject({ contact: null, stale: true })
    f.heard()
    expect(f.read()).toMatchObject({ contact: now, stale: false })
  })

  it('is stored as soon as it is heard, and then once a minute', async () => {
    const f = fresh()
    f.heard()
    expect(stored.get('contact')).toMatchObject({ contact: START })
    now += 59_000
    f.heard()
    f.tick()
    expect(stored.get('contact')).toMatchObject({ contact: START })
    now += 1_000
    f.tick()
    expect(stored.get('contact')).toMatchObject({ contact: START + 59_000 })
  })

  it('is kept over a restart, and an imported file counts', async () => {
    const f = fresh()
    f.heard()
    f.changed()
    await f.save()
    now += HOUR
    const next = fresh()
    await next.load()
    expect(next.read()).toMatchObject({ contact: START, newest: START })
    stored.set('import', { at: now, file: 'list.csv', count: 3 })
    const third = fresh()
    expect(await third.load()).toMatchObject({ contact: now, newest: now, imported: { file: 'list.csv' } })
    stored.set('contact', 'damaged')
    stored.delete('import')
    expect(await fresh().load()).toEqual({ contact: null, newest: null, imported: null })
  })

  it('the policy may change while it runs', () => {
    const f = fresh()
    f.heard()
    now += 2 * HOUR
    f.policy = { max_age_h: 1, fresh_by: 'link' }
    expect(f.read()).toMatchObject({ max_age_h: 1, stale: true })
  })
})

describe('a decision on lists that are too old', () => {
  const reason = { vi: 'v', zh: 'z', en: 'e' }
  const made = (outcome: 'pass' | 'refer' | 'refuse' | 'redirect') => ({ outcome, rule: 'r', reasons: [reason], config: 'c' })
  const lists = (age_h: number, stale: boolean) => facts.parse({ lists: { stale, age_h, max_age_h: 24 } })

  it('never passes, keeps what the rules said, and leaves everything else as it is', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('pass', 'refer', 'refuse', 'redirect'),
        fc.boolean(),
        fc.double({ min: 0, max: 2e6, noNaN: true }),
        (outcome, stale, age) => {
          const before = made(outcome)
          const after = unlessStale(before, lists(age, stale))
          if (!stale || outcome !== 'pass') return after === before
          expect(after).toMatchObject({ outcome: 'refer', rule: 'lists-stale', config: 'c' })
          expect(after.reasons).toHaveLength(2)
          expect(after.reasons[1]).toEqual(reason)
          return Object.values(after.reasons[0]!).every((text) => text.length > 10)
        },
      ),
    )
  })

  it('says how old in three languages', () => {
    expect(unlessStale(made('pass'), lists(30.25, true)).reasons[0]).toEqual({
      vi: 'Danh sách tờ khai đã cũ: liên lạc cuối với nền tảng cách đây 30.3 giờ (tối đa 24 giờ): chuyển cán bộ trực',
      zh: '申报名单已过时：距上次与平台联系已 30.3 小时（上限 24 小时）：转值班员处理',
      en: 'The lists are too old: last contact with the platform 30.3 h ago (at most 24 h): to the officer',
    })
    expect(unlessStale(made('pass'), lists(NEVER_H, true)).reasons[0]!.en).toMatch(/never heard/)
  })
})
