/** One readable line per passage, as it ends; and what came out in all. */
import type { Zone } from '../journal/zone.ts'
import { type Passage, type PassageOutcome, passageData, subjectOf } from '../site/passage.ts'
import { paint } from './colour.ts'
import { pad } from './columns.ts'

export interface PassageLinesOptions {
  readonly zone: Zone
  readonly json: boolean
  readonly out: { write(text: string): unknown }
  /** Said before the lane, where there are several sites. */
  readonly site?: string
}

const COLOURS: Record<string, (text: string) => string> = {
  cleared: paint.green,
  referred: paint.yellow,
  redirected: paint.yellow,
  refused: paint.red,
  aborted: paint.magenta,
}

/** `24C12345` as people write it: 24C-123.45; Chinese plates with the dot after the city letter. */
export function writtenPlate(text: string): string {
  const vn = /^(\d{2}[A-Z]{1,2})(\d{3})(\d{2})$/.exec(text)
  if (vn) return `${vn[1]}-${vn[2]}.${vn[3]}`
  const old = /^(\d{2}[A-Z]{1,2})(\d{4})$/.exec(text)
  if (old) return `${old[1]}-${old[2]}`
  const cn = /^(\p{Script=Han}[A-Z])(.+)$/u.exec(text)
  return cn ? `${cn[1]}·${cn[2]}` : text
}

/** What else showed who it is, and its turn where lanes lead into one place. */
function known({ identity, turn }: Passage): string[] {
  const what = identity?.tag === 'same' ? [identity.tags.length > 0 ? 'tag agrees' : 'code agrees'] : []
  if (turn) {
    const before = turn.before.length > 0 ? `, before ${turn.before.join(' and ')}` : ''
    what.push(`called after ${turn.waited_s} s${before}`)
  }
  return what
}

export class PassageLines {
  readonly #o: PassageLinesOptions
  readonly #counts = new Map<string, number>()
  readonly #lanes = new Set<string>()
  #first: number | null = null
  #last = 0

  constructor(options: PassageLinesOptions) {
    this.#o = options
  }

  /** @param type `luong.passage.X.v1` */
  event(type: string, p: Passage): void {
    const what = type.split('.')[2]!
    if (what === 'arrived' || what === 'identified' || what === 'decided') return
    if (this.#o.json) {
      const data = passageData(p, this.#o.zone, { synced: null, offset_ms: null }, { outcome: what as PassageOutcome })
      const { site } = this.#o
      this.#o.out.write(`${JSON.stringify({ type, ...(site ? { site } : {}), ...data })}\n`)
      return
    }
    this.#o.out.write(`${this.line(what, p)}\n`)
    if (what === 'referred') return
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1)
    this.#lanes.add(p.lane)
    this.#first ??= p.arrived.at
    this.#last = p.ended?.at ?? this.#last
  }

  line(what: string, p: Passage): string {
    const at = p.ended ?? p.decided ?? p.arrived
    const time = this.#o.zone.format(at.at).slice(11, 19)
    const plate = subjectOf(p)
    const seconds = p.ended ? `${((p.ended.mono - p.arrived.mono) / 1000).toFixed(1)} s` : ''
    const reason = p.decision ? [`${p.decision.rule}: ${p.decision.reasons[0]?.en ?? ''}`] : []
    const by = p.by ? ` (opened by ${p.by})` : ''
    const colour = COLOURS[what] ?? ((t: string) => t)
    const site = this.#o.site ? `${pad(this.#o.site, 9)} ` : ''
    return `${paint.dim(time)}  ${site}${pad(p.lane, 9)} ${paint.bold(pad(plate ? writtenPlate(plate) : '–', 12))} ${colour(pad(what, 10))} ${seconds.padStart(7)}  ${paint.dim([...reason, ...known(p)].join('; ') + by)}`
  }

  summary(): string {
    const total = [...this.#counts.values()].reduce((a, b) => a + b, 0)
    const parts = [...this.#counts].map(([what, n]) => `${n} ${what}`)
    const minutes = this.#first === null ? 0 : Math.max(0, this.#last - this.#first) / 60_000
    return `${total} passages on ${this.#lanes.size} lanes in ${minutes.toFixed(1)} min of gate time: ${parts.join(', ') || 'none'}`
  }
}
