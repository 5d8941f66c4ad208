/** What a lane's core was given for one passage, and where that record begins: the last known state before it. */
import { LuongError } from '../kernel/errors.ts'
import type { StoredInput } from './journal.ts'
import { type StoredRow, storedInput } from './queries.ts'
import type { JournalReader } from './reader.ts'

/** Inputs of one passage and its lane between its beginning and its end; far more means a broken record. */
const MAX_INPUTS = 100_000

/**
 * Inputs of the passage's lane, from the last `settings` or `checkpoint` record before the passage to the passage's last input.
 * @throws BAD_USAGE when nothing was recorded for the passage, or not from where
 */
export function recording(reader: JournalReader, passage: string): StoredInput[] {
  const own = reader.queries.ofPassage(passage).filter((row) => row.type === null)
  const [first, last] = [own[0], own.at(-1)]
  if (first === undefined || last === undefined) {
    throw new LuongError('BAD_USAGE', `no inputs are recorded for passage ${passage}`, {
      hint: '`luong report` and `luong journal` show which passages there are.',
    })
  }
  const from = reader.db
    .prepare<[number, string | null], { id: number }>(
      `SELECT id FROM entries WHERE id <= ? AND type IS NULL AND lane IS ?
       AND json_extract(text, '$[0].kind') IN ('checkpoint', 'settings') ORDER BY id DESC LIMIT 1`,
    )
    .get(first.id, first.lane)
  if (from === undefined) {
    throw new LuongError('BAD_USAGE', `the journal holds no state of lane ${first.lane} from before passage ${passage}`, {
      hint: 'The record of that lane does not begin with its settings: it cannot be replayed.',
    })
  }
  return reader.db
    .prepare<[number, number, string | null, number], StoredRow>(
      'SELECT id, sequence, type, lane, passage, at, text, hash FROM entries WHERE id BETWEEN ? AND ? AND type IS NULL AND lane IS ? ORDER BY id LIMIT ?',
    )
    .all(from.id, last.id, first.lane, MAX_INPUTS)
    .map(storedInput)
}
