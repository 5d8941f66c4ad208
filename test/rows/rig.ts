/** A gate as its site file describes it, with vehicles driven to its lanes as far as the decision: real identity, rules and decider. */
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { type LoadedSite, loadSite } from '../../config/load.ts'
import { type Declaration, declaration } from '../../gateway/identity/declaration.ts'
import { DeclarationIndex } from '../../gateway/identity/declarations.ts'
import type { Seen, VotedPlate } from '../../gateway/identity/identity.ts'
import { ListIndex } from '../../gateway/identity/lists.ts'
import type { Entry, EventEntry, InputEntry } from '../../gateway/journal/journal.ts'
import { zoneOf } from '../../gateway/journal/zone.ts'
import { silentLog } from '../../gateway/kernel/log.ts'
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts'
import type { Decision, Reason } from '../../gateway/rules/decide.ts'
import type { Facts } from '../../gateway/rules/facts.ts'
import { loadRules, type RuleSet } from '../../gateway/rules/load.ts'
import { redecide } from '../../gateway/rules/redecide.ts'
import type { DecisionRecord } from '../../gateway/rules/snapshot.ts'
import { decideDurably } from '../../gateway/site/decider.ts'
import { siteLanes } from '../../gateway/site/derive.ts'
import { SiteFigures } from '../../gateway/site/figures.ts'
import { type EventContext, passageEvent } from '../../gateway/site/lane-events.ts'
import type { LaneRunnerOptions } from '../../gateway/site/lane-options.ts'
import { policyOf } from '../../gateway/site/lanes.ts'
import { newPassage, type Passage, type PassageOutcome } from '../../gateway/site/passage.ts'
import { Recorder } from '../../gateway/site/recorder.ts'
import { SentOn } from '../../gateway/site/sent-on.ts'
import { eventDataSchema } from '../../gateway/uplink/schema/event.ts'
import { stats as statsSchema } from '../../gateway/uplink/schema/up.ts'
import { votedPlate } from '../harness/plates.ts'

export const NOW = Date.parse('2026-11-21T08:00:00+07:00')

/** What a lane sees of a vehicle. */
export interface Vehicle {
  readonly plate?: string | null
  /** Default true. */
  readonly sure?: boolean
  /** Every text the plate may be read as, when it is not sure. */
  readonly readings?: readonly string[]
  readonly rear?: string
  readonly weight_kg?: number
  readonly tags?: readonly string[]
  readonly codes?: readonly string[]
  /** The site takes a plate for the declared one it is a confusion away from. Default false. */
  readonly lookalikes?: boolean
}

export interface Decided {
  readonly decision: Decision
  readonly reason: Reason
  /** `data` of the decided event, as published. */
  readonly event: Record<string, unknown>
  /** Types and codes of what else was told. */
  readonly alarms: readonly string[]
  readonly passage: Passage
  /** What the rules were asked about. */
  readonly facts: Facts
}

function voted(text: string, position: 'front' | 'rear', { sure = true, readings }: Vehicle): VotedPlate {
  return votedPlate(text, { position, ...(sure ? {} : { confidence: 0.4, weakest: 0.5, sure }), ...(readings && { readings }) })
}

const seen =
  (reader: string) =>
  (text: string): Seen => ({ text, reader, count: 3, rssi: -50 })

const sites = new Map<string, Promise<{ loaded: LoadedSite; rules: RuleSet }>>()

async function load(name: string): Promise<{ loaded: LoadedSite; rules: RuleSet }> {
  const loaded = await loadSite(fileURLToPath(new URL(`../../config/sites/${name}.yaml`, import.meta.url)), { env: {} })
  return { loaded, rules: await loadRules(loaded.rules) }
}

export interface GateOptions {
  /** What is otherwise than in the site file. */
  readonly stays?: Partial<LoadedSite['site']['stays']>
  /** Vehicles stay in their lanes until they {@link leave}; else each arrival finds the others gone, back where they came from. */
  readonly stay?: boolean
  readonly takes?: Readonly<Record<string, LoadedSite['site']['lanes'][string]['takes']>>
}

/** @param name a file of config/sites, without its ending */
export async function gate(name = 'kim-thanh', { stays, stay = false, takes = {} }: GateOptions = {}) {
  if (!sites.has(name)) sites.set(name, load(name))
  const { loaded, rules } = await sites.get(name)!
  const declarations = new DeclarationIndex()
  const lists = new ListIndex()
  const clock = new VirtualClock({ epoch: NOW })
  const alarms = new Set<string>()
  const entries: Entry[] = []
  const zone = zoneOf(loaded.site.site.timezone)
  const quality = { synced: true, offset_ms: 0 }
  const figures = new SiteFigures({
    zone,
    lanes: Object.keys(loaded.site.lanes),
    policy: { ...loaded.site.stays, ...stays },
    clock,
    clockQuality: () => quality,
    log: silentLog,
  })
  const recorder = new Recorder({
    journal: {
      append: async (all) => {
        entries.push(...all)
        return { sequences: all.filter((e) => e.kind === 'event').map((_, i) => i + 1) }
      },
    },
    clock,
    log: silentLog,
    onRecord: figures.recorded,
  })
  figures.start(recorder)
  const inLanes = new Set<Passage>()
  const sent = new SentOn(clock)
  const closed = new Set<string>()
  const queues = new Map<string, number>()
  const lanes = () =>
    siteLanes(loaded.site).map((facts) => ({
      facts,
      open: !closed.has(facts.id),
      queue: (queues.get(facts.id) ?? 0) + sent.coming(facts.id),
    }))
  let no = 0

  const eventsFrom = (mark: number) => {
    const events = entries.slice(mark).filter((e): e is EventEntry => e.kind === 'event')
    for (const e of events) expect(eventDataSchema(e.type)!.safeParse(e.data).error).toBeUndefined()
    return events
  }
  const context = (lane: string): EventContext => {
    const { direction } = loaded.site.lanes[lane]!
    return { lane, direction, zone, clock: quality, at: clock.now() }
  }

  const end = async (p: Passage, outcome: PassageOutcome) => {
    inLanes.delete(p)
    p.ended = { at: clock.now(), mono: clock.mono() }
    await recorder.record([passageEvent(context(p.lane), outcome, p, { outcome })])
  }

  return {
    rules,
    /** Lanes out of service, and vehicles waiting in the others. */
    closed,
    queues,
    /** Declares a vehicle for today, loaded and on its way in unless `d` says otherwise. */
    declare(d: Record<string, unknown>): Declaration {
      const whole = declaration.parse({
        id: `D${declarations.size + 1}`,
        plate: '24C12345',
        direction: 'import',
        valid_from: '2026-11-20T00:00:00Z',
        valid_to: '2026-11-23T00:00:00Z',
        ...d,
      })
      declarations.put(whole)
      return whole
    },
    list: (list: string, ...keys: string[]) => {
      for (const key of keys) lists.put(list, { key })
    },
    /** The vehicle stands at the stop line of `lane` until the decision is recorded. */
    async arrive(lane: string, vehicle: Vehicle = {}, peer?: LaneRunnerOptions['peer']): Promise<Decided> {
      const config = loaded.site.lanes[lane]!
      if (!stay) for (const p of inLanes) await end(p, 'aborted')
      const { plate = '24C12345', rear } = vehicle
      const p = newPassage(++no, lane, config.direction, { at: clock.now(), mono: clock.mono() })
      inLanes.add(p)
      const mark = entries.length
      await recorder.record([passageEvent(context(lane), 'arrived', p)])
      const { decision } = await decideDurably(p, {
        findings: {
          plates: [...(plate === null ? [] : [voted(plate, 'front', vehicle)]), ...(rear ? [voted(rear, 'rear', {})] : [])],
          weight_kg: vehicle.weight_kg ?? null,
          tags: (vehicle.tags ?? []).map(seen('tag')),
          codes: (vehicle.codes ?? []).map(seen('code')),
          pictures: [],
        },
        lane: { ...policyOf(lane, { ...config, takes: takes[lane] ?? config.takes }, rules).facts, direction: config.direction },
        rules,
        declarations,
        lists,
        lookalikes: vehicle.lookalikes ?? false,
        earlier: figures,
        peer,
        inhibited: () => null,
        otherLanes: { lanes, sent },
        clock,
        keep: async () => null,
        recorder,
        context: () => context(lane),
        alarms,
      })
      const events = eventsFrom(mark)
      const event = events.find((e) => e.type === 'luong.passage.decided.v1')!.data
      expect(event.decision).toMatchObject({ rule: decision.rule, outcome: decision.outcome, reasons: decision.reasons })
      const record = entries.slice(mark).find((e): e is InputEntry => e.kind === 'input')!
      // What is journalled is enough to decide it again.
      expect(redecide(rules, decision, JSON.parse(JSON.stringify(record.body))).change).toBe('same')
      return {
        decision,
        reason: decision.reasons[0]!,
        event,
        alarms: events.filter((e) => e.type === 'luong.alarm.raised.v1').map((e) => String(e.data.alarm)),
        passage: p,
        facts: (record.body as DecisionRecord).facts!,
      }
    },
    /** It leaves the lane: through the gate, unless `outcome` says otherwise. Tells the alarms of the site that this raised or cleared. */
    async leave({ passage: p }: Decided, outcome: PassageOutcome = 'cleared'): Promise<string[]> {
      const mark = entries.length
      await end(p, outcome)
      figures.watch()
      await clock.advance(0)
      return siteAlarms(eventsFrom(mark))
    },
    /** Lets time pass; tells the alarms of the site that were raised and cleared. */
    async later(hours: number): Promise<string[]> {
      const mark = entries.length
      await clock.advance(hours * 3_600_000)
      return siteAlarms(eventsFrom(mark))
    },
    /** As published. */
    stats: () => statsSchema.parse(figures.stats()),
  }
}

function siteAlarms(events: readonly EventEntry[]): string[] {
  return events
    .filter((e) => e.type.startsWith('luong.alarm.') && e.lane === undefined)
    .map((e) => [e.type.split('.')[2], e.data.alarm, ...(e.data.plate ? [e.data.plate] : [])].join(' '))
}

/** The outcome, by that rule, with a reason in three languages that says each of `words`. */
export function expectDecided(d: Decided, outcome: Decision['outcome'], rule: string, ...words: string[]): void {
  expect(d.decision).toMatchObject({ outcome, rule })
  // The second one of a redirect says where to.
  expect(d.decision.reasons).toHaveLength(d.decision.lane === undefined ? 1 : 2)
  const { vi, zh, en } = d.reason
  expect(zh).toMatch(/\p{Script=Han}{2}/u)
  expect(vi).toMatch(/[ăâđêôơưáàảãạấầẩẫậắằẳẵặéèẻẽẹếềểễệíìỉĩịóòỏõọốồổỗộớờởỡợúùủũụứừửữựýỳỷỹỵ]/iu)
  expect(en).not.toBe(vi)
  for (const text of [vi, zh, en]) {
    expect(text).not.toMatch(/[{}]|undefined/)
    for (const word of words) expect(text).toContain(word)
  }
}
