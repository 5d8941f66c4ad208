/** What the report counts besides passages: in its period only, by what it was. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, it } from 'vitest'
import { reportText } from '../../../gateway/cli/report-text.ts'
import { happenings } from '../../../gateway/figures/happenings.ts'
import { siteReport } from '../../../gateway/figures/report.ts'
import { createJournal } from '../../../gateway/journal/create.ts'
import type { Entry } from '../../../gateway/journal/journal.ts'
import { type JournalReader, openReader } from '../../../gateway/journal/reader.ts'
import { HOUR, journalOf, MINUTE, MORNING } from './entries.ts'

const dir = mkdtempSync(join(tmpdir(), 'luong-happenings-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

let folders = 0
async function journal(entries: readonly Entry[]): Promise<JournalReader> {
  const data = join(dir, String(++folders))
  const j = createJournal({ dir: data, site: 'pass', minFreeMb: 1, timezone: 'Asia/Ho_Chi_Minh' })
  await j.open()
  await j.append(entries)
  await j.close()
  return openReader(data)
}

const event = (at: number, type: string, data: object = {}): Entry => ({
  kind: 'event',
  type: `luong.${type}.v1`,
  lane: 'a',
  at,
  data: { ...data },
})
const ALL: readonly (readonly [type: string, data: object, name: string])[] = [
  ['alarm.raised', { alarm: 'tailgating' }, 'alarm tailgating'],
  ['alarm.raised', { alarm: 'stay-over' }, 'alarm stay-over'],
  ['alarm.cleared', { alarm: 'stay-over' }, ''],
  ['passage.escalated', {}, 'desk escalated'],
  ['lane.plan', { change: 'given-up' }, 'lane plan given-up'],
  ['peer.handed-over', {}, 'other half handed over'],
  ['command.accepted', {}, ''],
]

it('counts whatever is in the period, wherever it begins and ends', async () => {
  const some = fc.array(fc.record({ at: fc.integer({ min: 0, max: 50 }), kind: fc.integer({ min: 0, max: ALL.length - 1 }) }), {
    maxLength: 60,
  })
  const run = fc.asyncProperty(some, fc.integer({ min: 0, max: 51 }), fc.integer({ min: 0, max: 51 }), async (made, a, b) => {
    const sorted = [...made].sort((x, y) => x.at - y.at)
    const reader = await journal(sorted.map(({ at, kind }) => event(MORNING + at, ALL[kind]![0], ALL[kind]![1])))
    const expected: Record<string, number> = {}
    for (const { at, kind } of sorted) {
      const name = ALL[kind]![2]
      if (name !== '' && at >= a && at < b) expected[name] = (expected[name] ?? 0) + 1
    }
    try {
      expect(happenings(reader, MORNING + a, MORNING + b)).toEqual(expected)
    } finally {
      reader.close()
    }
  })
  await fc.assert(run, { numRuns: 6 })
})

it('stands in the report, beside the period before', async () => {
  const day = 24 * HOUR
  const passages = journalOf([{ id: 'P1', arrived: MORNING }])
  const alarm = (at: number) => event(at, 'alarm.raised', { alarm: 'tailgating' })
  const reader = await journal([alarm(MORNING - day), ...passages, alarm(MORNING + MINUTE), alarm(MORNING + 2 * MINUTE)])
  try {
    const from = MORNING - HOUR
    expect(reportText(siteReport(reader, from, from + day))).toMatch(/what else happened\n.*\nalarm tailgating +2 +1 +\+100 %/)
  } finally {
    reader.close()
  }
})
