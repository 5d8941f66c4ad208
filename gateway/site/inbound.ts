/** What comes down from the centre: stored first, then in force. */
import { isDeepStrictEqual } from 'node:util'
import { declaration as declarationSchema, listEntry as listEntrySchema } from '../identity/declaration.ts'
import type { DeclarationIndex } from '../identity/declarations.ts'
import type { ListIndex } from '../identity/lists.ts'
import type { EventEntry, Journal, PassageRow } from '../journal/journal.ts'
import type { Clock } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import { Inbox, type InboxHandlers } from '../uplink/inbox.ts'
import type { Command } from '../uplink/schema/down.ts'
import { SeenCommands } from '../uplink/seen.ts'
import type { TopicBase } from '../uplink/topics.ts'
import type { Desk } from './desk.ts'
import type { ListFreshness } from './freshness.ts'
import type { LanePlans } from './lane-plans.ts'
import type { LaneRunner } from './lane-runner.ts'
import type { Pair } from './pair.ts'
import type { ClockQuality } from './passage.ts'
import type { Recorder } from './recorder.ts'

export interface InboundOptions {
  readonly journal: Journal
  readonly recorder: Recorder
  readonly declarations: DeclarationIndex
  readonly lists: ListIndex
  readonly freshness: ListFreshness
  readonly desk: Desk
  /** The other half of a smart gate, where there is one. */
  readonly pair: () => Pair | null
  readonly lane: (id: string) => LaneRunner | undefined
  readonly lanes: () => string[]
  readonly plans: Pick<LanePlans, 'refusal' | 'set' | 'overruled'>
  /** Sends again over the link that asked; returns how many events that are. Throws when there is no such sequence. */
  readonly resendFrom: (sequence: number, via: object) => number
  readonly clock: Clock
  readonly clockQuality: () => ClockQuality
  readonly log: Log
}

/** The inbox of a site, which knows the commands that it has carried out before. */
export async function openInbox(o: InboundOptions & TopicBase): Promise<Inbox> {
  const { root, site, clock, log } = o
  const seen = new SeenCommands(o.journal, clock)
  await seen.load()
  return new Inbox({ root, site, clock, log, seen, handlers: inboundHandlers(o) })
}

/** Fills the indexes with what is known from before. Returns the vehicles that were in a lane when the last run ended. */
export async function recall(journal: Journal, declarations: DeclarationIndex, lists: ListIndex, log: Log): Promise<PassageRow[]> {
  for (const { key, value } of await journal.documents('declarations')) {
    const parsed = declarationSchema.safeParse(value)
    if (parsed.success) declarations.put(parsed.data)
    else log.warn({ declaration: key }, 'a stored declaration does not fit its schema any more and is left out')
  }
  for (const { key, value } of await journal.documents('lists')) {
    const parsed = listEntrySchema.safeParse(value)
    if (parsed.success) lists.put(key.split('/')[0]!, parsed.data)
    else log.warn({ entry: key }, 'a stored list entry does not fit its schema any more and is left out')
  }
  return journal.unfinished()
}

/** Commands that change what a plan says of a lane. */
const PLANNED: readonly string[] = ['open-lane', 'close-lane', 'set-direction']

type CommandFields = {
  id: string
  do?: string | undefined
  lane?: string | undefined
  by?: string | undefined
  reason?: string | undefined
}

function inboundHandlers(o: InboundOptions): InboxHandlers {
  const event = (result: 'accepted' | 'rejected', c: CommandFields, why?: string): EventEntry => {
    const lane = c.lane !== undefined && o.lane(c.lane) ? { lane: c.lane } : {}
    return {
      kind: 'event',
      type: `luong.command.${result}.v1`,
      ...lane,
      subject: c.id,
      at: o.clock.now(),
      data: {
        id: c.id,
        ...(c.do ? { do: c.do } : {}),
        ...lane,
        ...(c.by ? { by: c.by } : {}),
        ...(c.reason ? { reason: c.reason } : {}),
        clock: o.clockQuality(),
        historical: false,
        ...(why ? { why: why.slice(0, 500) } : {}),
      },
    }
  }
  const refuse = async (c: Command, error: string) => {
    await o.recorder.record([event('rejected', c, error)])
    return { ok: false, error }
  }
  const done = async (c: Command, why: string | null) => {
    if (why !== null) return refuse(c, why)
    await o.recorder.record([event('accepted', c)])
    return { ok: true }
  }
  // Brokers send all that they keep on every connection: what is known already costs no disk. What is on its way to the disk is not
  // known yet: what comes after it is stored, whatever it is.
  const underWay = new Map<string, number>()
  const unchanged = (key: string, known: unknown, now: object | null) => now !== null && !underWay.has(key) && isDeepStrictEqual(known, now)
  const storing = async (key: string, store: () => Promise<void>) => {
    o.freshness.changed()
    underWay.set(key, (underWay.get(key) ?? 0) + 1)
    try {
      await store()
    } finally {
      const left = underWay.get(key)! - 1
      if (left > 0) underWay.set(key, left)
      else underWay.delete(key)
    }
  }
  return {
    async onDeclaration(id, d) {
      const key = `declaration ${id}`
      if (unchanged(key, o.declarations.get(id)?.declaration, d)) return
      await storing(key, () => o.journal.putDocument('declarations', id, d))
      if (d) o.declarations.put(d)
      else o.declarations.delete(id)
    },
    async onListEntry(list, key, entry) {
      const name = `${list}/${key}`
      if (unchanged(name, o.lists.get(list, key), entry)) return
      await storing(name, () => o.journal.putDocument('lists', name, entry))
      if (entry) o.lists.put(list, entry)
      else o.lists.delete(list, key)
    },
    onPlatform(at) {
      if (!o.freshness.heard(at))
        o.log.warn(
          { at: new Date(at!).toISOString() },
          'the sign of life of the platform is from the future: one of the two clocks is wrong',
        )
    },
    // Valid, in time, seen for the first time, and durable.
    async onCommand(c, via) {
      if (c.do === 'resend-from') {
        let events: number
        try {
          events = o.resendFrom(c.from!, via)
        } catch (error) {
          return refuse(c, messageOf(error))
        }
        await o.recorder.record([event('accepted', c)])
        o.log.info({ command: c.id, from: c.from, events }, 'events are sent again')
        return { ok: true }
      }
      if (c.do === 'set-plan') {
        const why = o.plans.refusal(c.plan)
        if (why !== null) return refuse(c, why)
        await o.recorder.record([event('accepted', c)])
        o.plans.set(c.plan, c.by)
        return { ok: true }
      }
      if (c.do === 'message' || c.do === 'acknowledge') {
        const pair = o.pair()
        return done(c, pair ? await pair.command(c) : 'this site is no half of a smart gate: there is no other desk')
      }
      const lane = o.lane(c.lane)
      if (!lane) return refuse(c, `there is no lane ${c.lane}; there are ${o.lanes().join(', ')}`)
      if (c.do === 'take') return done(c, await o.desk.take(c))
      const taken = o.desk.refusal(c)
      if (taken !== null) return refuse(c, taken)
      const answer = await lane.command({
        id: c.id,
        do: c.do,
        by: c.by,
        reason: c.reason,
        expired: Date.parse(c.expires) < o.clock.now(),
        passage: 'passage' in c ? c.passage : undefined,
        direction: 'direction' in c ? c.direction : undefined,
      })
      if (answer.ok && PLANNED.includes(c.do)) o.plans.overruled(c.lane!, c.by)
      return answer
    },
    async onRejected(fields, why) {
      await o.recorder.record([event('rejected', fields, why)])
    },
  }
}
