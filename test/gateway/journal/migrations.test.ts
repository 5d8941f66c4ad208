import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { migrate, migrations } from '../../../gateway/journal/migrations/index.ts'

let db: Database.Database
beforeEach(() => {
  db = new Database(':memory:')
})
afterEach(() => {
  db.close()
})
const version = () => db.pragma('user_version', { simple: true })
const tables = () => db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").pluck().all()

it('are numbered from 1 without gaps', () => {
  expect(migrations.map((m) => m.version)).toEqual(migrations.map((_, i) => i + 1))
})

it('make the whole database, once', () => {
  migrate(db)
  expect(tables()).toEqual(['cursors', 'documents', 'entries', 'loads', 'meta', 'passages', 'vehicles'])
  migrate(db)
  expect(version()).toBe(migrations.length)
})

it('run only what is missing, and all of a step or nothing', () => {
  const first = { version: 1, name: 'a', sql: 'CREATE TABLE a (x)' }
  migrate(db, [first])
  const bad = { version: 2, name: 'b', sql: 'CREATE TABLE b (x); CREATE TABLE a (x)' }
  expect(() => migrate(db, [first, bad])).toThrow(/table a already exists/)
  expect([version(), tables()]).toEqual([1, ['a']])
  migrate(db, [first, { version: 2, name: 'b', sql: 'CREATE TABLE b (x)' }])
  expect([version(), tables()]).toEqual([2, ['a', 'b']])
})

it('2: a journal from before knows when passages were referred and which vehicle crossed last', () => {
  migrate(db, migrations.slice(0, 1))
  const passage = db.prepare('INSERT INTO passages VALUES (?, ?, ?, ?, ?, 1, 2, 9)')
  const entry = db.prepare("INSERT INTO entries (id, sequence, type, lane, passage, at, text, hash) VALUES (?, ?, ?, 'l', ?, ?, '', x'00')")
  for (const [id, outcome] of [
    ['P1', 'cleared'],
    ['P2', 'cleared'],
    ['P3', 'aborted'],
  ] as const)
    passage.run(id, 'l', 'import', '24C12345', outcome)
  const events = [
    ['P1', 'referred', 3],
    ['P1', 'cleared', 5],
    ['P2', 'cleared', 7],
    ['P3', 'referred', 8],
    ['P3', 'aborted', 9],
  ] as const
  for (const [i, [id, verb, at]] of events.entries()) entry.run(i + 1, i + 1, `luong.passage.${verb}.v1`, id, at)
  migrate(db)
  expect(db.prepare('SELECT id, referred_at FROM passages ORDER BY id').raw().all()).toEqual([
    ['P1', 3],
    ['P2', null],
    ['P3', 8],
  ])
  expect(db.prepare('SELECT * FROM vehicles').all()).toEqual([{ vehicle: '24C12345', passage: 'P2', entry: 3 }])
})
