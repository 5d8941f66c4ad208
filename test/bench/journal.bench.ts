/**
 * Durable events a second and append → durable, against better-sqlite3 alone with the same sync and the same batches, on the
 * same disk, one after the other in turns. `node dist/test/bench/journal.bench.js [FOLDER]`
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import Database from 'better-sqlite3'
import { createJournal } from '../../gateway/journal/create.ts'
import { percentile } from '../../gateway/journal/stats.ts'

const TURNS = 3
const EVENTS = 20_000
/** Appends under way at once: one is a lane that waits for each, 64 is a busy site's burst. */
const WIDTHS = [1, 8, 64]

const data = {
  passage: '01JABCDEFGHJKMNPQRSTVWXYZ0',
  lane: 'import-1',
  direction: 'import',
  outcome: 'pass',
  historical: false,
  reasons: ['Declared and in date'],
  pad: 'x'.repeat(300),
}
const root = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'luong-bench-'))

interface Result {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
}

function result(ms: number, durations: number[]): Result {
  durations.sort((a, b) => a - b)
  return { perSecond: (durations.length / ms) * 1000, p50: percentile(durations, 0.5), p99: percentile(durations, 0.99) }
}

async function ours(dir: string, width: number): Promise<Result> {
  const journal = createJournal({ dir, site: 'bench', minFreeMb: 1 })
  await journal.open()
  const durations: number[] = []
  const count = EVENTS / (width === 1 ? 4 : 1)
  const begin = performance.now()
  const lane = async () => {
    while (durations.length < count) {
      const since = performance.now()
      await journal.append([
        {
          kind: 'event',
          type: 'luong.passage.decided.v1',
          lane: 'import-1',
          passage: data.passage,
          subject: '24C12345',
          at: Date.now(),
          data,
        },
      ])
      durations.push(performance.now() - since)
    }
  }
  await Promise.all(Array.from({ length: width }, lane))
  const r = result(performance.now() - begin, durations)
  await journal.close()
  return r
}

/** No thread, no chain, no projection, no messages: what the disk and SQLite give for rows of the same size. */
function raw(dir: string, width: number): Result {
  const db = new Database(join(dir, 'raw.db'))
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.exec('CREATE TABLE entries (id INTEGER PRIMARY KEY, text TEXT NOT NULL)')
  const insert = db.prepare('INSERT INTO entries (text) VALUES (?)')
  const batch = db.transaction(() => {
    for (let i = 0; i < width; i++)
      insert.run(JSON.stringify({ specversion: '1.0', id: 'bench:1', type: 'luong.passage.decided.v1', subject: '24C12345', data }))
  })
  const durations: number[] = []
  const count = EVENTS / (width === 1 ? 4 : 1)
  const begin = performance.now()
  while (durations.length < count) {
    const since = performance.now()
    batch()
    const took = performance.now() - since
    for (let i = 0; i < width; i++) durations.push(took)
  }
  const r = result(performance.now() - begin, durations)
  db.close()
  return r
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!
const middle = (results: Result[]): Result => ({
  perSecond: median(results.map((r) => r.perSecond)),
  p50: median(results.map((r) => r.p50)),
  p99: median(results.map((r) => r.p99)),
})
const row = (name: string, r: Result) =>
  `${name.padEnd(10)} ${r.perSecond.toFixed(0).padStart(8)} events/s   p50 ${r.p50.toFixed(3).padStart(8)} ms   p99 ${r.p99.toFixed(3).padStart(8)} ms`

const delay = monitorEventLoopDelay({ resolution: 1 })
try {
  for (const width of WIDTHS) {
    const [a, b]: [Result[], Result[]] = [[], []]
    for (let turn = 0; turn < TURNS; turn++) {
      b.push(raw(mkdtempSync(join(root, 'raw-')), width))
      delay.enable()
      a.push(await ours(mkdtempSync(join(root, 'ours-')), width))
      delay.disable()
    }
    const [journal, sqlite] = [middle(a), middle(b)]
    console.log(`${width} at once`)
    console.log(row('  journal', journal))
    console.log(row('  sqlite', sqlite))
    console.log(
      `  ratio      ${(journal.perSecond / sqlite.perSecond).toFixed(2)} of the events/s, ${(journal.p50 / sqlite.p50).toFixed(2)} × p50, ${(journal.p99 / sqlite.p99).toFixed(2)} × p99`,
    )
  }
  console.log(
    `main thread's event-loop delay meanwhile: p50 ${(delay.percentile(50) / 1e6).toFixed(2)} ms, p99 ${(delay.percentile(99) / 1e6).toFixed(2)} ms`,
  )
} finally {
  rmSync(root, { recursive: true, force: true })
}
