/** Counts and times of the day so far, for the `stats` topic. The journal is the record; this is the present. */
import type { Zone } from '../journal/zone.ts'
import type { Stats } from '../uplink/schema/up.ts'
import type { Passage } from './passage.ts'

type Counts = Stats['lanes'][string]
const NONE: Counts = { arrived: 0, cleared: 0, refused: 0, referred: 0, redirected: 0, aborted: 0 }
/** Times kept for mean and percentile. */
const KEPT = 5_000

function push(list: number[], value: number): void {
  list.push(value)
  if (list.length > KEPT) list.shift()
}

function summary(values: readonly number[]): Stats['waiting_ms'] {
  if (values.length === 0) return { count: 0, mean: null, p95: null }
  const sorted = [...values].sort((a, b) => a - b)
  return {
    count: values.length,
    mean: Math.round(values.reduce((a, b) => a + b, 0) / values.length),
    p95: Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.95))]!),
  }
}

export class Statistics {
  readonly #zone: Zone
  #day = ''
  #since = 0
  #lanes: Record<string, Counts> = {}
  #waiting: number[] = []
  #passage: number[] = []
  #decided = 0
  #sure = 0
  #lanesKnown: readonly string[]

  constructor(zone: Zone, lanes: readonly string[]) {
    this.#zone = zone
    this.#lanesKnown = lanes
  }

  #turn(at: number): void {
    const day = this.#zone.format(at).slice(0, 10)
    if (day === this.#day) return
    this.#day = day
    this.#since = at
    this.#lanes = Object.fromEntries(this.#lanesKnown.map((id) => [id, { ...NONE }]))
    this.#waiting = []
    this.#passage = []
    this.#decided = 0
    this.#sure = 0
  }

  /** @param type event type `luong.passage.X.v1` */
  count(type: string, p: Passage, at: number): void {
    this.#turn(at)
    const what = type.split('.')[2] as keyof Counts | 'identified' | 'decided'
    const lane = this.#lanes[p.lane]
    if (lane && what in NONE) lane[what as keyof Counts]++
    if (what === 'decided' && p.decided) {
      push(this.#waiting, p.decided.mono - p.arrived.mono)
      this.#decided++
      if (p.plates.some((x) => x.sure)) this.#sure++
    }
    if (what === 'cleared' && p.ended) push(this.#passage, p.ended.mono - p.arrived.mono)
  }

  read(at: number): Stats {
    this.#turn(at)
    return {
      since: this.#zone.format(this.#since),
      at: this.#zone.format(at),
      lanes: structuredClone(this.#lanes),
      waiting_ms: summary(this.#waiting),
      passage_ms: summary(this.#passage),
      read_rate: this.#decided > 0 ? this.#sure / this.#decided : null,
      empties_inside: null,
    }
  }
}
