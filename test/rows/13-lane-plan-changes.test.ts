/** Row 13: lane plans by schedule and command; a lane turns only when it is empty, its arm shut by its switch, and the other side agrees. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { ConfigError, loadSite } from '../../config/load.ts'
import { type LanePlanConfig, lanePlan, WEEKDAYS } from '../../config/schema/plan.ts'
import type { EventEntry } from '../../gateway/journal/journal.ts'
import { zoneOf } from '../../gateway/journal/zone.ts'
import { silentLog } from '../../gateway/kernel/log.ts'
import { problemLine } from '../../gateway/kernel/problems.ts'
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts'
import type { LaneInput, LaneSettings } from '../../gateway/lane/model.ts'
import { initial, type LaneState, step } from '../../gateway/lane/step.ts'
import { AGREE_MS, LanePlans, type TurnAgreement } from '../../gateway/site/lane-plans.ts'
import { planInForce } from '../../gateway/site/plan-schedule.ts'
import { eventDataSchema } from '../../gateway/uplink/schema/event.ts'

const ZONE = zoneOf('Asia/Ho_Chi_Minh')
const at = (text: string) => Date.parse(`${text}+07:00`)
const SETTINGS: LaneSettings = { approach: true, curtain: true, exit: true, limits: true, idleAspect: 'red' }
const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step_ of undo.splice(0).reverse()) await step_()
})

/** The real core of a lane, idle. */
function core(settings = SETTINGS) {
  let state: LaneState = initial(settings)
  const give = (input: LaneInput) => {
    state = step(state, input, settings)[0]
  }
  const sensor = (role: 'approach' | 'presence' | 'curtain' | 'exit', value: boolean | null) => give({ kind: 'sensor', at: 0, role, value })
  give({ kind: 'start', at: 0, unfinished: false, closed: false, direction: 'import' })
  for (const role of ['approach', 'presence', 'curtain', 'exit'] as const) sensor(role, false)
  give({ kind: 'barrier', at: 0, position: 'closed' })
  const runner = {
    settings,
    get state() {
      return state
    },
    plan: (closed: boolean, direction: 'import' | 'export') => give({ kind: 'plan', at: 0, closed, direction }),
  }
  return { runner, give, sensor, direction: 'import' as const, limit: true }
}

interface RigOptions {
  readonly now?: string
  readonly agreement?: TurnAgreement
  readonly limit?: boolean
  readonly saved?: string
  readonly synced?: boolean | null
}

async function rig(plan: Record<string, unknown>, o: RigOptions = {}) {
  const config: LanePlanConfig = lanePlan.parse(plan)
  const clock = new VirtualClock({ epoch: at(o.now ?? '2026-11-22T12:00:00') })
  undo.push(() => clock.stop())
  const lane = { ...core(), limit: o.limit ?? true }
  const events: Record<string, unknown>[] = []
  const saved = { since: o.saved ?? null }
  const plans = new LanePlans({
    config,
    lanes: () => new Map([['tidal', lane]]),
    agreement: o.agreement ?? null,
    load: async () => saved.since,
    save: async (since) => {
      saved.since = since
    },
    record: async (entries: readonly EventEntry[]) => {
      for (const { type, data } of entries) {
        expect(eventDataSchema(type)!.safeParse(data).error).toBeUndefined()
        events.push(data)
      }
    },
    clock,
    clockQuality: () => ({ synced: o.synced ?? null, offset_ms: null }),
    zone: ZONE,
    log: silentLog,
    changed: () => {},
  })
  clock.start()
  await plans.start()
  undo.push(() => plans.stop())
  return {
    plans,
    lane,
    events,
    saved,
    state: () => `${lane.runner.state.phase} ${lane.runner.state.direction}`,
    told: () => events.map((e) => `${e.change}${e.why ? `: ${e.why}` : ''}`),
    pass: (s: number) => new Promise<void>((done) => void clock.after(s * 1000, done)),
  }
}

const TIDAL = { wait_s: 60, plans: { day: {}, night: { tidal: { direction: 'export' } }, shut: { tidal: { open: false } } } }

describe('a schedule', () => {
  const days = fc.subarray([...WEEKDAYS], { minLength: 1 })
  const time = fc.tuple(fc.nat(23), fc.nat(59)).map(([h, m]) => `${String(h).padStart(2, '0')}:${String(m).padStart(2, '0')}`)
  const entry = fc.record({ plan: fc.constantFrom('day', 'night', 'shut'), at: time, days })

  it('the entry that began last is in force, by the clock on the wall of the site', () => {
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 5 }), fc.nat(14 * 24 * 60), (schedule, minutes) => {
        const now = at('2026-11-16T00:00:00') + minutes * 60_000
        const found = planInForce(schedule, ZONE, now)!
        // Minute by minute back until one begins.
        let t = now
        const begins = (when: number) => {
          const local = ZONE.format(when)
          const day = WEEKDAYS[new Date(`${local.slice(0, 10)}T00:00:00Z`).getUTCDay()]!
          return schedule.find((e) => e.at === local.slice(11, 16) && e.days.includes(day))
        }
        while (!begins(t)) t -= 60_000
        expect(found).toEqual({ plan: begins(t)!.plan, since: ZONE.format(t).slice(0, 16).replace('T', ' ') })
      }),
      { numRuns: 60 },
    )
    expect(planInForce([], ZONE, 0)).toBeNull()
  })

  it('an hour that comes twice switches once, one that is left out still switches', () => {
    const berlin = zoneOf('Europe/Berlin')
    const all = [...WEEKDAYS]
    const schedule = [
      { plan: 'a', at: '01:30', days: all },
      { plan: 'b', at: '02:30', days: all },
    ]
    const since = (utc: string) => planInForce(schedule, berlin, Date.parse(utc))!
    expect(since('2026-10-25T00:45:00Z').since).toBe('2026-10-25 02:30')
    expect(since('2026-03-29T01:15:00Z')).toEqual({ plan: 'b', since: '2026-03-29 02:30' })
  })

  it('turns the lane at its time, once, and remembers it over a restart', async () => {
    const plan = {
      ...TIDAL,
      schedule: [
        { plan: 'day', at: '06:00' },
        { plan: 'night', at: '18:00' },
      ],
    }
    const r = await rig(plan, { now: '2026-11-22T17:59:00' })
    expect(r.state()).toBe('idle import')
    await r.pass(90)
    expect(r.state()).toBe('idle export')
    expect(r.events).toMatchObject([{ lane: 'tidal', plan: 'night', direction: 'export', closed: false, change: 'done', by: 'schedule' }])
    expect(r.saved.since).toBe('2026-11-22 18:00')
    expect(r.plans.about('tidal')).toEqual({ name: 'night' })
    // The next start does not undo what an officer did since.
    const again = await rig(plan, { now: '2026-11-22T20:00:00', saved: '2026-11-22 18:00' })
    await again.pass(60)
    expect([again.state(), again.events]).toEqual(['idle import', []])
    // A switch that was slept through is made.
    const late = await rig(plan, { now: '2026-11-23T03:00:00', saved: '2026-11-22 06:00' })
    await late.pass(30)
    expect(late.state()).toBe('idle export')
  })

  it('a clock that is known to be wrong switches nothing', async () => {
    const r = await rig({ ...TIDAL, schedule: [{ plan: 'night', at: '06:00' }] }, { synced: false })
    await r.pass(120)
    expect([r.state(), r.events]).toEqual(['idle import', []])
  })
})

describe('the interlock', () => {
  it('lets the lane turn only when it is empty and its arm is shut: nobody is let in meanwhile', async () => {
    const r = await rig(TIDAL)
    r.lane.sensor('approach', true)
    expect(r.state()).toBe('identifying import')
    r.plans.set('night', 'Officer Lan')
    await r.pass(5)
    expect(r.state()).toBe('identifying import')
    expect(r.told()).toEqual([expect.stringMatching(/^waiting: a vehicle is in the lane; it waits for plates to be read/)])
    expect(r.plans.about('tidal')).toMatchObject({ name: 'night', waiting: expect.stringMatching(/a vehicle is in the lane/) })
    r.lane.sensor('approach', false)
    r.lane.give({ kind: 'timer', at: 0, timer: 'gap' })
    // Somebody comes to the closed lane from the other side.
    r.lane.sensor('exit', true)
    await r.pass(5)
    expect(r.state()).toBe('closed import')
    r.lane.sensor('exit', false)
    await r.pass(5)
    expect(r.state()).toBe('idle export')
    expect(r.told().at(-1)).toBe('done')
  })

  it.each<[string, (lane: ReturnType<typeof core>) => void, RegExp]>([
    ['a vehicle that stays', (lane) => lane.sensor('approach', true), /a vehicle is in the lane/],
    ['a sensor that is silent', (lane) => lane.sensor('exit', null), /not known to be empty: exit unknown/],
    [
      'an arm that is nowhere',
      (lane) => lane.give({ kind: 'barrier', at: 0, position: 'unknown' }),
      /arm is not known to be closed \(unknown\)/,
    ],
    ['an arm in fault', (lane) => lane.give({ kind: 'barrier', at: 0, position: 'open' }), /the lane is fault/],
  ])('%s: given up in time, told with the reason, and everything is as before', async (_what, trouble, why) => {
    const r = await rig(TIDAL)
    trouble(r.lane)
    r.plans.set('night', 'schedule')
    await r.pass(70)
    expect(r.told()).toEqual([expect.stringMatching(/^waiting: /), expect.stringMatching(/^given-up: not safe within 60 s: /)])
    expect(r.told()[1]).toMatch(why)
    expect(r.lane.runner.state).toMatchObject({ direction: 'import', plan: { closed: false, direction: 'import' } })
    expect(r.plans.about('tidal')).toEqual({ name: 'night' })
  })

  it.each<[string, () => Promise<string | null>, RegExp]>([
    ['says no', async () => 'lane 2 is not empty there', /the other side does not agree: lane 2 is not empty there/],
    ['does not answer', () => new Promise(() => {}), /the other side (has not answered yet|does not agree: it does not answer)/],
    ['fails', () => Promise.reject(new Error('link down')), /the other side does not agree: link down/],
  ])('the other side %s: the lane does not turn', async (_how, mayTurn, why) => {
    const r = await rig(TIDAL, { agreement: { mayTurn } })
    r.plans.set('night', 'schedule')
    await r.pass(70)
    expect(r.state()).toBe('idle import')
    expect(r.told().at(-1)).toMatch(/^given-up/)
    expect(r.told().at(-1)).toMatch(why)
    const asked = r.plans.mayTurn('tidal', 'export')
    await r.pass(AGREE_MS / 1000 + 1)
    expect(await asked).toMatch(/the other side does not agree/)
  })

  it('the other side is asked when the lane is ready, and when its word is too old again', async () => {
    const asked: string[] = []
    const r = await rig(TIDAL, {
      agreement: {
        mayTurn: async (lane, direction) => {
          asked.push(`${lane} ${direction}`)
          return asked.length < 2 ? 'not yet' : null
        },
      },
    })
    r.lane.sensor('approach', true)
    r.plans.set('night', 'schedule')
    await r.pass(3)
    expect(asked).toEqual([])
    r.lane.sensor('approach', false)
    r.lane.give({ kind: 'timer', at: 0, timer: 'gap' })
    await r.pass(45)
    expect(asked).toEqual(['tidal export', 'tidal export'])
    expect(r.state()).toBe('idle export')
  })

  it('a lane without a switch on its arm never turns', async () => {
    const r = await rig(TIDAL, { limit: false })
    r.plans.set('night', 'schedule')
    await r.pass(70)
    expect([r.state(), r.told().at(-1)]).toEqual(['idle import', expect.stringMatching(/no limit switch says/)])
    expect(await r.plans.mayTurn('tidal', 'export')).toMatch(/no limit switch says/)
  })

  it('an officer overrules it, and closing needs no more than an empty lane', async () => {
    const r = await rig(TIDAL)
    r.lane.sensor('approach', true)
    r.plans.set('night', 'schedule')
    r.lane.runner.plan(false, 'import')
    r.plans.overruled('tidal', 'Officer Lan')
    expect(r.told().at(-1)).toBe('given-up: overruled by Officer Lan')
    r.lane.sensor('approach', false)
    r.lane.give({ kind: 'timer', at: 0, timer: 'gap' })
    r.plans.set('shut', 'Officer Lan')
    expect([r.state(), r.told().at(-1)]).toEqual(['closed import', 'done'])
    r.plans.set('day', 'Officer Lan')
    expect([r.state(), r.told().at(-1)]).toEqual(['idle import', 'done'])
    expect(r.plans.refusal('noon')).toBe('there is no plan noon; there are day, night, shut')
  })

  it('whatever happens: never turned with somebody there or the arm not shut, and every change ends', async () => {
    const happening = fc.oneof(
      fc.record({ role: fc.constantFrom('approach', 'presence', 'curtain', 'exit'), value: fc.constantFrom(true, false, null) }),
      fc.constantFrom('open', 'closed', 'unknown', 'moving'),
      fc.constantFrom('night', 'day', 'shut'),
      fc.constantFrom('gap', 'identify', 'dwell', 'abandoned'),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 25 }), async (all) => {
        const r = await rig(TIDAL)
        let seen = r.lane.runner.state
        const look = () => {
          const now = r.lane.runner.state
          if (now.direction !== seen.direction) {
            expect(now.vehicle).toBeNull()
            expect(Object.values(now.sensors)).toEqual([false, false, false, false])
            expect(now.arm).toBe('closed')
          }
          seen = now
        }
        for (const h of all) {
          if (typeof h === 'object') r.lane.sensor(h.role as 'exit', h.value)
          else if (h === 'night' || h === 'day' || h === 'shut') r.plans.set(h, 'x')
          else if (h === 'gap' || h === 'identify' || h === 'dwell' || h === 'abandoned') r.lane.give({ kind: 'timer', at: 0, timer: h })
          else r.lane.give({ kind: 'barrier', at: 0, position: h as 'open' })
          look()
          await r.pass(1)
          look()
        }
        await r.pass(70)
        expect(r.plans.about('tidal')?.waiting).toBeUndefined()
        r.plans.stop()
      }),
      { numRuns: 25 },
    )
  })
})

describe('the site file', () => {
  const dir = mkdtempSync(join(tmpdir(), 'luong-plan-'))
  afterAll(() => rmSync(dir, { recursive: true, force: true }))
  const write = (name: string, base: string, plan: string) => {
    const file = join(dir, name)
    writeFileSync(file, `version: 1\ninclude: [${resolve(base)}]\n${plan}`)
    return file
  }

  it('says where a plan does not fit', async () => {
    const file = write(
      'wrong.yaml',
      'config/sites/loi-mo.yaml',
      [
        'lane_plan:',
        '  plans:',
        '    day: { lane: { direction: export }, lne: { open: false } }',
        '  schedule:',
        '    - { plan: dya, at: "07:00" }',
        '    - { plan: day, at: "07:00", days: [sat] }',
        '    - { plan: day, at: "7:00" }',
      ].join('\n'),
    )
    const error = (await loadSite(file, { env: {} }).catch((e: unknown) => e)) as ConfigError
    expect(error).toBeInstanceOf(ConfigError)
    const told = error.problems.map((p) => problemLine(p).replace(/^.*wrong\.yaml:/, ''))
    expect(told.at(-1)).toMatch(/^9:\d+ lane_plan\.schedule\[2\]\.at: write a time as "07:00", in quotes/)
    writeFileSync(
      file,
      `version: 1\ninclude: [${resolve('config/sites/loi-mo.yaml')}]\nlane_plan:\n  plans:\n    day: { lane: { direction: export }, lne: { open: false } }\n  schedule:\n    - { plan: dya, at: "07:00" }\n    - { plan: day, at: "07:00", days: [sat] }\n`,
    )
    const second = (await loadSite(file, { env: {} }).catch((e: unknown) => e)) as ConfigError
    expect(second.problems.map((p) => problemLine(p).replace(/^.*wrong\.yaml:/, ''))).toEqual([
      expect.stringMatching(
        /^5:\d+ lane_plan\.plans\.day\.lane\.direction: lane lane cannot turn: no switch says when its arm is shut \(give barrier a closed_limit/,
      ),
      expect.stringMatching(/^5:\d+ lane_plan\.plans\.day\.lne: there is no lane "lne" \(did you mean lane\?\)/),
      expect.stringMatching(/^7:\d+ lane_plan\.schedule\[0\]\.plan: there is no plan "dya" \(did you mean day\?\)/),
      expect.stringMatching(/^8:\d+ lane_plan\.schedule\[1\]\.at: plan dya begins at the same time \(sat 07:00\)/),
    ])
  })
})
