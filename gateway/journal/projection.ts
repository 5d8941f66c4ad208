/** What the passages table says, as a pure fold over events: the journal applies it as it writes, `verify` applies it again. */
import { toUSVString } from 'node:util'
import type { PassageRow } from './journal.ts'

export interface PassageEvent {
  readonly type: string
  readonly lane: string | null
  readonly passage: string | null
  readonly at: number
  readonly plate: string | null
  readonly direction: string | null
}

const PASSAGE = /^luong\.passage\.([a-z-]+)\.v1$/

/** The verb of a passage event: `cleared` of `luong.passage.cleared.v1`; null for other events. */
export function passageVerb(type: string): string | null {
  return PASSAGE.exec(type)?.[1] ?? null
}

/**
 * The row after the event. *cleared*, *refused*, *redirected* and *aborted* are told when the vehicle has left and end the passage;
 * a vehicle that was referred still stands in the lane. If it then leaves (*aborted*), it stays referred. Nothing changes a
 * passage that has ended.
 */
export function fold(row: PassageRow | null, event: PassageEvent): PassageRow | null {
  const verb = passageVerb(event.type)
  if (verb === null || event.passage === null || event.lane === null || (row !== null && row.endedAt !== null)) return row
  const base: PassageRow = row ?? {
    id: event.passage,
    lane: event.lane,
    direction: null,
    plate: null,
    outcome: null,
    arrivedAt: event.at,
    decidedAt: null,
    referredAt: null,
    endedAt: null,
  }
  const decides = verb === 'refused' || verb === 'referred' || verb === 'redirected'
  const ends = verb === 'cleared' || verb === 'aborted' || verb === 'refused' || verb === 'redirected'
  const after: PassageRow = {
    ...base,
    direction: event.direction ?? base.direction,
    plate: event.plate ?? base.plate,
    outcome: decides || verb === 'cleared' ? verb : verb === 'aborted' ? (base.outcome ?? verb) : base.outcome,
    decidedAt: base.decidedAt ?? (decides || verb === 'decided' ? event.at : null),
    referredAt: base.referredAt ?? (verb === 'referred' ? event.at : null),
    endedAt: ends ? event.at : null,
  }
  return row !== null && FIELDS.every((field) => row[field] === after[field]) ? row : after
}

/** What an event can change of a row. */
const FIELDS = ['direction', 'plate', 'outcome', 'decidedAt', 'referredAt', 'endedAt'] as const

/** Plate and direction as an event carries them: `data.plates` (texts, or objects with `text`), else the subject. */
export function seen(subject: string | null, data: Readonly<Record<string, unknown>>): { plate: string | null; direction: string | null } {
  const first: unknown = Array.isArray(data.plates) ? data.plates[0] : undefined
  const text = typeof first === 'object' && first !== null ? (first as { text?: unknown }).text : first
  const plate = subject ?? (typeof text === 'string' ? text : null)
  return {
    // As UTF-8 would have it, in which SQLite keeps it: a lone surrogate must not make the row differ from its event.
    plate: plate === null ? null : toUSVString(plate),
    direction: data.direction === 'import' || data.direction === 'export' ? data.direction : null,
  }
}
