/** What a broker knows of a site, seen without speaking for it: by a connection under another client id, which throws nobody out. */
import type { z } from 'zod'
import { accessOf, type BrokerAccess } from '../../firmware-bridge/transport/access.ts'
import type { Message } from '../../firmware-bridge/transport/transport.ts'
import { type Clock, sleep, withDeadline } from '../kernel/clock.ts'
import { LuongError } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import { BrokerConnection, type ConnectionOptions } from './connection.ts'
import { type SealedHeadMessage, sealedHead } from './schema/head.ts'
import { type Status, status } from './schema/up.ts'
import { TOPICS, type TopicBase, topic } from './topics.ts'

/** What is retained comes right behind the acknowledgement of the subscription. */
const RETAINED_MS = 1_000
/** For each address of the broker. */
const REACH_MS = 12_000

/** Last status and head; null: there is none, or it cannot be read. */
export interface Seen {
  status: Status | null
  head: SealedHeadMessage | null
  /** Called when somebody says at this moment, in the name of the site, that it is there. */
  present: (said: Status) => void
}

export interface LookOptions extends TopicBase {
  readonly connection: Pick<ConnectionOptions, 'url' | 'others' | 'protocol'> & BrokerAccess
  readonly clientId: string
  /** Ends the look. */
  readonly signal?: AbortSignal
  /** Called once when the broker is there. */
  readonly reached?: () => void
  readonly clock: Clock
  readonly log: Log
}

/** Settles as `work` does, at the latest after `ms` or when the look is ended. */
export type Within = <T>(work: Promise<T>, ms: number, late: () => Error) => Promise<T>

/**
 * Connects, waits for what is retained, and keeps the connection for as long as `then` works.
 * @throws Error in words when the broker is not reached or the look was ended; what `then` throws
 */
export async function look<T>(o: LookOptions, then: (link: BrokerConnection, seen: Seen, within: Within) => Promise<T>): Promise<T> {
  const { clientId, clock, signal } = o
  const { url, others = [], protocol = 'auto' } = o.connection
  const about = { name: 'uplink, looking', clientId, clock, log: quiet(o.log) }
  const link = new BrokerConnection({ url, others, protocol, ...accessOf(o.connection), ...about })
  const up = new Promise<void>((done) => link.onState((is) => is && done()))
  const seen = listen(link, o)
  let end = () => {}
  const stopped = new Promise<never>((_, reject) => {
    end = () => {
      reject(new LuongError('STOPPED', 'stopped'))
      // What waits for an acknowledgement ends as well.
      void link.stop()
    }
  })
  stopped.catch(() => {})
  signal?.addEventListener('abort', end)
  const within: Within = (work, ms, late) => withDeadline(clock, Promise.race([work, stopped]), ms, late)
  try {
    link.start()
    await within(up, REACH_MS * (others.length + 1), () => new Error(link.stats().why ?? 'no answer'))
    o.reached?.()
    await sleep(clock, RETAINED_MS, signal)
    return await then(link, seen, within)
  } finally {
    signal?.removeEventListener('abort', end)
    await link.stop()
  }
}

function listen(link: BrokerConnection, base: TopicBase): Seen {
  const seen: Seen = { status: null, head: null, present: () => {} }
  link.subscribe(topic(TOPICS.status, base), (message) => {
    const said = parsed(status, message)
    if (!said) return
    seen.status = said
    if (!message.retained && said.online) seen.present(said)
  })
  link.subscribe(topic(TOPICS.head, base), (message) => {
    seen.head = parsed(sealedHead, message) ?? seen.head
  })
  return seen
}

/** A message that fits its schema; null: it does not. */
export function parsed<T extends z.ZodType>(schema: T, message: Message): z.output<T> | null {
  try {
    return schema.safeParse(JSON.parse(Buffer.from(message.payload).toString('utf8'))).data ?? null
  } catch {
    return null
  }
}

/** The connection that only looks says nothing of its own: what it finds is told once. */
function quiet(log: Log): Log {
  const none = () => {}
  return { ...log, debug: none, info: none, warn: none, error: none, child: () => quiet(log) }
}
