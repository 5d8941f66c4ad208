/** What the pair tells, as events of the journal. */
import type { EventEntry } from '../journal/journal.ts'
import type { PairEvent } from './pair.ts'

export interface EventTimes {
  /** Wall clock, ms. */
  readonly at: number
  readonly quality: () => { readonly synced: boolean | null; readonly offset_ms: number | null }
}

const ascii = (text: string | undefined): text is string => text !== undefined && /^[\x21-\x7e]{1,128}$/.test(text)

/** @param peer site id of the other half */
export function eventEntry(e: PairEvent, peer: string, { at, quality }: EventTimes): EventEntry {
  const clock = quality()
  if (e.type === 'alarm') {
    const { alarm, plate, about, why } = e
    return {
      kind: 'event',
      type: `luong.alarm.${e.change}.v1`,
      subject: alarm,
      at,
      data: defined({ alarm, plate, about, clock, historical: false, why: why.slice(0, 500) }),
    }
  }
  const { late = false, differs, why, ...data } = e.data
  const { lane, passage, plate, message } = data
  return {
    kind: 'event',
    type: `luong.peer.${e.what}.v1`,
    ...(ascii(lane) ? { lane } : {}),
    ...(ascii(passage) ? { passage } : {}),
    ...((plate ?? message) ? { subject: plate ?? message! } : {}),
    at,
    data: defined({ peer, ...data, differs: differs?.slice(0, 8), clock, historical: late, why: why?.slice(0, 500) }),
  }
}

function defined(data: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined))
}
