/** `luong journal`: what happened at a site, while it runs or later; and whether the record is whole. */
import type { Command } from 'commander'
import type { StoredRow } from '../journal/queries.ts'
import { entriesAfter, type JournalReader, openReader } from '../journal/reader.ts'
import { verifyJournal } from '../journal/verify.ts'
import { sleep, systemClock } from '../kernel/clock.ts'
import { LuongError } from '../kernel/errors.ts'
import { against, leftOut, readSealed } from './journal-against.ts'
import { entryJson, entryLine } from './journal-line.ts'
import { finish, printer } from './print.ts'

interface Options {
  readonly verify?: true
  readonly against?: string
  readonly follow?: true
  readonly passage?: string
  readonly from?: string
  readonly json?: true
}

const POLL_MS = 250
/** Events shown before following, when no start is given. */
const TAIL = 10

export function journal(program: Command): void {
  program
    .command('journal')
    .argument('<data-dir>', 'data folder of a gateway, running or not')
    .description('show the events of a site, or verify its journal')
    .option('--verify', 'check every entry: hash chain, sequence, texts, lists')
    .option('--against <file>', 'with --verify: also that it still holds what this published head says (topic …/head)')
    .option('--follow', 'go on with new events until interrupted')
    .option('--passage <id>', 'one passage, with what the lane was told and what it answered')
    .option('--from <seq>', 'begin with the event of this sequence')
    .option('--json', 'one JSON object a line; events byte for byte as published')
    .action((dir: string, options: Options) => finish(() => (options.verify ? verify(dir, options) : show(dir, options))))
}

async function verify(dir: string, options: Options): Promise<number> {
  const sealed = options.against === undefined ? null : readSealed(options.against)
  const tell = process.stderr.isTTY && !options.json
  const report = await verifyJournal(dir, tell ? { onProgress: (n) => process.stderr.write(`\r${n} entries `) } : {})
  if (tell) process.stderr.write('\r\x1b[K')
  const out = printer()
  const held = sealed === null ? null : against(dir, sealed, report.continued)
  if (options.json) await out.line(JSON.stringify(held === null ? report : { ...report, against: held }))
  else if (report.bad === undefined) {
    await out.line(`${dir}: the journal is whole: ${report.entries} entries, ${report.events} events, ${report.passages} passages`)
    await out.line(`head: sequence ${report.head.sequence}, entry ${report.head.entry}, ${report.head.hash}`)
  } else {
    const where =
      report.bad.entry === 0
        ? ''
        : `entry ${report.bad.entry}${report.bad.sequence === undefined ? '' : ` (event ${report.bad.sequence})`}: `
    await out.line(`${dir}: NOT whole: ${where}${report.bad.why}`)
    await out.line(`good up to entry ${report.entries} (event ${report.head.sequence})`)
  }
  if (!options.json) for (const gap of report.continued) await out.line(`restored: ${leftOut(gap)}`)
  if (held !== null && !options.json) {
    const { head } = held
    await out.line(
      `signed head of ${head.at} (event ${head.sequence}, entry ${head.entry}, key ${held.fingerprint}): ${held.why ?? 'held'}`,
    )
  }
  return report.ok && (held?.ok ?? true) ? 0 : 1
}

async function show(dir: string, options: Options): Promise<number> {
  const from = options.from === undefined ? undefined : Number(options.from)
  if (from !== undefined && !(Number.isSafeInteger(from) && from >= 1)) {
    throw new LuongError('BAD_USAGE', `--from ${options.from}: give the sequence of an event, 1 or more`)
  }
  const reader = openReader(dir)
  try {
    const out = printer()
    const print = (row: StoredRow) => out.line(options.json ? entryJson(row) : entryLine(row, reader.zone))
    if (options.passage !== undefined && !options.follow && reader.queries.ofPassage(options.passage).length === 0) {
      throw new LuongError('BAD_USAGE', `${dir}: nothing is recorded for passage ${options.passage}`, {
        hint: 'Check the id: `luong journal` with --json shows it.',
      })
    }
    const last = await past(reader, options, from, print)
    if (options.follow && last !== null) await follow(reader, options, last, print)
    return 0
  } finally {
    reader.close()
  }
}

/** Prints what there is; the last entry looked at, or null when the reader of the output has gone. */
async function past(
  reader: JournalReader,
  options: Options,
  from: number | undefined,
  print: (row: StoredRow) => Promise<boolean>,
): Promise<number | null> {
  const end = reader.queries.last(1)[0]?.id ?? 0
  if (options.passage !== undefined) {
    for (const row of reader.queries.ofPassage(options.passage)) {
      if (row.id <= end && (row.sequence ?? Number.POSITIVE_INFINITY) >= (from ?? 1) && !(await print(row))) return null
    }
    return end
  }
  const first = from ?? (options.follow ? Math.max(1, reader.queries.lastSequence() - TAIL + 1) : 1)
  for (const row of entriesAfter(reader.queries, entryBefore(reader, first))) {
    if (row.id > end) break
    if (row.sequence !== null && row.sequence >= first && !(await print(row))) return null
  }
  return end
}

async function follow(reader: JournalReader, options: Options, after: number, print: (row: StoredRow) => Promise<boolean>): Promise<void> {
  const stop = new AbortController()
  const end = () => stop.abort()
  process.once('SIGINT', end).once('SIGTERM', end)
  let last = after
  try {
    while (!stop.signal.aborted) {
      for (const row of entriesAfter(reader.queries, last)) {
        last = row.id
        const wanted = options.passage === undefined ? row.sequence !== null : row.passage === options.passage
        if (wanted && !(await print(row))) return
        if (stop.signal.aborted) return
      }
      await sleep(systemClock, POLL_MS, stop.signal)
    }
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end)
  }
}

/** The entry just before the event of that sequence. */
function entryBefore(reader: JournalReader, sequence: number): number {
  const row = reader.db
    .prepare<[number], { id: number }>('SELECT id FROM entries WHERE sequence >= ? ORDER BY sequence LIMIT 1')
    .get(sequence)
  return row === undefined ? (reader.queries.last(1)[0]?.id ?? 0) : row.id - 1
}
