/** Folders and entries for the journal's tests. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createJournal, type JournalOptions } from '../../../gateway/journal/create.ts'
import type { EventEntry, InputEntry, Journal } from '../../../gateway/journal/journal.ts'
import { publishedPlate } from '../../../gateway/uplink/schema/event.ts'
import { votedPlate } from '../../harness/plates.ts'

/** 2026-11-21T08:15:30.123+07:00 */
export const AT = Date.UTC(2026, 10, 21, 1, 15, 30, 123)

export function tempFolder(): { dir: string; remove(): void } {
  const dir = mkdtempSync(join(tmpdir(), 'luong-journal-'))
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) }
}

/** Free disk is not what most tests are about: the bound is set far down. */
export async function opened(dir: string, options: Partial<JournalOptions> = {}): Promise<Journal> {
  const journal = createJournal({ dir, site: 'kim-thanh', minFreeMb: 1, ...options })
  await journal.open()
  return journal
}

export function event(verb: string, passage: string, fields: Partial<EventEntry> = {}): EventEntry {
  return {
    kind: 'event',
    type: `luong.passage.${verb}.v1`,
    lane: 'import-1',
    passage,
    at: AT,
    data: { passage, lane: 'import-1', direction: 'import', historical: false },
    ...fields,
  }
}

export function input(passage: string | undefined, body: unknown, actions: unknown[] = []): InputEntry {
  return { kind: 'input', lane: 'import-1', ...(passage === undefined ? {} : { passage }), at: AT, body, actions }
}

/** What a cleared truck leaves behind: about 25 inputs and 4 events of real shape and size. */
export function truck(passage: string, plate: string, at = AT): (EventEntry | InputEntry)[] {
  const voted = publishedPlate(votedPlate(plate))
  const data = (more: object) => ({ passage, lane: 'import-1', direction: 'import', ...more, historical: false })
  const entry = (verb: string, ms: number, more: object, subject?: string) =>
    event(verb, passage, { at: at + ms, data: data(more), ...(subject === undefined ? {} : { subject }) })
  const sensor = (ms: number, role: string, value: boolean) => ({
    ...input(passage, { kind: 'sensor', at: 123_456.789 + ms, role, value }, [{ do: 'start-timer', timer: 'gap' }]),
    at: at + ms,
  })
  const decision = {
    rule: 'declared',
    reasons: [{ code: 'declared', vi: 'Có tờ khai còn hạn', zh: '申报有效', en: 'Declared and in date' }],
    config: `sha256:${'a'.repeat(64)}`,
  }
  const whole = {
    plates: [voted],
    declaration: 'D-2026-001234',
    decision,
    weight_kg: 32_450,
    evidence: [1, 2].map((n) => ({ path: `evidence/2026-11-21/${passage}/front-${n}.jpg`, sha256: 'b'.repeat(64) })),
    clock: { quality: 'ntp' },
  }
  return [
    sensor(0, 'approach', true),
    entry('arrived', 1, {}),
    entry('identified', 2_000, { plates: [voted] }, plate),
    entry('decided', 2_010, { outcome: 'pass', ...whole }, plate),
    ...Array.from({ length: 22 }, (_, i) => sensor(2_100 + i * 300, ['approach', 'presence', 'curtain', 'exit'][i % 4]!, i % 3 === 0)),
    entry(
      'cleared',
      9_000,
      { outcome: 'cleared', ...whole, times: { arrived: at, decided: at + 2_010, opened: at + 3_000, cleared: at + 9_000 } },
      plate,
    ),
  ]
}
