/** The line that a person reads of a passage. */
import { expect, test } from 'vitest'
import { PassageLines } from '../../../gateway/cli/passage-line.ts'
import { zoneOf } from '../../../gateway/journal/zone.ts'
import type { Passage } from '../../../gateway/site/passage.ts'

const lines = new PassageLines({ zone: zoneOf('Asia/Ho_Chi_Minh'), json: false, out: { write: () => {} } })
const at = (s: number) => ({ at: Date.UTC(2026, 10, 21, 1, 0, s), mono: s * 1_000 })
const identity = {
  plates: [],
  plate: '24C12345',
  trailer: null,
  match: 'exact',
  declaration: null,
  candidates: [],
  disagreements: [],
  score: 1,
  weight_kg: null,
  tags: [{ text: 'E28068940000500000000001', reader: 'tag-1', count: 3, rssi: -55 }],
  codes: [],
  tag: 'same',
  containers: [],
} as const
const passage: Passage = {
  no: 1,
  id: '01J',
  lane: 'import-2',
  direction: 'import',
  arrived: at(0),
  ended: at(14),
  plates: [],
  evidence: [],
  historical: false,
  identity,
}
const plain = (p: Passage) => lines.line('cleared', p).replace(/\u001b\[\d+m/g, '')

test('says what came of it, that the tag agrees, and how it was called', () => {
  expect(plain(passage)).toBe('08:00:14  import-2  24C-123.45   cleared     14.0 s  tag agrees')
  const turn = { group: 'yard', first: true, overtaken: 0, before: ['import-1', 'import-3'], waited_s: 6.3 }
  expect(plain({ ...passage, turn })).toContain('tag agrees; called after 6.3 s, before import-1 and import-3')
  expect(plain({ ...passage, turn: { ...turn, before: [] } })).toMatch(/called after 6.3 s$/)
  const code = { ...identity, tags: [], codes: [{ text: 'LC-NS-000003', reader: 'code-1', count: 1, rssi: null }] }
  expect(plain({ ...passage, identity: code })).toContain('code agrees')
  expect(plain({ ...passage, identity: { ...identity, tag: 'other' } })).not.toContain('agrees')
})
