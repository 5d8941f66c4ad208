/**
 * A journal that was restored goes on above the numbers that were given to what is lost. The journal stays what it is, with its chain;
 * one event says which numbers are not in it, who decided so and why, and is the first one of the new numbers.
 */

import { encode } from './encode.ts'
import type { EventEntry, JournalHead } from './journal.ts'
import type { WorkerSettings } from './protocol.ts'
import type { JournalReader } from './reader.ts'
import { openStore } from './store.ts'

export const CONTINUED = 'luong.journal.continued.v1'
/** Documents that say where such events are: by sequence. What counts is the event itself, which is in the chain. */
export const CONTINUATIONS = 'continued'
/** Documents that `luong restore` leaves behind: up to which sequence the journal is what it was when the backup was made. */
export const RESTORED = 'restored'

/**
 * Sequences that nobody gets from this journal, both ends included: given to events that are lost, or to none, or, between the restore and
 * the decision, to events that stay here, since the centre knows others by these numbers.
 */
export interface Skipped {
  readonly from: number
  readonly to: number
}

export interface Continuation extends Skipped {
  readonly sequence: number
  readonly entry: number
  /** Wall clock, ms. */
  readonly at: number
  readonly by: string
  readonly reason: string
}

/**
 * Up to here what the journal holds is what the centre may have under these numbers: the end of the backup, or what was acknowledged since.
 * @throws JOURNAL_CORRUPT, JOURNAL_UNAVAILABLE
 */
export function forkOf({ queries }: Pick<JournalReader, 'queries'>): number {
  const restored = queries.documents(RESTORED).map(({ key }) => Number(key))
  return Math.min(queries.lastSequence(), Math.max(0, queries.cursor('uplink'), ...restored))
}

/**
 * What was recorded behind `fork`, and the number with which the journal last went on; null: it never did. Numbers that are left out are not
 * counted, nor are the events that say so: the next such event says it for them.
 * @throws JOURNAL_CORRUPT, JOURNAL_UNAVAILABLE
 */
export function recordedSince({ queries }: Pick<JournalReader, 'queries'>, fork: number): { events: number; goesOn: number | null } {
  const noted = queries.documents(CONTINUATIONS).map(({ key }) => Number(key))
  const there = noted.filter((sequence) => {
    const event = queries.events(sequence - 1, 1)[0]
    return event?.sequence === sequence && event.type === CONTINUED
  })
  return { events: queries.eventsBut(CONTINUED, fork), goesOn: there.length > 0 ? Math.max(...there) : null }
}

/** What such an event says; null: this is none that can follow `after`. */
export function continuation(
  row: { readonly id: number; readonly sequence: number | null; readonly type: string | null; readonly at: number },
  data: unknown,
): Continuation | null {
  if (row.type !== CONTINUED || row.sequence === null || typeof data !== 'object' || data === null) return null
  const { from, to, by, reason } = data as Partial<Record<string, unknown>>
  if (typeof from !== 'number' || to !== row.sequence - 1 || from > to || typeof by !== 'string' || typeof reason !== 'string') return null
  return { from, to, by, reason, sequence: row.sequence, entry: row.id, at: row.at }
}

/**
 * Opens the journal of a gateway that does not run, appends the event with the sequence behind `skipped.to`, and closes it.
 * @param skipped up to a number above the journal's end; the event gets the next one
 * @throws DATA_IN_USE, JOURNAL_CORRUPT, JOURNAL_UNAVAILABLE, CONFIG_INVALID; RangeError when numbers would repeat
 */
export function continueJournal(settings: WorkerSettings, skipped: Skipped, { at, data }: Pick<EventEntry, 'at' | 'data'>): JournalHead {
  const store = openStore(settings)
  try {
    const last = store.head().sequence
    if (!Number.isSafeInteger(skipped.to) || skipped.to <= last || skipped.from > last + 1)
      throw new RangeError(`${skipped.from} to ${skipped.to} does not follow ${last}`)
    const sequence = skipped.to + 1
    const row = { ...encode({ kind: 'event', type: CONTINUED, at, data: { ...skipped, ...data } }), sequence }
    return store.write({
      rows: [row],
      documents: [{ collection: CONTINUATIONS, key: String(sequence), value: '{}', at }],
      cursors: [],
    })
  } finally {
    store.close()
  }
}
