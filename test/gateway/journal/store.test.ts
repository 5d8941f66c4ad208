import { statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { encode } from '../../../gateway/journal/encode.ts'
import { openStore, type Store } from '../../../gateway/journal/store.ts'
import { verifyJournal } from '../../../gateway/journal/verify.ts'
import { event, tempFolder, truck } from './fixtures.ts'

let folder: ReturnType<typeof tempFolder>
let store: Store
const batch = (entries: Parameters<typeof encode>[0][]) => ({ rows: entries.map(encode), documents: [], cursors: [] })

beforeEach(() => {
  folder = tempFolder()
  store = openStore({ dir: folder.dir, site: 's', timezone: 'Asia/Ho_Chi_Minh', minFreeMb: 1, reserveMb: 0 })
})
afterEach(() => {
  store.close()
  folder.remove()
})

it('refuses when SQLite finds no space, stores nothing of it, and goes on when there is some again', async () => {
  store.write(batch([event('arrived', 'P1')]))
  const head = store.head()
  const pages = store.db.pragma('page_count', { simple: true }) as number
  // SQLite's own limit: the same SQLITE_FULL, at the same place, as a full disk gives.
  store.db.pragma(`max_page_count = ${pages + 2}`)
  const large = Array.from({ length: 50 }, (_, i) => truck(`Q${i}`, '24C12345')).flat()
  expect(() => store.write(batch(large))).toThrow(/the disk under .* is full/)
  expect(store.head()).toEqual(head)
  expect(store.space()).toMatchObject({ writable: false, why: expect.stringContaining('is full') })
  expect(store.query('unfinished', [])).toHaveLength(1)
  expect(await verifyJournal(folder.dir)).toMatchObject({ ok: true, entries: 1 })

  store.db.pragma('max_page_count = 1073741823')
  store.probe()
  expect(store.space()).toEqual({ writable: true })
  expect(store.write(batch(large)).sequence).toBe(201)
  expect(await verifyJournal(folder.dir)).toMatchObject({ ok: true, events: 201, passages: 51 })
})

it('folds the write-ahead log away as it goes', () => {
  for (let i = 0; i < 1_000; i++) {
    store.write(batch([event('arrived', `P${i}`)]))
    store.tidy()
  }
  // Without, 1,000 commits leave at least 3 pages each.
  expect(statSync(join(folder.dir, 'journal.db-wal')).size).toBeLessThan(1_000 * 3 * 4_096 * 0.6)
})
