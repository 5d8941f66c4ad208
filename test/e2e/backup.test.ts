/** `luong backup` of a journal that is written as fast as it goes, killed at random moments: a backup is whole or not there, and the writer never notices. */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openReader } from '../../gateway/journal/reader.ts'
import { verifyJournal } from '../../gateway/journal/verify.ts'
import { opened, tempFolder, truck } from '../gateway/journal/fixtures.ts'
import { luong, startLuong } from '../harness/program.ts'
import { rng } from '../sim/random.ts'

const KILLS = Number(process.env.LUONG_KILLS ?? 6)

let folder: ReturnType<typeof tempFolder>
beforeEach(() => {
  folder = tempFolder()
})
afterEach(() => folder.remove())

const hashes = (dir: string): string[] => {
  const reader = openReader(dir)
  try {
    return reader.queries.rows(0, 1_000_000).map((row) => `${row.id} ${Buffer.from(row.hash).toString('hex')}`)
  } finally {
    reader.close()
  }
}

it('kill -9 in the middle leaves no half backup; what is restored is the beginning of what was written; sequences go on', async () => {
  const data = join(folder.dir, 'data')
  const journal = await opened(data)
  let more = true
  let passages = 0
  const busy = (async () => {
    while (more) await journal.append(truck(`Q${passages++}`, '24C22222'))
  })()
  const r = rng('backup')
  let whole = 0
  try {
    const began = performance.now()
    expect((await luong('backup', data, join(folder.dir, 'first.db'))).code).toBe(0)
    const takes = performance.now() - began
    for (let n = 0; n < KILLS; n++) {
      const file = join(folder.dir, `backup-${n}.db`)
      const program = startLuong('backup', data, file)
      await new Promise((done) => setTimeout(done, r() * 1.2 * takes))
      await program.kill()
      if (!existsSync(file)) continue
      whole++
      expect((await luong('restore', file, join(folder.dir, `restored-${n}`))).code).toBe(0)
    }
    // What a killed one left behind is in nobody's way.
    expect(readdirSync(folder.dir).filter((name) => name.endsWith('.db') && name.startsWith('backup-'))).toHaveLength(whole)
    rmSync(join(folder.dir, 'first.db'))
    expect((await luong('backup', data, join(folder.dir, 'first.db'))).code).toBe(0)
  } finally {
    more = false
    await busy
    await journal.close()
  }
  expect(passages).toBeGreaterThan(KILLS)
  expect((await verifyJournal(data)).ok).toBe(true)
  const copy = join(folder.dir, 'restored')
  expect((await luong('restore', join(folder.dir, 'first.db'), copy)).code).toBe(0)
  const restored = hashes(copy)
  expect(restored.length).toBeGreaterThan(0)
  expect(hashes(data).slice(0, restored.length)).toEqual(restored)
  const again = await opened(copy)
  const { sequence } = again.head()
  expect((await again.append(truck('N', '24C33333'))).sequences[0]).toBe(sequence + 1)
  await again.close()
}, 400_000)
