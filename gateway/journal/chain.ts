/** The hash chain over all entries: whoever changes, removes or inserts one breaks every hash after it. */
import { hash } from 'node:crypto'

/** One stored row without its hash. Events have `sequence` and `type`; inputs have neither. */
export interface ChainRow {
  readonly id: number
  readonly sequence: number | null
  readonly type: string | null
  readonly lane: string | null
  readonly passage: string | null
  /** Wall-clock ms, an integer. */
  readonly at: number
  readonly text: string
}

/** What the first entry is chained to. */
export const GENESIS: Uint8Array = new Uint8Array(32)

/**
 * SHA-256 of the previous hash, then the row's columns as a JSON array, a line feed, and the text.
 * JSON holds no raw line feed, so no two rows give the same bytes.
 */
export function hashRow(previous: Uint8Array, row: ChainRow): Buffer {
  const columns = JSON.stringify([row.id, row.sequence, row.type, row.lane, row.passage, row.at])
  const text = `${columns}\n${row.text}`
  // A code unit takes three bytes at most.
  const room = previous.length + 3 * text.length <= scratch.length ? scratch : Buffer.allocUnsafe(previous.length + 3 * text.length)
  room.set(previous)
  return hash('sha256', room.subarray(0, previous.length + room.write(text, previous.length)), 'buffer')
}

/** Nearly every row fits: no memory is asked for each. */
const scratch = Buffer.allocUnsafe(64 * 1024)
