/**
 * Durable events a second and append → durable against better-sqlite3 alone with the same sync and the same batches, on the same disk, in
 * turns; how fast the whole chain is verified; how much a passage takes on disk.
 */
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { createJournal } from '../../gateway/journal/create.ts'
import { migrate } from '../../gateway/journal/migrations/index.ts'
import { openReader } from '../../gateway/journal/reader.ts'
import { verifyJournal } from '../../gateway/journal/verify.ts'
import { LabelPool, labelPainter } from '../harness/chaos-site.ts'
import { SITE, trafficEvent, trafficJson } from '../harness/traffic-events.ts'
import { withFolder } from './lanes-site.ts'
import { type BenchOptions, median, ms, type Report, type Row, type Spread, spread } from './report.ts'
import { virtualDay } from './virtual-site.ts'

/** Appends under way at once: one is a lane that waits for each, 64 is a busy site's burst. */
const WIDTHS = [1, 8, 64]

interface Turn {
  readonly perSecond: number
  readonly durable: Spread
}

const turnOf = (took: number, durations: number[]): Turn => ({ perSecond: (durations.length / took) * 1_000, durable: spread(durations) })

async function ours(dir: string, width: number, count: number): Promise<Turn> {
  const journal = createJournal({ dir, site: SITE, minFreeMb: 1 })
  await journal.open()
  const durations: number[] = []
  let n = 0
  const lane = async () => {
    while (n < count) {
      const since = performance.now()
      await journal.append([trafficEvent(++n)])
      durations.push(performance.now() - since)
    }
  }
  const began = performance.now()
  await Promise.all(Array.from({ length: width }, lane))
  const turn = turnOf(performance.now() - began, durations)
  await journal.close()
  return turn
}

/** The same rows in the same table with its indexes (`bare`: the text alone), and nothing else: no thread, chain, projection or check. */
function sqlite(dir: string, width: number, count: number, bare: boolean): Turn {
  const db = new Database(join(dir, 'raw.db'))
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  migrate(db)
  db.exec('CREATE TABLE bare (id INTEGER PRIMARY KEY, text TEXT NOT NULL)')
  const text = db.prepare('INSERT INTO bare (id, text) VALUES (?, ?)')
  const row = db.prepare('INSERT INTO entries (id, sequence, type, lane, passage, at, text, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
  const hash = Buffer.alloc(32)
  let n = 0
  const batch = db.transaction(() => {
    for (let i = 0; i < width; i++) {
      const e = trafficEvent(++n)
      if (bare) text.run(n, trafficJson(n))
      else row.run(n, n, e.type, e.lane, e.passage, e.at, trafficJson(n), hash)
    }
  })
  const durations: number[] = []
  const began = performance.now()
  while (n < count) {
    const since = performance.now()
    batch()
    const took = performance.now() - since
    for (let i = 0; i < width; i++) durations.push(took)
  }
  const turn = turnOf(performance.now() - began, durations)
  db.close()
  return turn
}

interface Width {
  readonly width: number
  readonly journal: Turn
  readonly sqlite: Turn
  readonly bare: Turn
  /** Events a second, of the same turn, one after the other: the median of the turns. */
  readonly ratio: number
  readonly ratioBare: number
}

const middle = (turns: readonly Turn[]): Turn => [...turns].sort((a, b) => a.perSecond - b.perSecond)[Math.floor(turns.length / 2)]!

async function compare(root: string, width: number, events: number, runs: number): Promise<Width> {
  const turns: [journal: Turn, sqlite: Turn, bare: Turn][] = []
  const count = width === 1 ? events / 8 : events
  for (let run = 0; run < runs; run++) {
    const dir = () => mkdtempSync(join(root, `w${width}-`))
    const [raw, bare] = [sqlite(dir(), width, count, false), sqlite(dir(), width, count, true)]
    turns.push([await ours(dir(), width, count), raw, bare])
  }
  return {
    width,
    journal: middle(turns.map((t) => t[0])),
    sqlite: middle(turns.map((t) => t[1])),
    bare: middle(turns.map((t) => t[2])),
    ratio: median(turns.map((t) => t[0].perSecond / t[1].perSecond)),
    ratioBare: median(turns.map((t) => t[0].perSecond / t[2].perSecond)),
  }
}

async function verifying(root: string, entries: number): Promise<number> {
  const dir = mkdtempSync(join(root, 'verify-'))
  const journal = createJournal({ dir, site: SITE, minFreeMb: 1 })
  await journal.open()
  for (let n = 0; n < entries; n += 500) await journal.append(Array.from({ length: 500 }, (_, i) => trafficEvent(n + i + 1)))
  await journal.close()
  const began = performance.now()
  const report = await verifyJournal(dir)
  if (!report.ok || report.entries < entries) throw new Error(`the journal does not verify: ${report.bad?.why}`)
  return report.entries / ((performance.now() - began) / 1_000)
}

interface Size {
  readonly passages: number
  readonly entries: number
  readonly bytes: number
}

/** Of the demo site, plates known. */
async function sizes(root: string, passages: number): Promise<Size> {
  await virtualDay({ dir: root, passages, every: 20, pool: new LabelPool(), painter: labelPainter })
  const reader = openReader(join(root, 'data'))
  try {
    const entries = reader.db.prepare('SELECT count(*) FROM entries').pluck().get() as number
    const pages = reader.db.pragma('page_count', { simple: true }) as number
    return { passages, entries, bytes: pages * (reader.db.pragma('page_size', { simple: true }) as number) }
  } finally {
    reader.close()
  }
}

export async function journal(o: BenchOptions): Promise<Report> {
  const [events, runs, entries, passages] = [
    o.number('events', 20_000),
    o.number('runs', 5),
    o.number('entries', 100_000),
    o.number('passages', 100),
  ]
  return withFolder(async (root) => {
    const widths: Width[] = []
    for (const width of WIDTHS) widths.push(await compare(root, width, events, runs))
    const perSecond = await verifying(root, entries)
    const size = await sizes(root, passages)
    const per = (t: Turn) => `${t.perSecond.toFixed(0)} events/s, durable p50 ${ms(t.durable.p50)}, p99 ${ms(t.durable.p99)}`
    const rows: Row[] = widths.flatMap(({ width, journal: mine, sqlite: raw, bare, ratio, ratioBare }) => [
      {
        what: `${width} at once: journal`,
        value: per(mine),
        note: `${ratio.toFixed(2)} of SQLite, ${ratioBare.toFixed(2)} of the text alone; aim ≥ 0.7`,
      },
      { what: '  SQLite, same rows', value: per(raw) },
      { what: '  SQLite, the text alone', value: per(bare) },
    ])
    rows.push(
      { what: 'verify', value: `${perSecond.toFixed(0)} entries/s`, note: `${entries} entries` },
      {
        what: 'size',
        value: `${(size.bytes / size.passages / 1024).toFixed(1)} KB a passage, ${(size.entries / size.passages).toFixed(1)} entries`,
        note: `${size.passages} passages of the demo, the file as a whole`,
      },
    )
    return {
      bench: 'journal',
      title: 'the journal against better-sqlite3 with the same sync and the same batches, in turns',
      command: `npm run bench -- journal --events ${events} --runs ${runs} --entries ${entries} --passages ${passages}`,
      rows,
      data: { widths, verify: perSecond, size },
    }
  })
}
