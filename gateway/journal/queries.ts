/** Questions to the database, for the writing thread and for programs that only read. */
import type Database from 'better-sqlite3'
import { type ChainRow, GENESIS, hashRow } from './chain.ts'
import { corrupt } from './failure.ts'
import type { JournalHead, PassageRow, StoredEvent, StoredInput } from './journal.ts'
import type { CrossingRow, LoadRow, UseRow } from './loads.ts'

export interface StoredRow extends ChainRow {
  readonly hash: Buffer
}

const COLUMNS = 'id, sequence, type, lane, passage, at, text, hash'
const PASSAGE =
  'id, lane, direction, plate, outcome, arrived_at AS arrivedAt, decided_at AS decidedAt, referred_at AS referredAt, ended_at AS endedAt'
/** Columns of a {@link CrossingRow}, of `passages p LEFT JOIN loads l`. */
export const CROSSING = `p.id, p.lane, p.direction, p.plate, p.outcome, p.arrived_at AS arrivedAt, p.decided_at AS decidedAt,
  p.referred_at AS referredAt, p.ended_at AS endedAt, l.text AS load`

export type Queries = ReturnType<typeof prepareQueries>

/** Prepares every statement once. */
export function prepareQueries(db: Database.Database) {
  const rows = db.prepare<[number, number], StoredRow>(`SELECT ${COLUMNS} FROM entries WHERE id > ? ORDER BY id LIMIT ?`)
  const last = db.prepare<[number], StoredRow>(`SELECT ${COLUMNS} FROM entries ORDER BY id DESC LIMIT ?`)
  const head = db.prepare<[], { sequence: number | null }>('SELECT max(sequence) AS sequence FROM entries WHERE sequence IS NOT NULL')
  const events = db.prepare<[number, number], StoredEvent>(
    'SELECT sequence, type, lane, passage, at, text AS json FROM entries WHERE sequence > ? ORDER BY sequence LIMIT ?',
  )
  const eventsBut = db.prepare<[number, string], { count: number }>(
    'SELECT count(*) AS count FROM entries WHERE sequence > ? AND type <> ?',
  )
  const ofPassage = db.prepare<[string], StoredRow>(`SELECT ${COLUMNS} FROM entries WHERE passage = ? ORDER BY id`)
  const cursor = db.prepare<[string], { sequence: number }>('SELECT sequence FROM cursors WHERE target = ?')
  const passage = db.prepare<[string], PassageRow>(`SELECT ${PASSAGE} FROM passages WHERE id = ?`)
  const unfinished = db.prepare<[], PassageRow>(`SELECT ${PASSAGE} FROM passages WHERE ended_at IS NULL ORDER BY arrived_at`)
  const crossings = db.prepare<[number], CrossingRow>(
    `SELECT ${CROSSING} FROM passages p LEFT JOIN loads l ON l.passage = p.id
     WHERE p.arrived_at >= ? OR p.ended_at IS NULL ORDER BY p.arrived_at, p.id`,
  )
  const lastCrossed = db.prepare<[string], CrossingRow>(
    `SELECT ${CROSSING} FROM vehicles v JOIN passages p ON p.id = v.passage LEFT JOIN loads l ON l.passage = p.id
     WHERE p.direction = ? ORDER BY v.entry`,
  )
  const uses = db.prepare<[{ since: number }], UseRow>(
    `SELECT l.declaration, p.direction, p.ended_at AS at, l.valid_to AS validTo FROM passages p JOIN loads l ON l.passage = p.id
     WHERE p.outcome = 'cleared' AND l.declaration IS NOT NULL AND (p.arrived_at >= @since OR l.valid_to >= @since)`,
  )
  const siteAlarms = db.prepare<[], StoredEvent>(
    `SELECT sequence, type, lane, passage, at, text AS json FROM entries
     WHERE lane IS NULL AND type IN ('luong.alarm.raised.v1', 'luong.alarm.cleared.v1') ORDER BY id`,
  )
  const deskEvents = db.prepare<[], StoredEvent>(
    `SELECT e.sequence, e.type, e.lane, e.passage, e.at, e.text AS json FROM passages p JOIN entries e ON e.passage = p.id
     WHERE p.ended_at IS NULL AND p.referred_at IS NOT NULL
     AND e.type IN ('luong.passage.referred.v1', 'luong.passage.taken.v1', 'luong.passage.escalated.v1') ORDER BY e.id`,
  )
  const load = db.prepare<[string], LoadRow>('SELECT passage, declaration, vehicle, valid_to AS validTo, text FROM loads WHERE passage = ?')
  const vehicle = db.prepare<[string], { passage: string; entry: number }>('SELECT passage, entry FROM vehicles WHERE vehicle = ?')
  const documents = db.prepare<[string], { key: string; value: string; at: number }>(
    'SELECT key, value, at FROM documents WHERE collection = ? ORDER BY key',
  )
  return {
    /** Entries with id > `after`, ascending. */
    rows: (after: number, limit: number) => rows.all(after, limit),
    /** The last entries, ascending. */
    last: (count: number) => last.all(count).reverse(),
    ofPassage: (id: string) => ofPassage.all(id),
    lastSequence: () => head.get()?.sequence ?? 0,
    events: (after: number, limit: number) => events.all(after, limit),
    /** How many events have a sequence > `after` and another type. */
    eventsBut: (type: string, after: number) => eventsBut.get(after, type)?.count ?? 0,
    /** Of an entry, hex. */
    hashOf: (entry: number) => {
      const row = rows.all(entry - 1, 1)[0]
      return row?.id === entry ? Buffer.from(row.hash).toString('hex') : null
    },
    cursor: (target: string) => cursor.get(target)?.sequence ?? 0,
    inputs: (id: string) =>
      ofPassage
        .all(id)
        .filter((row) => row.type === null)
        .map(storedInput),
    passage: (id: string) => passage.get(id) ?? null,
    unfinished: () => unfinished.all(),
    crossings: (since: number) => crossings.all(since),
    lastCrossed: (direction: string) => lastCrossed.all(direction),
    uses: (since: number) => uses.all({ since }),
    siteAlarms: () => siteAlarms.all(),
    deskEvents: () => deskEvents.all(),
    load: (passage: string) => load.get(passage) ?? null,
    vehicle: (plate: string) => vehicle.get(plate) ?? null,
    documents: (collection: string) => documents.all(collection).map((d) => ({ ...d, value: JSON.parse(d.value) as unknown })),
  }
}

export function storedInput(row: StoredRow): StoredInput {
  const [body, actions] = JSON.parse(row.text) as [unknown, unknown[]]
  return { id: row.id, lane: row.lane ?? '', passage: row.passage, at: row.at, body, actions }
}

/**
 * Head of the chain, after checking that its last `depth` entries hang together. The whole chain is `verifyJournal`'s work.
 * @throws JOURNAL_CORRUPT
 */
export function checkTail(queries: Queries, dir: string, depth = 256): JournalHead {
  const rows = queries.last(depth + 1)
  let previous: StoredRow | undefined
  for (const row of rows) {
    if (previous !== undefined || row.id === 1) {
      if (row.id !== (previous?.id ?? 0) + 1) throw corrupt(dir, `entry ${(previous?.id ?? 0) + 1} is missing`)
      if (!hashRow(previous?.hash ?? GENESIS, row).equals(row.hash)) throw corrupt(dir, `entry ${row.id} does not fit the hash chain`)
    }
    previous = row
  }
  const lastEvent = rows.findLast((row) => row.sequence !== null)
  const sequence = queries.lastSequence()
  if (lastEvent !== undefined && lastEvent.sequence !== sequence) throw corrupt(dir, `the last event should be ${sequence}`)
  return { sequence, entry: previous?.id ?? 0, hash: (previous?.hash ?? Buffer.from(GENESIS)).toString('hex') }
}
