/** What tests of the way to the other half share. */
import { DeclarationIndex } from '../../../gateway/identity/declarations.ts'
import type { EventEntry, Journal } from '../../../gateway/journal/journal.ts'
import { systemClock } from '../../../gateway/kernel/clock.ts'
import { silentLog } from '../../../gateway/kernel/log.ts'
import type { Direction } from '../../../gateway/lane/model.ts'
import { PeerChannel } from '../../../gateway/peer/channel.ts'
import type { PairSettings } from '../../../gateway/peer/pair.ts'
import { BrokerConnection } from '../../../gateway/uplink/connection.ts'

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

/** The way to the other half, of side a or b, over the broker at `url`. Not yet started. */
export function channelOf(site: 'a' | 'b', url: string, journal: Journal): { link: BrokerConnection; channel: PeerChannel } {
  const link = new BrokerConnection({ name: site, url, clientId: site, clock: systemClock, log: silentLog })
  const channel = new PeerChannel({
    root: 'luong/v1',
    site,
    settings: site === 'a' ? settingsOf('b', 'export') : settingsOf('a', 'import'),
    share: ['trailer'],
    link,
    journal,
    declarations: new DeclarationIndex(),
    mayTurn: () => null,
    clock: systemClock,
    quality: () => ({ synced: null, offset_ms: null }),
    log: silentLog,
  })
  return { link, channel }
}
