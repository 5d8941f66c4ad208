/** What happened besides passages: alarms, the desk, the other half of a smart gate, changes of the lane plan. Counted from events. */
import type { JournalReader } from '../journal/reader.ts'

/** Number by what it was, such as `alarm tailgating`, `desk taken`, `other half missing`, `lane plan done`. */
export type Happenings = Readonly<Record<string, number>>

const KINDS: Readonly<Record<string, string>> = {
  'luong.alarm.raised.v1': 'alarm',
  'luong.passage.taken.v1': 'desk taken',
  'luong.passage.escalated.v1': 'desk escalated',
  'luong.lane.plan.v1': 'lane plan',
  'luong.peer.handed-over.v1': 'other half handed over',
  'luong.peer.received.v1': 'other half received',
  'luong.peer.arrived.v1': 'other half arrived',
  'luong.peer.missing.v1': 'other half missing',
  'luong.peer.message.v1': 'hotline message',
  'luong.peer.acknowledged.v1': 'hotline acknowledged',
}

/** The first entry not before `time`. Entries are in order of time but where the clock was set: there it is one of them. */
function entryAt({ db }: JournalReader, time: number): number {
  const at = db.prepare<[number], number>('SELECT at FROM entries WHERE id = ?').pluck()
  const last = db.prepare<[], number | null>('SELECT max(id) FROM entries').pluck().get() ?? 0
  let [low, high] = [1, last + 1]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if ((at.get(middle) ?? time) < time) low = middle + 1
    else high = middle
  }
  return low
}

/** Events in [from, to), wall-clock ms. */
export function happenings(reader: JournalReader, from: number, to: number): Happenings {
  const types = Object.keys(KINDS)
  const rows = reader.db
    .prepare<(string | number)[], { type: string; what: string | null; n: number }>(
      `SELECT type, CASE type WHEN 'luong.alarm.raised.v1' THEN json_extract(text, '$.data.alarm')
         WHEN 'luong.lane.plan.v1' THEN json_extract(text, '$.data.change') END AS what, count(*) AS n
       FROM entries WHERE id >= ? AND id < ? AND type IN (${types.map(() => '?').join(', ')}) GROUP BY 1, 2 ORDER BY 1, 2`,
    )
    .all(entryAt(reader, from), entryAt(reader, to), ...types)
  return Object.fromEntries(rows.map(({ type, what, n }) => [`${KINDS[type]}${what === null ? '' : ` ${what}`}`, n]))
}
