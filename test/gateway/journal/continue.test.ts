import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { hashRow } from '../../../gateway/journal/chain.ts'
import { CONTINUED, continueJournal, forkOf, RESTORED, recordedSince } from '../../../gateway/journal/continue.ts'
import type { StoredRow } from '../../../gateway/journal/queries.ts'
import { openReader } from '../../../gateway/journal/reader.ts'
import { verifyJournal } from '../../../gateway/journal/verify.ts'
import { withoutSkipped } from '../../../gateway/uplink/skipped.ts'
import { opened, tempFolder, truck } from './fixtures.ts'

let folder: ReturnType<typeof tempFolder>
beforeEach(() => {
  folder = tempFolder()
})
afterEach(() => folder.remove())

const AT = Date.parse('2026-11-22T08:00:00+07:00')
const said = { at: AT, data: { by: 'Hoa', reason: 'disk', key: 'k' } }
const goOn = (dir: string, from: number, to: number) =>
  continueJournal({ dir, site: siteOf(dir), timezone: 'Asia/Ho_Chi_Minh', minFreeMb: 0, reserveMb: 0 }, { from, to }, said)

function siteOf(dir: string): string {
  const reader = openReader(dir)
  try {
    return reader.site
  } finally {
    reader.close()
  }
}

async function written(): Promise<number> {
  const journal = await opened(folder.dir)
  await journal.append(truck('P1', '24C11111'))
  const { sequence } = journal.head()
  await journal.close()
  return sequence
}

it('goes on with the number behind those that are left out; it verifies, goes on from there, and may happen again', async () => {
  const last = await written()
  expect(goOn(folder.dir, last + 1, 999)).toMatchObject({ sequence: 1_000 })
  const journal = await opened(folder.dir)
  const { sequences } = await journal.append(truck('P2', '24C22222'))
  expect(sequences[0]).toBe(1_001)
  expect((await journal.events(last, 2)).map((e) => [e.sequence, e.type])).toEqual([
    [1_000, CONTINUED],
    [1_001, expect.any(String)],
  ])
  await journal.close()
  const end = sequences.at(-1)!
  // Back to a number that was given before, as where the gateway ran before it was decided.
  goOn(folder.dir, 1_001, 5_000)
  expect(await verifyJournal(folder.dir)).toMatchObject({
    ok: true,
    events: last + sequences.length + 2,
    head: { sequence: 5_001 },
    continued: [
      { from: last + 1, to: 999, sequence: 1_000, by: 'Hoa', reason: 'disk', at: AT },
      { from: 1_001, to: 5_000, sequence: 5_001 },
    ],
  })
  for (const [from, to] of [
    [5_002, 5_001],
    [5_003, 6_000],
    [5_002, Number.MAX_SAFE_INTEGER + 1],
    [end, 5_000],
  ] as const)
    expect(() => goOn(folder.dir, from, to), `${from} to ${to}`).toThrow(/does not follow/)
})

it('knows what is still the same as the backup: its end, or what was acknowledged since', async () => {
  const last = await written()
  const fork = () => {
    const reader = openReader(folder.dir)
    try {
      return forkOf(reader)
    } finally {
      reader.close()
    }
  }
  expect(fork()).toBe(0)
  const journal = await opened(folder.dir)
  await journal.putDocument(RESTORED, '1', {})
  await journal.close()
  expect(fork()).toBe(1)
  const acknowledged = await opened(folder.dir)
  acknowledged.setCursor('uplink', last - 1)
  await acknowledged.close()
  expect(fork()).toBe(last - 1)
})

it('counts what was recorded since by events, not by numbers; the events that say that it goes on are not counted', async () => {
  const last = await written()
  const since = (fork: number) => {
    const reader = openReader(folder.dir)
    try {
      return recordedSince(reader, fork)
    } finally {
      reader.close()
    }
  }
  expect(since(0)).toEqual({ events: last, goesOn: null })
  goOn(folder.dir, last + 1, 9_999)
  expect(since(last)).toEqual({ events: 0, goesOn: 10_000 })
  const journal = await opened(folder.dir)
  await journal.append(truck('P2', '24C22222'))
  const added = journal.head().sequence - 10_000
  // What counts is the event.
  await journal.putDocument('continued', '10001', {})
  await journal.close()
  expect([since(last), since(10_000), since(0)]).toEqual([added, added, last + added].map((events) => ({ events, goesOn: 10_000 })))
})

it('hides no hole: numbers that are left out without the event, or other ones than it says, are found', async () => {
  const last = await written()
  goOn(folder.dir, last + 1, 999)
  const spoil = async (change: (row: StoredRow) => Partial<StoredRow>) => {
    const db = new Database(join(folder.dir, 'journal.db'))
    try {
      const rows = db.prepare('SELECT * FROM entries ORDER BY id DESC LIMIT 2').all() as StoredRow[]
      const row = { ...rows[0]!, ...change(rows[0]!) }
      // With a hash that fits: somebody who can write the file.
      const hash = hashRow(rows[1]!.hash, row)
      db.prepare('UPDATE entries SET sequence = ?, type = ?, text = ?, hash = ? WHERE id = ?').run(
        row.sequence,
        row.type,
        row.text,
        hash,
        row.id,
      )
    } finally {
      db.close()
    }
    return (await verifyJournal(folder.dir)).bad?.why
  }
  const edit = (from: string | RegExp, to: string) => (row: StoredRow) => ({ text: row.text.replace(from, to) })
  const [text, type] = ['"type":"luong.site.stopped.v1"', 'luong.site.stopped.v1']
  expect(await spoil((row) => ({ type, text: row.text.replace(`"type":"${CONTINUED}"`, text) }))).toMatch(/sequence 1000 follows/)
  expect(await spoil((row) => ({ type: CONTINUED, text: row.text.replace(text, `"type":"${CONTINUED}"`) }))).toBeUndefined()
  expect(await spoil(edit('"to":999', '"to":998'))).toMatch(/sequence 1000 follows/)
  expect(await spoil(edit('"to":998', '"to":999'))).toBeUndefined()
  expect(await spoil(edit(`"from":${last + 1}`, `"from":${last + 2}`))).toMatch(/sequence 1000 follows/)
  expect(await spoil(edit(`"from":${last + 2}`, `"from":${last + 1}`))).toBeUndefined()
  expect(await spoil(edit('"by":"Hoa",', ''))).toMatch(/sequence 1000 follows/)
})

it('publishers never see what is left out, wherever they begin', async () => {
  const journal = await opened(folder.dir)
  await journal.append(Array.from({ length: 20 }, () => ({ kind: 'event', type: 'luong.site.started.v1', at: AT, data: {} }) as const))
  const ranges = [
    { from: 4, to: 6 },
    { from: 7, to: 9 },
    { from: 15, to: 400 },
  ]
  const source = withoutSkipped(journal, ranges)
  const all = async (after: number, limit: number) => {
    const out: number[] = []
    for (let from = after; ; ) {
      const rows = await source.events(from, limit)
      if (rows.length === 0) return out
      out.push(...rows.map((r) => r.sequence))
      from = rows.at(-1)!.sequence
    }
  }
  const left = [1, 2, 3, 10, 11, 12, 13, 14]
  for (const limit of [1, 2, 5, 100])
    for (let after = 0; after <= 20; after++) expect(await all(after, limit), `${after} ${limit}`).toEqual(left.filter((n) => n > after))
  for (let after = 0; after <= 20; after++) expect(source.leftOut?.count(after, 20), `${after}`).toBe(left.filter((n) => n > after).length)
  const twice = withoutSkipped(journal, [
    { from: 3, to: 5 },
    { from: 3, to: 9 },
  ])
  expect([twice.leftOut?.count(0, 20), twice.leftOut?.count(4, 7), twice.leftOut?.count(9, 20)]).toEqual([13, 0, 11])
  expect(withoutSkipped(journal, [])).toBe(journal)
  await journal.close()
})
