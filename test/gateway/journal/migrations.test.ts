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
  expect(tables()).toEqual(['cursors', 'documents', 'entries', 'meta', 'passages'])
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
