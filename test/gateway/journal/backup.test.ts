import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { backup, restore } from '../../../gateway/journal/backup.ts'
import { createEvidence } from '../../../gateway/journal/evidence.ts'
import { verifyJournal } from '../../../gateway/journal/verify.ts'
import { systemClock } from '../../../gateway/kernel/clock.ts'
import { silentLog } from '../../../gateway/kernel/log.ts'
import { event, opened, tempFolder, truck } from './fixtures.ts'

let folder: ReturnType<typeof tempFolder>
let data: string
let file: string
beforeEach(() => {
  folder = tempFolder()
  data = join(folder.dir, 'data')
  file = join(folder.dir, 'copy.luong')
})
afterEach(() => folder.remove())

it('copies a journal while it is written, and a gateway goes on from the copy', async () => {
  const journal = await opened(data)
  await journal.append(truck('P1', '24C11111'))
  await journal.putDocument('declaration', 'D', { plate: 'X' })
  const evidence = createEvidence({ dir: data, quotaMb: 10, days: 9, clock: systemClock, log: silentLog })
  const picture = await evidence.put('P1', 'front', Buffer.from('not a real picture'))
  let more = true
  const busy = (async () => {
    for (let i = 0; more; i++) await journal.append(truck(`Q${i}`, '24C22222'))
  })()
  const report = await backup(data, file, { evidence: true })
  more = false
  await busy
  await evidence.stop()
  await journal.close()
  expect(report).toMatchObject({ ok: true, pictures: 1 })
  expect(report.events).toBeGreaterThanOrEqual(4)
  expect((await verifyJournal(data)).events).toBeGreaterThan(report.events)

  const copy = join(folder.dir, 'restored')
  expect(await restore(file, copy)).toMatchObject({ ok: true, head: report.head, pictures: 1 })
  expect(readFileSync(join(copy, picture.path), 'utf8')).toBe('not a real picture')
  const again = await opened(copy)
  expect(again.head()).toEqual(report.head)
  expect((await again.documents('declaration'))[0]?.value).toEqual({ plate: 'X' })
  expect((await again.append([event('arrived', 'N')])).sequences).toEqual([report.head.sequence + 1])
  await again.close()
  expect((await verifyJournal(copy)).ok).toBe(true)
})

it('overwrites nothing', async () => {
  await (await opened(data)).close()
  writeFileSync(file, 'x')
  await expect(backup(data, file)).rejects.toMatchObject({ code: 'BAD_USAGE', message: `${file} exists already` })
  expect(readFileSync(file, 'utf8')).toBe('x')
  await expect(backup(data, join(folder.dir, 'none/copy'))).rejects.toMatchObject({ message: `${folder.dir}/none: no such folder` })
  const good = join(folder.dir, 'good')
  await backup(data, good)
  await expect(restore(good, data)).rejects.toMatchObject({ code: 'BAD_USAGE', message: `${data} is not empty` })
  await expect(restore(join(folder.dir, 'none'), data)).rejects.toMatchObject({ code: 'BAD_USAGE' })
})

it('neither makes nor takes a copy that does not verify', async () => {
  const journal = await opened(data)
  await journal.append(truck('P1', '24C11111'))
  await journal.close()
  await backup(data, file)
  for (const path of [join(data, 'journal.db'), file]) {
    const db = new Database(path)
    db.exec('UPDATE entries SET at = at + 1 WHERE id = 3')
    db.close()
  }
  const other = join(folder.dir, 'other')
  await expect(backup(data, other)).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT' })
  expect(readdirSync(folder.dir).sort()).toEqual(['copy.luong', 'data'])
  const target = join(folder.dir, 'target')
  await expect(restore(file, target)).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT' })
  expect(existsSync(target)).toBe(false)
})

it('refuses a picture that would leave the folder, or was changed', async () => {
  const journal = await opened(data)
  await journal.close()
  mkdirSync(join(data, 'evidence/2026-11-21/P'), { recursive: true })
  writeFileSync(join(data, 'evidence/2026-11-21/P/a.jpg'), 'a')
  for (const [n, sql] of ["UPDATE evidence SET path = 'evidence/../../x'", "UPDATE evidence SET image = x'00'"].entries()) {
    const packed = join(folder.dir, `packed-${n}`)
    await backup(data, packed, { evidence: true })
    const db = new Database(packed)
    db.exec(sql)
    db.close()
    const out = join(folder.dir, `out-${n}`)
    await expect(restore(packed, out)).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT' })
    expect(readdirSync(out)).toEqual([])
  }
  expect(existsSync(join(folder.dir, 'x'))).toBe(false)
})
