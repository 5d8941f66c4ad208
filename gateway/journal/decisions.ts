/** Decisions as they were made: what the rules said of each passage, and what the journal holds of why. */
import { LuongError } from '../kernel/errors.ts'
import type { StoredRow } from './queries.ts'
import type { JournalReader } from './reader.ts'

export interface StoredDecision {
  readonly passage: string
  readonly lane: string
  /** Wall-clock ms. */
  readonly at: number
  readonly plate: string | null
  readonly rule: string
  readonly outcome: string
  /** What was recorded beside the decision (`body` of kind `facts`); null where nothing was. */
  readonly record: Readonly<Record<string, unknown>> | null
}

/** Which passages: one by its id, or those that arrived in a period, from `from` to before `to`, wall-clock ms. */
export type Which = { readonly passage: string } | { readonly from: number; readonly to: number }

/**
 * The decisions of these passages in the order of arrival; passages that rules never decided are left out.
 * @throws BAD_USAGE when there is no such passage, or it was never decided
 */
export function* decisions(reader: JournalReader, which: Which): Generator<StoredDecision> {
  if ('passage' in which) {
    const found = decisionOf(reader, which.passage)
    if (!found) {
      const known = reader.queries.passage(which.passage) !== null
      throw new LuongError(
        'BAD_USAGE',
        known ? `passage ${which.passage} was not decided by rules` : `nothing is recorded for passage ${which.passage}`,
        { hint: '`luong journal` with --json shows the ids of passages.' },
      )
    }
    yield found
    return
  }
  const ids = reader.db
    .prepare<[number, number], { id: string }>('SELECT id FROM passages WHERE arrived_at >= ? AND arrived_at < ? ORDER BY arrived_at, id')
    .iterate(which.from, which.to)
  for (const { id } of ids) {
    const found = decisionOf(reader, id)
    if (found) yield found
  }
}

function decisionOf(reader: JournalReader, passage: string): StoredDecision | null {
  const rows = reader.queries.ofPassage(passage)
  const row = rows.find((r) => r.type === 'luong.passage.decided.v1')
  if (!row) return null
  const event = JSON.parse(row.text) as { subject?: string; data?: { decision?: { rule?: string; outcome?: string } } }
  const decision = event.data?.decision
  if (!decision) return null
  return {
    passage,
    lane: row.lane ?? '',
    at: row.at,
    plate: event.subject ?? null,
    rule: decision.rule ?? '',
    outcome: decision.outcome ?? '',
    record: rows.map(factsIn).find((r) => r !== null) ?? null,
  }
}

function factsIn(row: StoredRow): Readonly<Record<string, unknown>> | null {
  if (row.type !== null || !row.text.startsWith('[{"kind":"facts"')) return null
  return (JSON.parse(row.text) as [Record<string, unknown>])[0]
}
