/** What one half of a smart gate knows of the other. Everything here is plain data: the journal keeps it, one document an entry. */
import type { PeerBody } from '../uplink/schema/peer.ts'
import { type Chance, type Link, type LinkRecord, NO_SESSION, newRecord } from './link.ts'

type HandOver = Extract<PeerBody, { kind: 'hand-over' }>
/** A vehicle as the other side handed it over. */
export type HandedOver = Omit<HandOver, 'kind'>

/**
 * expected: on its way. missing: did not come in time. arrived: stands, or stood, at a lane here. It is forgotten when it has passed,
 * when an officer has settled it, or after {@link FORGET_MS}.
 */
export interface Expected extends HandedOver {
  readonly status: 'expected' | 'missing' | 'arrived'
  /** When it left the other side, and until when it should be here: ms on this side's own time. */
  readonly left: number
  readonly due: number
  /** Passage and lane here, once it has arrived. */
  readonly passage?: string
  /** The alarm `peer-missing` is raised for it. */
  readonly alarmed: boolean
}

/** A vehicle that came from the other side without having been announced; the announcement may still be on its way. */
export interface Unannounced {
  readonly passage: string
  readonly lane: string
  readonly plate: string
  readonly trailer?: string
  readonly at: number
  readonly passed: boolean
}

/** A vehicle that was handed over to the other side and is not known to have arrived there. */
export interface UnderWay {
  readonly handover: string
  readonly plate?: string
  readonly at: number
  readonly missing: boolean
}

/** A hotline message that waits for an officer. `way` in: for our desk; out: for theirs. */
export interface Note {
  readonly id: string
  readonly way: 'in' | 'out'
  readonly by: string
  readonly text: string
  /** When it came in or was sent, ms. */
  readonly at: number
  /** Not acknowledged in time: the alarm is raised. */
  readonly escalated: boolean
}

export type LinkAlarm = 'peer-silent' | 'peer-clock'

export interface PairState {
  readonly link: Link
  /** Sequence of the last event of the journal that was looked at. */
  readonly cursor: number
  readonly expected: ReadonlyMap<string, Expected>
  readonly unannounced: ReadonlyMap<string, Unannounced>
  readonly underWay: ReadonlyMap<string, UnderWay>
  /** By `in:ID` and `out:ID`. */
  readonly notes: ReadonlyMap<string, Note>
  readonly alarms: readonly LinkAlarm[]
}

/** One document of the journal; null takes it away. */
export interface PairDocument {
  readonly key: string
  readonly value: unknown | null
}

const MAPS = ['expected', 'unannounced', 'underWay', 'notes'] as const
const numberKey = (number: number) => `waiting/${String(number).padStart(13, '0')}`

interface Head {
  readonly link: LinkRecord
  readonly cursor: number
  readonly alarms: readonly LinkAlarm[]
}
const headOf = ({ link, cursor, alarms }: PairState): Head => ({ link: link.record, cursor, alarms })

/** Nothing known yet. @param cursor last event of the journal: what passed before is not handed over */
export function newPair(cursor: number, chance: Chance): PairState {
  const none = new Map<string, never>()
  return {
    link: { record: newRecord(chance), session: NO_SESSION, waiting: new Map() },
    cursor,
    expected: none,
    unannounced: none,
    underWay: none,
    notes: none,
    alarms: [],
  }
}

/** What of the documents changes from one state to the next. Entries that are the same object are the same. */
export function documentsOf(before: PairState | null, after: PairState): PairDocument[] {
  const out: PairDocument[] = []
  const changed = (prefix: string, was: ReadonlyMap<string, unknown>, is: ReadonlyMap<string, unknown>) => {
    if (was === is) return
    for (const key of was.keys()) if (!is.has(key)) out.push({ key: `${prefix}${key}`, value: null })
    for (const [key, value] of is) if (was.get(key) !== value) out.push({ key: `${prefix}${key}`, value })
  }
  for (const name of MAPS) changed(`${name}/`, before?.[name] ?? new Map(), after[name])
  const waiting = (s: PairState | null) => new Map([...(s?.link.waiting ?? [])].map(([n, body]) => [numberKey(n), body]))
  if (before?.link.waiting !== after.link.waiting) changed('', waiting(before), waiting(after))
  const head = headOf(after)
  if (before === null || JSON.stringify(headOf(before)) !== JSON.stringify(head)) out.push({ key: 'head', value: head })
  return out
}

/** The state that these documents hold; null: there is none. */
export function recallPair(documents: readonly { readonly key: string; readonly value: unknown }[]): PairState | null {
  const head = documents.find(({ key }) => key === 'head')?.value as Head | undefined
  if (head === undefined) return null
  const of = <T>(name: string) =>
    new Map(documents.filter(({ key }) => key.startsWith(`${name}/`)).map(({ key, value }) => [key.slice(name.length + 1), value as T]))
  const waiting = new Map([...of<PeerBody>('waiting')].map(([key, body]) => [Number(key), body] as const).sort(([a], [b]) => a - b))
  return {
    link: { record: head.link, session: NO_SESSION, waiting },
    cursor: head.cursor,
    alarms: head.alarms,
    expected: of('expected'),
    unannounced: of('unannounced'),
    underWay: of('underWay'),
    notes: of('notes'),
  }
}

const HOUR = 3_600_000
/** What nobody has settled by then is forgotten. */
export const FORGET_MS = 72 * HOUR
/** An announcement that comes later than this after its vehicle is not brought together with it. */
export const TOGETHER_MS = 24 * HOUR
