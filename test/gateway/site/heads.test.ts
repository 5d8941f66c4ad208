import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { genuine, type SealedHead } from '../../../gateway/journal/seal.ts'
import { zoneOf } from '../../../gateway/journal/zone.ts'
import { Heads } from '../../../gateway/site/heads.ts'
import { sealedHead } from '../../../gateway/uplink/schema/head.ts'

let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'luong-heads-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

it('signs each minute in which the journal grew, and at the end; nothing twice', () => {
  let now = 0
  let entry = 0
  const got: SealedHead[] = []
  const heads = new Heads({
    dataDir,
    site: 'kim-thanh',
    boot: 'b1',
    head: () => ({ sequence: entry, entry, hash: entry.toString(16).padStart(64, '0') }),
    targets: [{ head: (h) => got.push(h) }],
    clock: { mono: () => now, now: () => Date.UTC(2026, 10, 22) + now },
    zone: zoneOf('Asia/Ho_Chi_Minh'),
  })
  heads.sign()
  expect(got).toEqual([])
  heads.open()
  heads.tick()
  expect(got.map((h) => h.entry)).toEqual([0])
  for (entry = 1; entry < 10; entry++) {
    now += 30_000
    heads.tick()
  }
  expect(got.map((h) => h.entry)).toEqual([0, 2, 4, 6, 8])
  now += 600_000
  entry = 8
  heads.tick()
  entry = 10
  now += 1
  heads.sign()
  heads.sign()
  expect(got.map((h) => h.entry)).toEqual([0, 2, 4, 6, 8, 10])
  for (const head of got) expect([genuine(head), sealedHead.safeParse(head).error]).toEqual([true, undefined])
  expect(got[1]!.at).toBe('2026-11-22T07:01:00.000+07:00')
})
