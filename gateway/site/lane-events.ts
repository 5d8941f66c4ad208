/** Turns what the lane core wants recorded into journal events. */
import type { EventEntry } from '../journal/journal.ts'
import type { Zone } from '../journal/zone.ts'
import type { LaneEvent } from '../lane/model.ts'
import { type ClockQuality, type Passage, type PassageExtra, type PassageOutcome, passageData, subjectOf } from './passage.ts'

export interface EventContext {
  readonly lane: string
  readonly direction: 'import' | 'export'
  readonly zone: Zone
  readonly clock: ClockQuality
  /** Wall clock, ms. */
  readonly at: number
}

/** What a command was, for the event that tells of it. */
export interface CommandNote {
  readonly do: string
  readonly by: string
  readonly reason: string
}

function event(
  c: EventContext,
  type: string,
  data: Record<string, unknown>,
  extra: { passage?: string; subject?: string | undefined } = {},
): EventEntry {
  return {
    kind: 'event',
    type,
    lane: c.lane,
    ...(extra.passage === undefined ? {} : { passage: extra.passage }),
    ...(extra.subject === undefined ? {} : { subject: extra.subject }),
    at: c.at,
    data,
  }
}

export function passageEvent(
  c: EventContext,
  type: 'arrived' | 'identified' | 'decided' | 'queued' | 'called' | 'taken' | 'escalated' | PassageOutcome,
  p: Passage,
  extra: PassageExtra = {},
): EventEntry {
  return event(c, `luong.passage.${type}.v1`, passageData(p, c.zone, c.clock, extra), { passage: p.id, subject: subjectOf(p) })
}

export function alarmEvent(
  c: EventContext,
  change: 'raised' | 'cleared',
  alarm: string,
  extra: { passage?: Passage | undefined; device?: string; why?: string } = {},
): EventEntry {
  const plate = extra.passage ? subjectOf(extra.passage) : undefined
  return event(
    c,
    `luong.alarm.${change}.v1`,
    {
      alarm,
      lane: c.lane,
      ...(extra.passage ? { passage: extra.passage.id } : {}),
      ...(plate ? { plate } : {}),
      ...(extra.device ? { device: extra.device } : {}),
      clock: c.clock,
      historical: false,
      ...(extra.why ? { why: extra.why.slice(0, 500) } : {}),
    },
    { ...(extra.passage ? { passage: extra.passage.id } : {}), subject: alarm },
  )
}

export function commandEvent(
  c: EventContext,
  result: 'accepted' | 'rejected',
  id: string,
  note: CommandNote | undefined,
  why?: string,
): EventEntry {
  return event(
    c,
    `luong.command.${result}.v1`,
    {
      id,
      ...(note ? { do: note.do, by: note.by, reason: note.reason } : {}),
      lane: c.lane,
      clock: c.clock,
      historical: false,
      ...(why ? { why: why.slice(0, 500) } : {}),
    },
    { subject: id },
  )
}

function laneEvent(c: EventContext, type: 'opened' | 'closed' | 'fault' | 'recovered', why?: string): EventEntry {
  return event(c, `luong.lane.${type}.v1`, {
    lane: c.lane,
    direction: c.direction,
    clock: c.clock,
    historical: false,
    ...(why ? { why: why.slice(0, 500) } : {}),
  })
}

/** One journal event for each thing the core wants recorded. `passage` finds what is known of a passage number. */
export function eventOf(
  c: EventContext,
  e: LaneEvent,
  passage: (no: number) => Passage | undefined,
  command: (id: string) => CommandNote | undefined,
): EventEntry | null {
  switch (e.type) {
    case 'opened':
    case 'closed':
    case 'recovered':
      return laneEvent(c, e.type)
    case 'fault':
      return laneEvent(c, 'fault', e.why)
    case 'alarm-raised':
      return alarmEvent(c, 'raised', e.alarm, { passage: e.passage === undefined ? undefined : passage(e.passage) })
    case 'alarm-cleared':
      return alarmEvent(c, 'cleared', e.alarm)
    case 'command-accepted':
      return commandEvent(c, 'accepted', e.id, command(e.id))
    case 'command-rejected':
      return commandEvent(c, 'rejected', e.id, command(e.id), e.why)
    default: {
      const p = passage(e.passage)
      if (!p) return null
      if (e.type === 'arrived') return passageEvent(c, 'arrived', p)
      return passageEvent(c, e.type, p, {
        outcome: e.type,
        ...('why' in e ? { why: e.why } : 'unsure' in e ? { why: 'no sensor proves that it drove through' } : {}),
        ...('by' in e ? { by: e.by } : p.by ? { by: p.by } : {}),
      })
    }
  }
}
