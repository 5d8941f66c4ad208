/** `luong rules draws`: what an auditor runs over a data folder. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { provenDraws } from '../../../gateway/cli/rules-draws.ts'
import { createJournal } from '../../../gateway/journal/create.ts'
import { sampled, withDraws } from '../../../gateway/rules/sampling.ts'
import { journalOf, MINUTE, MORNING } from '../figures/entries.ts'

const dir = mkdtempSync(join(tmpdir(), 'luong-draws-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
afterEach(() => {
  vi.restoreAllMocks()
})

const LOADS = 200
async function folder(name: string, wrong: number): Promise<string> {
  const data = join(dir, name)
  const journal = createJournal({ dir: data, site: 'pass', minFreeMb: 1, timezone: 'Asia/Ho_Chi_Minh' })
  await journal.open()
  const specs = Array.from({ length: LOADS }, (_, i) => {
    const { draws } = withDraws(() => sampled(`D-P${i}`, '2026', 0.1))
    const kept = i < wrong ? draws.map((d) => ({ ...d, drawn: !d.drawn })) : draws
    return { id: `P${i}`, arrived: MORNING + i * MINUTE, declared: { cargo: [{ kind: 'mango' }] }, draws: kept }
  })
  await journal.append(journalOf(specs))
  await journal.close()
  return data
}

async function luong(data: string, options: Parameters<typeof provenDraws>[1]) {
  let out = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text)
    return true
  })
  const code = await provenDraws(data, options)
  return { code, out }
}

describe('every draw again', () => {
  let data: string
  beforeAll(async () => {
    data = await folder('right', 0)
  })

  it('comes out as it was recorded, and the rate was kept', async () => {
    const { code, out } = await luong(data, { seed: '2026' })
    expect(code).toBe(0)
    expect(out).toContain(`${LOADS} draws: every one comes out as it was recorded`)
    expect(out).toMatch(/mango +2026 +10\.0 % +200 +\d+ +\d+ to \d+ +as promised/)
  })

  it('as JSON: each draw with its number, then the summary', async () => {
    const { out } = await luong(data, { json: true })
    const lines = out
      .trim()
      .split('\n')
      .map((l) => JSON.parse(l) as Record<string, unknown>)
    expect(lines.length).toBe(LOADS + 1)
    expect(lines[0]).toMatchObject({ passage: 'P0', id: 'D-P0', seed: '2026', rate: 0.1, same: true })
    expect(lines.at(-1)).toMatchObject({
      summary: true,
      draws: LOADS,
      same: LOADS,
      rates: [{ goods: 'mango', asked: LOADS, within: true }],
    })
  })

  it('another seed than the published one is found', async () => {
    const { code, out } = await luong(data, { seed: 'published' })
    expect(code).toBe(1)
    expect(out).toContain(`${LOADS} draws: ${LOADS} do not come out as they were recorded`)
  })

  it('draws that were recorded otherwise are named', async () => {
    const { code, out } = await luong(await folder('wrong', 2), {})
    expect(code).toBe(1)
    expect(out).toContain(`${LOADS} draws: 2 do not come out`)
    expect(out).toMatch(/passage P0 {2}D-P0 {2}seed 2026 {2}rate 0\.1: 0\.\d{6}, recorded as drawn/)
  })

  it('of a day without samples says so; a day that is none is an error', async () => {
    expect(await luong(data, { day: '2026-11-20' })).toEqual({ code: 0, out: 'no rule has drawn a sample among these passages\n' })
    await expect(luong(data, { day: '2026-02-30' })).rejects.toThrow(/no such day/)
  })
})
