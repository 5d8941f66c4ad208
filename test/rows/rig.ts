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
import { loadRules, type RuleSet } from '../../gateway/rules/load.ts'
import { redecide } from '../../gateway/rules/redecide.ts'
import { decideDurably } from '../../gateway/site/decider.ts'
import { policyOf } from '../../gateway/site/lanes.ts'
import { newPassage } from '../../gateway/site/passage.ts'
import { Recorder } from '../../gateway/site/recorder.ts'
import { eventDataSchema } from '../../gateway/uplink/schema/event.ts'

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
}

function voted(text: string, position: 'front' | 'rear', { sure = true, readings }: Vehicle): VotedPlate {
  const country = /^\p{Script=Han}/u.test(text) ? 'cn' : 'vn'
  const [confidence, weakest] = sure ? [0.93, 0.97] : [0.4, 0.5]
  return { text, country, colour: 'yellow', lines: 1, position, frames: 4, confidence, weakest, sure, readings: readings ?? [text] }
}

const seen =
  (reader: string) =>
  (text: string): Seen => ({ text, reader, count: 3, rssi: -50 })

const sites = new Map<string, Promise<{ loaded: LoadedSite; rules: RuleSet }>>()

async function load(name: string): Promise<{ loaded: LoadedSite; rules: RuleSet }> {
  const loaded = await loadSite(fileURLToPath(new URL(`../../config/sites/${name}.yaml`, import.meta.url)), { env: {} })
  return { loaded, rules: await loadRules(loaded.rules) }
}

/** @param name a file of config/sites, without its ending */
export async function gate(name = 'kim-thanh') {
  if (!sites.has(name)) sites.set(name, load(name))
  const { loaded, rules } = await sites.get(name)!
  const declarations = new DeclarationIndex()
  const lists = new ListIndex()
  const clock = new VirtualClock({ epoch: NOW })
  const alarms = new Set<string>()
  let no = 0

  return {
    rules,
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
    async arrive(lane: string, vehicle: Vehicle = {}): Promise<Decided> {
      const config = loaded.site.lanes[lane]!
      const entries: Entry[] = []
      const recorder = new Recorder({
        journal: {
          append: async (all) => {
            entries.push(...all)
            return { sequences: all.filter((e) => e.kind === 'event').map((_, i) => i + 1) }
          },
        },
        clock,
        log: silentLog,
      })
      const { plate = '24C12345', rear } = vehicle
      const p = newPassage(++no, lane, config.direction, { at: NOW, mono: 0 })
      const decision = await decideDurably(p, {
        findings: {
          plates: [...(plate === null ? [] : [voted(plate, 'front', vehicle)]), ...(rear ? [voted(rear, 'rear', {})] : [])],
          weight_kg: vehicle.weight_kg ?? null,
          tags: (vehicle.tags ?? []).map(seen('tag')),
          codes: (vehicle.codes ?? []).map(seen('code')),
          pictures: [],
        },
        lane: { ...policyOf(lane, config, rules).facts, direction: config.direction },
        rules,
        declarations,
        lists,
        lookalikes: vehicle.lookalikes ?? false,
        inhibited: null,
        clock,
        keep: async () => null,
        recorder,
        context: () => ({
          lane,
          direction: config.direction,
          zone: zoneOf('Asia/Ho_Chi_Minh'),
          clock: { synced: true, offset_ms: 0 },
          at: NOW,
        }),
        alarms,
      })
      const events = entries.filter((e): e is EventEntry => e.kind === 'event')
      const event = events.find((e) => e.type === 'luong.passage.decided.v1')!.data
      for (const e of events) expect(eventDataSchema(e.type)!.safeParse(e.data).error).toBeUndefined()
      expect(event.decision).toMatchObject({ rule: decision.rule, outcome: decision.outcome, reasons: decision.reasons })
      const record = entries.find((e): e is InputEntry => e.kind === 'input')!
      // What is journalled is enough to decide it again.
      expect(redecide(rules, decision, JSON.parse(JSON.stringify(record.body))).change).toBe('same')
      return {
        decision,
        reason: decision.reasons[0]!,
        event,
        alarms: events.filter((e) => e.type === 'luong.alarm.raised.v1').map((e) => String(e.data.alarm)),
      }
    },
  }
}

/** The outcome, by that rule, with a reason in three languages that says each of `words`. */
export function expectDecided(d: Decided, outcome: Decision['outcome'], rule: string, ...words: string[]): void {
  expect(d.decision).toMatchObject({ outcome, rule })
  expect(d.decision.reasons).toHaveLength(1)
  const { vi, zh, en } = d.reason
  expect(zh).toMatch(/\p{Script=Han}{2}/u)
  expect(vi).toMatch(/[ăâđêôơưáàảãạấầẩẫậắằẳẵặéèẻẽẹếềểễệíìỉĩịóòỏõọốồổỗộớờởỡợúùủũụứừửữựýỳỷỹỵ]/iu)
  expect(en).not.toBe(vi)
  for (const text of [vi, zh, en]) {
    expect(text).not.toMatch(/[{}]|undefined/)
    for (const word of words) expect(text).toContain(word)
  }
}
