import { closeSync, copyFileSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifyJournal } from '../../../gateway/journal/verify.ts'
import { event, opened, tempFolder, truck } from './fixtures.ts'

let folder: ReturnType<typeof tempFolder>
let whole: string
let copies = 0

beforeAll(async () => {
  folder = tempFolder()
  whole = join(folder.dir, 'whole')
  const journal = await opened(whole)
  for (let i = 0; i < 5; i++) await journal.append(truck(`P${i}`, `24C1234${i}`))
  await journal.append([
    event('arrived', 'OPEN'),
    event('cleared', 'P0'),
    { kind: 'event', type: 'luong.site.stopped.v1', at: 1, data: {} },
  ])
  journal.setCursor('uplink', 23)
  await journal.close()
})
afterAll(() => folder.remove())

/** A copy of the whole journal, changed. */
function changed(change: (db: Database.Database) => void): string {
  const dir = join(folder.dir, `copy-${copies++}`)
  mkdirSync(dir)
  copyFileSync(join(whole, 'journal.db'), join(dir, 'journal.db'))
  const db = new Database(join(dir, 'journal.db'))
  try {
    change(db)
  } finally {
    db.close()
  }
  return dir
}

describe('a whole journal', () => {
  it('verifies, and so does one that is only copied', async () => {
    const report = await verifyJournal(whole)
    expect(report).toMatchObject({ ok: true, entries: 138, events: 23, passages: 6 })
    expect(await verifyJournal(changed(() => {}))).toEqual(report)
  })
})

describe('a changed journal', () => {
  const columns = ['sequence', 'type', 'lane', 'passage', 'at', 'text', 'hash'] as const

  it('is found out at the entry, whichever byte of whichever column was changed', async () => {
    const rows = new Database(join(whole, 'journal.db'), { readonly: true })
    const values = rows.prepare('SELECT * FROM entries ORDER BY id').all() as Record<string, unknown>[]
    rows.close()
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: values.length }),
        fc.constantFrom(...columns),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (id, column, position, flip) => {
          const value = values[id - 1]![column]
          if (value === null) return
          const bytes = Buffer.isBuffer(value) ? Buffer.from(value) : Buffer.from(String(value))
          const at = position % bytes.length
          // Digits stay digits and text stays ASCII, so that the change is one that SQLite takes.
          bytes[at] =
            typeof value === 'number'
              ? 48 + ((bytes[at]! - 48 + 1 + (flip % 9)) % 10)
              : Buffer.isBuffer(value)
                ? bytes[at]! ^ flip
                : bytes[at]! ^ (1 + (flip % 15))
          const after = typeof value === 'number' ? Number(bytes) : Buffer.isBuffer(value) ? bytes : bytes.toString('latin1')
          const dir = changed((db) => {
            db.exec('DROP INDEX entries_sequence')
            db.prepare(`UPDATE entries SET ${column} = ? WHERE id = ?`).run(after, id)
            db.exec('CREATE INDEX entries_sequence ON entries (sequence)')
          })
          expect(await verifyJournal(dir)).toMatchObject({ ok: false, bad: { entry: id } })
        },
      ),
      { numRuns: 60 },
    )
  })

  it('is found out when bytes of the file are changed', async () => {
    const file = readFileSync(join(whole, 'journal.db'))
    const at = file.indexOf('24C12343')
    const dir = changed(() => {})
    const fd = openSync(join(dir, 'journal.db'), 'r+')
    writeSync(fd, '9', at)
    closeSync(fd)
    const report = await verifyJournal(dir)
    expect(report.ok).toBe(false)
    expect(report.bad?.entry).toBeGreaterThan(0)
  })

  it.each([
    ['an entry taken out', 'DELETE FROM entries WHERE id = 7', 8, /entry 7 is missing/],
    [
      'two entries exchanged',
      'UPDATE entries SET id = CASE id WHEN 9 THEN -1 ELSE id END; UPDATE entries SET id = 9 WHERE id = 10; UPDATE entries SET id = 10 WHERE id = -1',
      9,
      /hash chain/,
    ],
    ['an entry with its hash made anew', "UPDATE entries SET text = '[1,[]]', hash = zeroblob(32) WHERE id = 5", 5, /hash chain/],
    [
      'text turned into bytes',
      "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'text TEXT NOT NULL', 'text ANY NOT NULL'); PRAGMA writable_schema = RESET; UPDATE entries SET text = CAST(text AS BLOB) WHERE id = 6",
      6,
      /wrong type/,
    ],
    ['another site', "UPDATE meta SET value = 'loi-mo' WHERE key = 'site'", 2, /its text says id "kim-thanh:1", it should be "loi-mo:1"/],
    ['a plate changed in the list', "UPDATE passages SET plate = 'X' WHERE id = 'P1'", 54, /says plate X for P1, its events say 24C12341/],
    ['an open passage ended in the list', "UPDATE passages SET ended_at = 5 WHERE id = 'OPEN'", 0, /says endedAt 5 for OPEN/],
    ['a passage taken from the list', "DELETE FROM passages WHERE id = 'P1'", 54, /P1 is missing/],
    [
      'a passage added to the list',
      "INSERT INTO passages VALUES ('Z', 'l', NULL, NULL, NULL, 1, NULL, NULL, NULL)",
      0,
      /has 7 rows, the events tell of 6/,
    ],
    [
      'another last crossing of a vehicle',
      "UPDATE vehicles SET entry = 9 WHERE vehicle = '24C12341'",
      0,
      /list of vehicles says 9 for 24C12341/,
    ],
    ['a vehicle added', "INSERT INTO vehicles VALUES ('X', 'P1', 3)", 0, /list of vehicles has 6 rows/],
    ['a load added', "INSERT INTO loads VALUES ('P1', 'D', NULL, NULL, '{}')", 0, /list of loads has 1 rows, the records tell of 0/],
    ['the end cut off', 'DELETE FROM entries WHERE id = 138', 0, /uplink was sent events after 22/],
  ])('is found out: %s', async (_, sql, entry, why) => {
    const dir = changed((db) => {
      db.unsafeMode(true)
      db.exec(sql)
    })
    const report = await verifyJournal(dir)
    expect(report.bad?.why).toMatch(why)
    expect(report.bad?.entry).toBe(entry)
  })
})
