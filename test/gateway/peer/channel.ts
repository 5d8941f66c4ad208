/** What tests of the way to the other half share. */
import type { EventEntry } from '../../../gateway/journal/journal.ts'
import type { Direction } from '../../../gateway/lane/model.ts'
import type { PairSettings } from '../../../gateway/peer/pair.ts'

export function settingsOf(peer: string, handsOver: Direction): PairSettings {
  return { peer, handsOver, withinMs: 1_800_000, hotlineMs: 300_000, silentMs: 300_000, clockMs: 120_000 }
}

/** A passage event as a lane tells it, as far as the other half is concerned. */
export function cleared(direction: Direction, plate: string, passage: string): EventEntry {
  const data = {
    passage,
    lane: `${direction}-1`,
    direction,
    plates: [{ text: plate }],
    trailer: '24R00001',
    declaration: null,
    weight_kg: null,
  }
  return { kind: 'event', type: 'luong.passage.cleared.v1', lane: `${direction}-1`, passage, subject: plate, at: Date.now(), data }
}
