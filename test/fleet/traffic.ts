/** A day at one gate, from a seed: who comes when, told in the events that a real lane would record, by the real encoders. */
import type { VotedPlate } from '../../gateway/identity/identity.ts'
import type { EventEntry } from '../../gateway/journal/journal.ts'
import { zoneOf } from '../../gateway/journal/zone.ts'
import { type EventContext, passageEvent } from '../../gateway/site/lane-events.ts'
import { newPassage, type Passage } from '../../gateway/site/passage.ts'
import { between, chance, pick, type Rng, rng, weighted } from '../sim/random.ts'
import { type LaneFacts, makeArrival } from '../sim/traffic.ts'

/** Share of a day's trucks in each hour from midnight: gates open in the morning, are fullest before noon and close in the evening. */
const HOURS = [0, 0, 0, 0, 0, 0, 1, 5, 9, 11, 11, 9, 6, 8, 10, 10, 8, 6, 4, 2, 0, 0, 0, 0]
const SHARES = Object.fromEntries(HOURS.map((share, hour) => [`${hour}`, share]))
/** When the first truck may come, and the last is through, hours of the day. */
export const OPEN = { from: 6, to: 20.5 } as const

const LANES: readonly LaneFacts[] = [
  { id: 'import-1', direction: 'import', takes: ['loaded'], scale: true },
  { id: 'import-2', direction: 'import', takes: ['loaded', 'agricultural'], scale: true },
  { id: 'import-3', direction: 'import', takes: ['empty'], scale: true },
  { id: 'export-1', direction: 'export', takes: ['loaded', 'agricultural'], scale: true },
  { id: 'export-2', direction: 'export', takes: ['loaded'], scale: true },
]

const ZONE = zoneOf('Asia/Ho_Chi_Minh')
const CLOCK = { synced: true, offset_ms: null }
const CONFIG = `sha256:${'0'.repeat(64)}`
/** What becomes of a vehicle that the rules do not let pass. */
const ENDS = { cleared: 6, refused: 3, aborted: 1 } as const

export interface TrafficOptions {
  readonly seed: string
  readonly trucks: number
  /** Midnight of the day, wall-clock ms. */
  readonly day: number
}

/** Made as it passes, so that two hundred days need no memory. */
export class Day {
  readonly #r: Rng
  /** When trucks come, last first. */
  readonly #arrivals: number[]
  /** What those who have come will still do, by time. */
  #ahead: EventEntry[] = []
  #no = 0

  constructor(o: TrafficOptions) {
    this.#r = rng(o.seed)
    const at = () => o.day + arrival(this.#r)
    this.#arrivals = Array.from({ length: o.trucks }, at).sort((a, b) => b - a)
  }

  get over(): boolean {
    return this.#arrivals.length === 0 && this.#ahead.length === 0
  }

  /** What is recorded up to then and was not given before, in order. */
  until(at: number): EventEntry[] {
    while ((this.#arrivals.at(-1) ?? Number.POSITIVE_INFINITY) <= at)
      this.#ahead.push(...crossing(++this.#no, this.#arrivals.pop()!, this.#r))
    this.#ahead.sort((a, b) => a.at - b.at)
    const due = this.#ahead.findIndex((e) => e.at > at)
    return this.#ahead.splice(0, due < 0 ? this.#ahead.length : due)
  }
}

function arrival(r: Rng): number {
  const hour = Number(weighted(r, SHARES))
  return Math.round((hour + r()) * 3600_000)
}

/** Arrived, identified, decided, and how it ended. */
function crossing(no: number, at: number, r: Rng): EventEntry[] {
  const lane = pick(r, LANES)
  const { truck, declaration, trouble } = makeArrival(no, lane, at, r, {})
  const p: Passage = newPassage(no, lane.id, lane.direction, { at, mono: at })
  const events: EventEntry[] = []
  const tell = (after: number, type: Parameters<typeof passageEvent>[1], extra: Parameters<typeof passageEvent>[3] = {}) => {
    const when = Math.round(at + after)
    const context: EventContext = { lane: lane.id, direction: lane.direction, zone: ZONE, clock: CLOCK, at: when }
    events.push(passageEvent(context, type, p, extra))
  }
  tell(0, 'arrived')
  const read = between(r, 900, 4_000)
  p.plates = [voted(truck.front?.text ?? '', 'front', r), voted(truck.rear?.text ?? '', 'rear', r)]
  p.identity = {
    plates: p.plates,
    plate: truck.front?.text ?? null,
    trailer: truck.rear?.text ?? null,
    match: declaration ? 'exact' : 'undeclared',
    declaration: null,
    candidates: declaration ? [declaration.id] : [],
    disagreements: trouble === 'overweight' ? [{ code: 'weight', expected: `${truck.tare_kg}`, seen: `${truck.weight_kg}` }] : [],
    score: declaration ? 0.97 : 0,
    weight_kg: truck.weight_kg,
    tags: [],
    codes: [],
    tag: null,
    containers: [],
  }
  p.identified = stamp(at + read)
  tell(read, 'identified')
  p.decision = trouble
    ? { outcome: 'refer', rule: trouble, reasons: [reason(trouble)], config: CONFIG }
    : { outcome: 'pass', rule: 'declared', reasons: [reason('declared')], config: CONFIG }
  p.decided = stamp(at + read + 15)
  tell(read + 15, 'decided')
  const end = trouble ? weighted(r, ENDS) : 'cleared'
  const left = read + (trouble ? between(r, 60_000, 900_000) : between(r, 6_000, 15_000))
  p.opened = stamp(at + left - 5_000)
  p.ended = stamp(at + left)
  for (const camera of ['front', 'rear']) p.evidence.push({ path: `evidence/2026-11-21/${p.id}/${camera}.jpg`, sha256: 'c'.repeat(64) })
  if (trouble && chance(r, 0.5)) tell(read + 20, 'referred', { outcome: 'referred', why: trouble })
  tell(left, end, { outcome: end, ...(trouble ? { by: 'Nguyễn Văn A' } : {}) })
  return events
}

const stamp = (ms: number) => ({ at: Math.round(ms), mono: ms })
const reason = (code: string) => ({ vi: `Quy tắc ${code}`, zh: `规则 ${code}`, en: `Rule ${code}` })

function voted(text: string, position: 'front' | 'rear', r: Rng): VotedPlate {
  const weakest = between(r, 0.7, 0.99)
  return {
    text,
    country: 'vn',
    colour: 'yellow',
    lines: 2,
    position,
    frames: 4,
    confidence: weakest,
    weakest,
    sure: true,
    readings: [text],
  }
}
