import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createEvidence, type EvidenceOptions } from '../../../gateway/journal/evidence.ts'
import { type Clock, systemClock } from '../../../gateway/kernel/clock.ts'
import { silentLog } from '../../../gateway/kernel/log.ts'
import { AT, tempFolder } from './fixtures.ts'

const DAY = 86_400_000
const JPEG = Buffer.concat([Buffer.from([0xff, 0xd8]), Buffer.alloc(300_000, 7)])

let folder: ReturnType<typeof tempFolder>
let now: number
let warnings: string[]
const clock: Clock = { ...systemClock, now: () => now }
const make = (options: Partial<EvidenceOptions> = {}) =>
  createEvidence({
    dir: folder.dir,
    quotaMb: 100,
    days: 30,
    clock,
    log: { ...silentLog, warn: (_, message) => warnings.push(message) },
    ...options,
  })
const days = () => readdirSync(join(folder.dir, 'evidence')).sort()

beforeEach(() => {
  folder = tempFolder()
  now = AT
  warnings = []
})
afterEach(() => folder.remove())

it('writes a picture where the event says, complete', async () => {
  const evidence = make()
  evidence.start()
  const file = await evidence.put('01JABC', 'front-1', JPEG)
  expect(file).toEqual({
    path: 'evidence/2026-11-21/01JABC/front-1.jpg',
    sha256: createHash('sha256').update(JPEG).digest('hex'),
    bytes: JPEG.length,
  })
  expect(readFileSync(join(folder.dir, file.path)).equals(JPEG)).toBe(true)
  expect((await evidence.put('01JABC', 'rear', Buffer.from('89504e47', 'hex'))).path).toMatch(/rear\.png$/)
  await evidence.put('01JABC', 'front-1', JPEG)
  await evidence.stop()
  expect(readdirSync(join(folder.dir, 'evidence/2026-11-21/01JABC')).sort()).toEqual(['front-1.jpg', 'rear.png'])
  expect(evidence.stats()).toEqual({ waiting: 0, written: 3, refused: 0, failed: 0, removed: 0, bytes: JPEG.length + 4 })
  await expect(evidence.put('P', 'n', JPEG)).rejects.toMatchObject({ code: 'STOPPED' })
})

it.each(['../x', '.hidden', '', 'a/b', 'a\0', 'x'.repeat(65)])('refuses the name %j', async (name) => {
  await expect(make().put(name, 'front', JPEG)).rejects.toMatchObject({ code: 'PAYLOAD_INVALID' })
  await expect(make().put('P', name, JPEG)).rejects.toMatchObject({ code: 'PAYLOAD_INVALID' })
})

it('refuses the newest when too many wait', async () => {
  const evidence = make({ maxWaiting: 2 })
  const results = await Promise.allSettled(['a', 'b', 'c', 'd'].map((name) => evidence.put('P', name, JPEG)))
  expect(results.map((r) => (r.status === 'fulfilled' ? 'kept' : r.reason.code))).toEqual(['kept', 'kept', 'QUEUE_FULL', 'QUEUE_FULL'])
  expect(evidence.stats()).toMatchObject({ waiting: 0, written: 2, refused: 2 })
  expect(warnings).toEqual(['a picture was not kept'])
  await evidence.stop()
})

it('counts and warns when the disk refuses, and goes on', async () => {
  writeFileSync(join(folder.dir, 'evidence'), 'a file in the way')
  const evidence = make()
  evidence.start()
  await expect(evidence.put('P', 'front', JPEG)).rejects.toMatchObject({ code: 'JOURNAL_UNAVAILABLE' })
  await expect(evidence.put('P', 'front', JPEG)).rejects.toMatchObject({ code: 'JOURNAL_UNAVAILABLE' })
  expect(evidence.stats()).toMatchObject({ failed: 2, written: 0, waiting: 0 })
  expect(warnings).toEqual(['a picture was not kept'])
  await evidence.stop()
})

it('keeps the quota, oldest passage of the oldest day first, counting what was there before', async () => {
  for (const passage of ['01A', '01B']) {
    mkdirSync(join(folder.dir, 'evidence/2026-11-19', passage), { recursive: true })
    writeFileSync(join(folder.dir, 'evidence/2026-11-19', passage, 'front.jpg'), JPEG)
  }
  const evidence = make({ quotaMb: 1 })
  evidence.start()
  // 1 MB holds three of them.
  await evidence.put('01C', 'front', JPEG)
  await evidence.put('01D', 'front', JPEG)
  await evidence.put('01E', 'front', JPEG)
  await evidence.put('01F', 'front', JPEG)
  await evidence.stop()
  expect(days()).toEqual(['2026-11-21'])
  expect(readdirSync(join(folder.dir, 'evidence/2026-11-21')).sort()).toEqual(['01D', '01E', '01F'])
  expect(evidence.stats().bytes).toBe(3 * JPEG.length)
})

it('keeps no picture longer than the days set', async () => {
  mkdirSync(join(folder.dir, 'evidence/2026-11-18/01A'), { recursive: true })
  const evidence = make({ days: 3 })
  evidence.start()
  for (let day = 0; day < 5; day++) {
    now = AT + day * DAY
    await evidence.put(`P${day}`, 'front', JPEG)
  }
  await evidence.stop()
  expect(days()).toEqual(['2026-11-23', '2026-11-24', '2026-11-25'])
  expect(existsSync(join(folder.dir, 'evidence/2026-11-23/P2/front.jpg'))).toBe(true)
})
