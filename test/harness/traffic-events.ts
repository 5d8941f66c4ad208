/** Events as a busy gate makes them, by number: five for each passage, the same whoever asks. */
import { renderEvent } from '../../gateway/journal/cloudevent.ts'
import type { EventEntry } from '../../gateway/journal/journal.ts'
import { zoneOf } from '../../gateway/journal/zone.ts'

export const SITE = 'kim-thanh'
export const LANES = ['import-1', 'import-2', 'import-3', 'export-1', 'export-2'] as const
const STEPS = ['arrived', 'identified', 'decided', 'cleared'] as const
/** Events a passage. */
export const PER_PASSAGE = STEPS.length
const FROM = Date.parse('2026-11-18T08:00:00+07:00')
const zone = zoneOf('Asia/Ho_Chi_Minh')

/** Event number `n`, from 1, when one passage arrives every `everyMs`. */
export function trafficEvent(n: number, everyMs = 1_000, from = FROM): EventEntry {
  const passage = Math.floor((n - 1) / PER_PASSAGE)
  const step = (n - 1) % PER_PASSAGE
  const lane = LANES[passage % LANES.length]!
  const plate = `24C${String(passage % 100_000).padStart(5, '0')}`
  const at = from + passage * everyMs + step * Math.min(2_000, everyMs / PER_PASSAGE)
  const identity = { match: 'exact', candidates: [`TK-${passage}`], disagreements: [], tag: 'same' }
  const reasons = [{ vi: `Xe ${plate} đã khai báo`, zh: `车辆 ${plate} 已申报`, en: `Vehicle ${plate} is declared` }]
  return {
    kind: 'event',
    type: `luong.passage.${STEPS[step]}.v1`,
    lane,
    passage: `P${String(passage).padStart(12, '0')}`,
    subject: plate,
    at,
    data: {
      passage: `P${String(passage).padStart(12, '0')}`,
      lane,
      direction: lane.split('-')[0]!,
      plates: [{ text: plate, country: 'vn', colour: 'yellow', lines: 1, position: 'front', confidence: 0.98, weakest: 0.99, frames: 4 }],
      ...(step > 0 ? { declaration: `TK-${passage}`, identity } : {}),
      ...(step > 1 ? { decision: { rule: 'everything-agrees', outcome: 'pass', reasons } } : {}),
      ...(step > 2 ? { outcome: 'cleared', weight_kg: 33_120 } : {}),
      clock: { synced: true, offset_ms: null },
      historical: false,
    },
  }
}

/** What the journal makes of it, and so what is published: for those who have no journal. */
export function trafficJson(n: number, everyMs?: number): string {
  const e = trafficEvent(n, everyMs)
  const fields = { sequence: n, type: e.type, lane: e.lane!, subject: e.subject!, at: e.at, data: JSON.stringify(e.data) }
  return renderEvent(SITE, zone, fields)
}

export const trafficTopic = (n: number): string => `luong/v1/${SITE}/lane/${trafficEvent(n).lane}/event`
/** The sequence in an event's text, or NaN; faster than reading all of it. */
export const sequenceIn = (json: string): number => Number(/"id":"[^":]+:(\d+)"/.exec(json)?.[1])
