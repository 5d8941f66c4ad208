/** What a consumer may rely on, checked on everything a site publishes: schema, sequence, ids, order, one end for each passage. */
import { z } from 'zod'
import type { Claim } from '../../gateway/uplink/schema/claim.ts'
import type { SealedHeadMessage } from '../../gateway/uplink/schema/head.ts'
import { payloadSchemas } from '../../gateway/uplink/schemas.ts'
import { matchTopic, NO_LANE, TOPICS } from '../../gateway/uplink/topics.ts'

/** A published event, as far as tests look into it. */
export interface Event {
  readonly id: string
  readonly type: string
  readonly source: string
  readonly subject?: string
  readonly time: string
  readonly sequence: string
  readonly data: EventData
}

export interface EventData {
  readonly lane?: string
  readonly passage?: string
  readonly direction?: string
  readonly outcome?: string
  readonly plates?: readonly { readonly text: string; readonly position: string; readonly sure: boolean }[]
  readonly trailer?: string
  readonly declaration?: string | null
  readonly identity?: {
    readonly match: string
    readonly tag?: string
    readonly disagreements: readonly { readonly code: string; expected: string; seen: string }[]
  }
  readonly decision?: { readonly rule: string; readonly outcome: string; readonly reasons: readonly Record<'vi' | 'zh' | 'en', string>[] }
  readonly weight_kg?: number | null
  readonly tags?: readonly { readonly text: string; readonly reader: string; readonly count: number }[]
  readonly codes?: readonly { readonly text: string; readonly reader: string }[]
  readonly evidence?: readonly { readonly path: string; readonly sha256: string }[]
  readonly alarm?: string
  readonly by?: string
  readonly why?: string
  readonly id?: string
  readonly do?: string
  readonly config?: string
}

/** Validates by the JSON Schemas that are published (`luong schema --topics`), not by the objects they are made from. */
const validators = new Map(
  Object.entries(payloadSchemas()).map(([name, schema]) => [name, z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0])]),
)

/** Problems of a payload, one line each. `name`: event type, or name in the topic table. */
export function schemaProblems(name: string, payload: unknown): string[] {
  const validator = validators.get(name.startsWith('luong.peer.') ? 'luong.peer.*.v1' : name)
  if (!validator) return [`there is no schema ${name}`]
  const parsed = validator.safeParse(payload)
  return parsed.success ? [] : parsed.error.issues.map((i) => `${name}: ${i.path.join('.')}: ${i.message}`)
}

const PASSAGE = /^luong\.passage\.(\w+)\.v1$/
const ENDS = ['cleared', 'refused', 'redirected', 'aborted']

/** `cleared` of `luong.passage.cleared.v1`. */
export const kindOf = (event: Event): string => event.type.split('.').slice(1, 3).join('.')

export class EventLog {
  readonly #root: string
  readonly #site: string
  readonly #texts = new Map<string, string>()
  readonly #lastOf = new Map<string, number>()
  /** First copies, in the order they came. */
  readonly events: Event[] = []
  readonly replies: { readonly id: string; readonly ok: boolean; readonly error?: string }[] = []
  /** Last retained state of each lane, and the status. */
  readonly states = new Map<string, Record<string, unknown>>()
  status: Record<string, unknown> | null = null
  head: SealedHeadMessage | null = null
  readonly claims: Claim[] = []
  /** What is wrong, as it came. */
  readonly problems: string[] = []
  /** Copies of events that had come before. */
  duplicates = 0

  constructor(base: { readonly root: string; readonly site: string }) {
    this.#root = base.root
    this.#site = base.site
  }

  take(topic: string, payload: string): void {
    const match = matchTopic(this.#root, this.#site, topic)
    // What goes down is for the site to check.
    if (!match || payload === '' || TOPICS[match.name].direction === 'down') return
    let value: unknown
    try {
      value = JSON.parse(payload)
    } catch {
      this.problems.push(`${topic}: not JSON: ${payload.slice(0, 80)}`)
      return
    }
    if (match.name === 'event') this.#event(value as Event, payload, match.params.lane ?? '')
    else this.problems.push(...schemaProblems(match.name, value))
    if (match.name === 'reply') this.replies.push(value as (typeof this.replies)[number])
    if (match.name === 'status') this.status = value as Record<string, unknown>
    if (match.name === 'head') this.head = value as SealedHeadMessage
    if (match.name === 'claim') this.claims.push(value as Claim)
    if (match.name === 'state') this.states.set(match.params.lane ?? '', value as Record<string, unknown>)
  }

  #event(event: Event, text: string, lane: string): void {
    const where = `${event.id} ${event.type}`
    const known = this.#texts.get(event.id)
    if (known !== undefined) {
      this.duplicates++
      if (known !== text) this.problems.push(`${where}: came again with other bytes`)
      return
    }
    this.#texts.set(event.id, text)
    this.events.push(event)
    this.problems.push(...schemaProblems(event.type, event).map((p) => `${where}: ${p}`))
    if (event.id !== `${this.#site}:${event.sequence}`) this.problems.push(`${where}: sequence ${event.sequence}`)
    if (lane !== (event.data.lane ?? NO_LANE)) this.problems.push(`${where}: on the topic of ${lane}, lane ${event.data.lane}`)
    const last = this.#lastOf.get(lane) ?? 0
    if (Number(event.sequence) < last) this.problems.push(`${where}: came after ${last} of the same lane`)
    this.#lastOf.set(lane, Math.max(last, Number(event.sequence)))
  }

  /** Highest sequence so far. */
  get last(): number {
    return Math.max(0, ...this.#lastOf.values())
  }

  /** Events of a kind such as `passage.cleared`, by sequence. */
  of(kind: string, lane?: string): Event[] {
    return this.bySequence().filter((e) => kindOf(e) === kind && (lane === undefined || e.data.lane === lane))
  }

  bySequence(): Event[] {
    return [...this.events].sort((a, b) => Number(a.sequence) - Number(b.sequence))
  }

  /** The events of each passage, by sequence. */
  passages(): Map<string, Event[]> {
    const out = new Map<string, Event[]>()
    for (const event of this.bySequence()) {
      const { passage } = event.data
      if (passage === undefined || !PASSAGE.test(event.type)) continue
      out.set(passage, [...(out.get(passage) ?? []), event])
    }
    return out
  }

  /** Everything wrong so far. `open`: passages that may still be without an end. */
  faults(options: { readonly from?: number; readonly open?: number } = {}): string[] {
    const out = [...this.problems]
    const seen = new Set(this.events.map((e) => Number(e.sequence)))
    // What a restored box says is lost does not come.
    const gone = this.of('journal.continued').map((e) => e.data as unknown as { from: number; to: number })
    const lost = (n: number) => gone.some((g) => g.from <= n && n <= g.to)
    for (let n = options.from ?? 1; n <= this.last; n++) if (!seen.has(n) && !lost(n)) out.push(`sequence ${n} is missing`)
    let open = 0
    for (const [id, events] of this.passages()) {
      const kinds = events.map((e) => PASSAGE.exec(e.type)![1]!)
      const ends = kinds.filter((k) => ENDS.includes(k))
      const story = `passage ${id}: ${kinds.join(', ')}`
      if (kinds[0] !== 'arrived' && (options.from ?? 1) === 1) out.push(`${story}: does not begin with its arrival`)
      if (kinds.filter((k) => k === 'arrived').length > 1) out.push(`${story}: arrived twice`)
      if (kinds.filter((k) => k === 'decided').length > 1) out.push(`${story}: decided twice`)
      if (ends.length > 1) out.push(`${story}: more than one end`)
      else if (ends.length === 0) open++
      else if (!ENDS.includes(kinds.at(-1)!)) out.push(`${story}: goes on after its end`)
    }
    if (open > (options.open ?? 0)) out.push(`${open} passages without an end`)
    return out
  }
}
