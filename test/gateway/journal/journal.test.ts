import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createJournal } from '../../../gateway/journal/create.ts'
import type { Journal } from '../../../gateway/journal/journal.ts'
import { verifyJournal } from '../../../gateway/journal/verify.ts'
import type { LuongError } from '../../../gateway/kernel/errors.ts'
import { AT, event, input, opened, tempFolder, truck } from './fixtures.ts'

let folder: ReturnType<typeof tempFolder>
let open: Journal[]
const start = async (options = {}) => {
  const journal = await opened(folder.dir, options)
  open.push(journal)
  return journal
}
const failing = (work: Promise<unknown>): Promise<LuongError> =>
  work.then(
    () => Promise.reject(new Error('it did not fail')),
    (error) => error as LuongError,
  )

beforeEach(() => {
  folder = tempFolder()
  open = []
})
afterEach(async () => {
  for (const journal of open) await journal.close()
  folder.remove()
})

describe('append', () => {
  it('renders the CloudEvents text once, as published', async () => {
    const journal = await start()
    await journal.append([
      event('cleared', 'P1', { subject: '24C12345', data: { passage: 'P1', plates: ['24C12345'], weight_kg: 1.5, historical: false } }),
    ])
    await journal.append([{ kind: 'event', type: 'luong.site.started.v1', at: AT, data: { boot: 'b' } }])
    expect((await journal.events(0, 10)).map((e) => e.json)).toEqual([
      '{"specversion":"1.0","id":"kim-thanh:1","source":"/luong/kim-thanh/lane/import-1","type":"luong.passage.cleared.v1",' +
        '"subject":"24C12345","time":"2026-11-21T08:15:30.123+07:00","datacontenttype":"application/json","sequence":"1",' +
        '"data":{"passage":"P1","plates":["24C12345"],"weight_kg":1.5,"historical":false}}',
      '{"specversion":"1.0","id":"kim-thanh:2","source":"/luong/kim-thanh","type":"luong.site.started.v1",' +
        '"time":"2026-11-21T08:15:30.123+07:00","datacontenttype":"application/json","sequence":"2","data":{"boot":"b"}}',
    ])
  })

  it('numbers events without gaps, in order, over many appends at once and over restarts', async () => {
    let journal = await start()
    const first = await Promise.all(
      Array.from({ length: 300 }, (_, i) => journal.append([input('P', { i }), event('arrived', `A${i}`), event('decided', `A${i}`)])),
    )
    expect(first.flatMap((a) => a.sequences)).toEqual(Array.from({ length: 600 }, (_, i) => i + 1))
    expect(journal.stats().commits).toBeLessThan(300)
    const head = journal.head()
    await journal.close()
    journal = await start()
    expect(journal.head()).toEqual(head)
    expect((await journal.append([event('arrived', 'B')])).sequences).toEqual([601])
    expect((await journal.events(598, 2)).map((e) => e.sequence)).toEqual([599, 600])
    expect((await verifyJournal(folder.dir)).ok).toBe(true)
  })

  it('keeps what was given, whatever happens to the object later', async () => {
    const journal = await start()
    const data: Record<string, unknown> = { n: 1 }
    const done = journal.append([event('arrived', 'P', { data })])
    data.n = 2
    await done
    expect(JSON.parse((await journal.events(0, 1))[0]!.json).data).toEqual({ n: 1 })
  })

  it('takes any text in subject and data, and verifies', async () => {
    const journal = await start()
    const odd = ['\u0000', '\ud800', '云A12345', 'a\nb', '"', '\u2028', '🚚']
    for (const subject of odd) await journal.append([event('arrived', 'P', { subject, data: { subject, [subject]: [subject] } })])
    expect((await journal.events(0, 10)).map((e) => JSON.parse(e.json).data.subject)).toEqual(odd)
    expect(await verifyJournal(folder.dir)).toMatchObject({ ok: true, events: odd.length })
  })

  it('refuses what cannot be stored, all of the append and nothing else', async () => {
    const journal = await start()
    const circular: Record<string, unknown> = {}
    circular.self = circular
    const good = event('arrived', 'P')
    const bad = [
      [good, event('arrived', 'P', { data: circular })],
      [good, event('arrived', 'P', { data: { big: 1n } })],
      [good, event('arrived', 'P', { data: { long: 'x'.repeat(1_000_001) } })],
      [good, event('arrived', 'P', { at: Number.NaN })],
      [good, event('arrived', 'a b')],
      [good, event('arrived', '')],
    ]
    const results = await Promise.all([...bad.map((entries) => failing(journal.append(entries))), journal.append([good])])
    expect(results.slice(0, -1).map((e) => (e as LuongError).code)).toEqual(bad.map(() => 'PAYLOAD_INVALID'))
    expect(results.at(-1)).toEqual({ sequences: [1] })
    expect(journal.head().entry).toBe(1)
  })

  it('refuses with QUEUE_FULL at its bound, and takes more afterwards', async () => {
    const journal = await start({ maxWaiting: 5 })
    const all = await Promise.allSettled(Array.from({ length: 8 }, (_, i) => journal.append([event('arrived', `P${i}`)])))
    expect(all.map((r) => r.status)).toEqual([...Array(5).fill('fulfilled'), ...Array(3).fill('rejected')])
    expect((all[7] as PromiseRejectedResult).reason.code).toBe('QUEUE_FULL')
    expect((await journal.append([event('arrived', 'P9')])).sequences).toEqual([6])
  })

  it('stores what waits when closed, and refuses more', async () => {
    const journal = await start()
    const waiting = journal.append([event('arrived', 'P')])
    const closed = journal.close()
    expect((await failing(journal.append([event('arrived', 'Q')]))).code).toBe('STOPPED')
    expect((await waiting).sequences).toEqual([1])
    await closed
    expect((await failing(journal.events(0, 1))).code).toBe('STOPPED')
    expect(journal.stats().writable).toBe(false)
  })

  it('tells of each commit that holds events', async () => {
    const journal = await start()
    const heads: number[] = []
    const off = journal.onCommit((head) => heads.push(head.sequence))
    await journal.append([input('P', { kind: 'timer' })])
    await journal.append([event('arrived', 'P')])
    off()
    await journal.append([event('cleared', 'P')])
    expect(heads).toEqual([1])
  })
})

describe('projections', () => {
  it('knows passages and which of them have no end', async () => {
    const journal = await start()
    await journal.append([
      ...truck('P1', '24C11111'),
      event('arrived', 'P2'),
      event('referred', 'P2', { subject: '24C22222', at: AT + 5 }),
      event('arrived', 'P3'),
    ])
    expect(await journal.passage('P1')).toEqual({
      id: 'P1',
      lane: 'import-1',
      direction: 'import',
      plate: '24C11111',
      outcome: 'cleared',
      arrivedAt: AT + 1,
      decidedAt: AT + 2_010,
      referredAt: null,
      endedAt: AT + 9_000,
    })
    expect((await journal.unfinished()).map((p) => [p.id, p.outcome, p.plate])).toEqual([
      ['P2', 'referred', '24C22222'],
      ['P3', null, null],
    ])
    await journal.append([event('aborted', 'P2'), event('aborted', 'P3'), event('cleared', 'P3')])
    expect(await journal.unfinished()).toEqual([])
    expect((await journal.passage('P2'))?.outcome).toBe('referred')
    expect((await journal.passage('P3'))?.outcome).toBe('aborted')
    expect(await journal.passage('none')).toBe(null)
    expect(await verifyJournal(folder.dir)).toMatchObject({ ok: true, passages: 3 })
  })

  it('gives back inputs with their actions', async () => {
    const journal = await start()
    await journal.append([input('P', { kind: 'sensor', value: null }, [{ do: 'close' }]), event('arrived', 'P'), input('Q', {})])
    expect(await journal.inputs('P')).toEqual([
      { id: 1, lane: 'import-1', passage: 'P', at: AT, body: { kind: 'sensor', value: null }, actions: [{ do: 'close' }] },
    ])
  })

  it('keeps documents and cursors over a restart', async () => {
    let journal = await start()
    await journal.putDocument('declaration', 'D1', { plate: 'A' })
    await journal.putDocument('declaration', 'D1', { plate: 'B' })
    await journal.putDocument('declaration', 'D2', {})
    await journal.putDocument('declaration', 'D2', null)
    await journal.append([event('arrived', 'P')])
    journal.setCursor('uplink', 1)
    expect(await journal.cursor('uplink')).toBe(1)
    expect(await journal.cursor('other')).toBe(0)
    await journal.close()
    journal = await start()
    expect((await journal.documents('declaration')).map((d) => [d.key, d.value])).toEqual([['D1', { plate: 'B' }]])
    expect(await journal.cursor('uplink')).toBe(1)
  })
})

describe('the folder', () => {
  it('has one gateway', async () => {
    const first = await start()
    const error = await failing(opened(folder.dir))
    expect([error.code, error.message]).toEqual(['DATA_IN_USE', `${folder.dir} is in use by another gateway (process ${process.pid})`])
    await first.append([event('arrived', 'P')])
    await first.close()
    expect((await start()).head().sequence).toBe(1)
  })

  it('belongs to one site', async () => {
    await (await start()).close()
    const error = await failing(opened(folder.dir, { site: 'loi-mo' }))
    expect([error.code, error.message]).toEqual(['CONFIG_INVALID', `${folder.dir} holds the journal of site "kim-thanh", not of "loi-mo"`])
  })

  it.each([
    ['where nothing can be made', '/sys/kernel/luong'],
    ['under a file', '/etc/hostname/luong'],
  ])('is refused %s', async (_, dir) => {
    const error = await failing(opened(dir))
    expect(error.code).toBe('JOURNAL_UNAVAILABLE')
    expect(error.message).toContain(dir)
  })

  it('that is damaged is left as it is', async () => {
    const file = join(folder.dir, 'journal.db')
    for (const content of ['', 'text, and no database at all'.repeat(500)]) {
      writeFileSync(file, content)
      const error = await failing(opened(folder.dir))
      expect(error.code).toBe('JOURNAL_CORRUPT')
      expect(error.hint).toContain('luong restore')
    }
    const other = new Database(join(folder.dir, 'other.db'))
    other.exec('CREATE TABLE t (x)')
    other.close()
    mkdirSync(join(folder.dir, 'd'))
    writeFileSync(join(folder.dir, 'd', 'journal.db-wal'), 'x')
    expect((await failing(opened(join(folder.dir, 'd')))).code).toBe('JOURNAL_CORRUPT')
  })

  it('with a changed end is refused at start', async () => {
    const journal = await start()
    await journal.append(truck('P', '24C12345'))
    await journal.close()
    const db = new Database(join(folder.dir, 'journal.db'))
    db.exec("UPDATE entries SET text = replace(text, '24C12345', '24C12346') WHERE sequence = 4")
    db.close()
    expect((await failing(opened(folder.dir))).message).toMatch(/entry 27 does not fit the hash chain/)
  })

  it('of a newer program is refused and not changed', async () => {
    await (await start()).close()
    const db = new Database(join(folder.dir, 'journal.db'))
    db.pragma('user_version = 99')
    db.close()
    const error = await failing(opened(folder.dir))
    expect([error.code, error.message]).toEqual([
      'JOURNAL_UNAVAILABLE',
      `${join(folder.dir, 'journal.db')} was written by a newer version of luong (format 99, this program knows 2)`,
    ])
  })

  it('can be opened again after a failed start', async () => {
    expect((await failing(createJournal({ dir: folder.dir, site: 's', timezone: 'Mars/Olympus' }).open())).code).toBe('JOURNAL_UNAVAILABLE')
    expect((await start({ site: 's' })).stats().writable).toBe(true)
  })
})

describe('little space', () => {
  it('warns first, and still stores what is under way', async () => {
    const journal = await start({ minFreeMb: 1_000_000_000, reserveMb: 0 })
    expect(journal.stats().writable).toBe(false)
    expect(journal.stats().why).toMatch(/^only \d+ MB free under .*, fewer than 1000000000$/)
    expect((await journal.append([event('cleared', 'P')])).sequences).toEqual([1])
  })

  it('refuses below its reserve, with nothing stored', async () => {
    const journal = await start({ minFreeMb: 1_000_000_000, reserveMb: 250_000_000 })
    const error = await failing(journal.append([event('cleared', 'P')]))
    expect(error.code).toBe('JOURNAL_UNAVAILABLE')
    expect(error.message).toMatch(/is full/)
    expect(journal.head().entry).toBe(0)
    expect(await journal.events(0, 1)).toEqual([])
  })
})
