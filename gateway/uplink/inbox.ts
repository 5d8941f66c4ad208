/**
 * What comes down: declarations, list entries, commands. Everything is checked against its schema before anyone sees it;
 * what does not fit is logged with its topic and reason, counted, and changes nothing.
 */
import type { z } from 'zod'
import type { Message, MessageTransport } from '../../firmware-bridge/transport/transport.ts'
import { type Declaration, declaration, type ListEntry, listEntry } from '../identity/declaration.ts'
import { ORDERS, type Order } from '../identity/orders.ts'
import { type Clock, withDeadline } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import { Owed } from './owed.ts'
import { QuietLog } from './quiet.ts'
import { type Command, command, platform, type Reply } from './schema/down.ts'
import type { SeenCommands } from './seen.ts'
import { matchTopic, TOPICS, type TopicBase, topic, topicFilter } from './topics.ts'

export interface InboxHandlers {
  /** Null: withdrawn. A rejection is logged. */
  onDeclaration(id: string, declaration: Declaration | null): void | Promise<void>
  onListEntry(list: string, key: string, entry: ListEntry | null): void | Promise<void>
  /** The platform is there: something of it was sent just now, or its sign of life says so (`at`: wall-clock ms, by its clock). */
  onPlatform?(at?: number): void
  /**
   * Valid, in time, and never seen before. The answer becomes the reply.
   * @param via the link it came over, as it was given to {@link Inbox.attach}
   */
  onCommand(command: Command, via: object): Promise<{ ok: boolean; error?: string }>
  /** A command that was not handed to `onCommand`; its fields as far as they could be read. Settles when that is recorded. */
  onRejected?(fields: { id: string; do?: string; lane?: string; by?: string }, why: string): void | Promise<void>
}

export interface InboxOptions extends TopicBase {
  /** The site's clock: commands expire by its wall clock. */
  readonly clock: Clock
  readonly log: Log
  /** Loaded before {@link Inbox.attach}. */
  readonly seen: SeenCommands
  readonly handlers: InboxHandlers
}

export interface InboxStats {
  readonly declarations: number
  readonly listEntries: number
  readonly commands: number
  /** Messages that did not fit, by topic name. */
  readonly invalid: number
  readonly rejected: number
  /** Declarations and list entries that wait for the disk. */
  readonly owed: number
  readonly repliesWaiting: number
  /** Replies dropped because the link was down for too long. */
  readonly repliesDropped: number
}

/** Largest payload that is looked at, bytes. */
export const MAX_DOWN_BYTES = 64 * 1024
const MAX_AHEAD_MS = 24 * 3600_000
const COMMAND_MS = 30_000
const MAX_COMMANDS = 64
const MAX_REPLIES = 256
/** Declarations handed over and not yet stored: then the link is asked to wait. */
const MAX_STORING = 256
const RECORD_MS = 2_000

type Transport = Pick<MessageTransport, 'publish' | 'onState' | 'name' | 'up'> & {
  subscribe(filter: string, fn: (message: Message & { repeated?: boolean }) => void | Promise<void>): () => void
}

export class Inbox {
  readonly #o: InboxOptions
  readonly #quiet: QuietLog
  readonly #counts = { declarations: 0, listEntries: 0, commands: 0, invalid: 0, rejected: 0, repliesDropped: 0 }
  readonly #replies: { link: Transport; reply: Reply }[] = []
  readonly #owed: Owed
  readonly #links = new Set<Transport>()
  #queued = 0
  #storing = 0
  /** Commands act one after the other, in the order they came. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: InboxOptions) {
    this.#o = options
    this.#quiet = new QuietLog(options.log, options.clock)
    this.#owed = new Owed({ clock: options.clock, log: this.#quiet, missed: () => this.#askAgain() })
  }

  /**
   * Listens on a link; replies go back on the link that a command came from. The returned function ends it.
   * @param orders what may be ordered over it
   */
  attach(link: Transport, orders: readonly Order[] = ORDERS): () => void {
    const offs = [TOPICS.declaration, TOPICS.list, TOPICS.platform, TOPICS.command].map((entry) =>
      link.subscribe(topicFilter(entry, this.#o), (message) => this.#receive(link, message, orders)),
    )
    offs.push(link.onState((up) => up && this.#sendReplies(link)))
    this.#links.add(link)
    this.#owed.start()
    return () => {
      for (const off of offs) off()
      this.#links.delete(link)
      if (this.#links.size === 0) this.#owed.stop()
    }
  }

  /** Whoever subscribes gets all that the broker keeps, also the second time. */
  #askAgain(): void {
    const filters = [TOPICS.declaration, TOPICS.list].map((entry) => topicFilter(entry, this.#o))
    for (const link of this.#links) {
      this.#o.log.warn({ link: link.name, filters }, 'asking the broker once more for what could not be stored')
      for (const filter of filters) link.subscribe(filter, () => {})()
    }
  }

  stats(): InboxStats {
    return { ...this.#counts, owed: this.#owed.size, repliesWaiting: this.#replies.length }
  }

  #receive(link: Transport, message: Message & { repeated?: boolean }, orders: readonly Order[]): void | Promise<void> {
    const match = matchTopic(this.#o.root, this.#o.site, message.topic)
    switch (match?.name) {
      case 'declaration':
        return this.#declaration(message, match.params.id ?? '')
      case 'list':
        return this.#listEntry(message, match.params.list ?? '', match.params.key ?? '')
      case 'platform':
        return this.#platform(message)
      case 'command':
        return this.#command(link, message, orders)
      default:
        this.#invalid(message.topic, 'not a topic of this site')
    }
  }

  #declaration(message: Message, id: string): void | Promise<void> {
    const value = message.payload.length === 0 ? null : this.#parse(message, declaration, 'id', id)
    if (value === undefined) return
    this.#counts.declarations++
    this.#heard(message)
    return this.#store(message.topic, () => this.#o.handlers.onDeclaration(id, value))
  }

  #listEntry(message: Message, list: string, key: string): void | Promise<void> {
    const value = message.payload.length === 0 ? null : this.#parse(message, listEntry, 'key', key)
    if (value === undefined) return
    this.#counts.listEntries++
    this.#heard(message)
    return this.#store(message.topic, () => this.#o.handlers.onListEntry(list, key, value))
  }

  #platform(message: Message): void {
    if (message.payload.length === 0) return
    const value = this.#parse(message, platform)
    if (value !== undefined) this.#o.handlers.onPlatform?.(Date.parse(value.at))
  }

  /** A retained message may have waited at the broker for days: it says nothing of when the platform was there. */
  #heard(message: Message): void {
    if (!message.retained) this.#o.handlers.onPlatform?.()
  }

  /** Hands over; makes the link wait only when too many are under way. */
  #store(where: string, hand: () => void | Promise<void>): void | Promise<void> {
    this.#storing++
    const done = this.#owed.store(where, hand).finally(() => {
      this.#storing--
    })
    if (this.#storing > MAX_STORING) return done
  }

  /** Resolves when the command is durable or refused: only then the broker hears that we have it. */
  #command(link: Transport, message: Message & { repeated?: boolean }, orders: readonly Order[]): void | Promise<void> {
    if (message.payload.length === 0) return
    const read = readJson(message.payload)
    const fields = commandFields(read.value)
    const reject = (why: string) => this.#reject(link, message.topic, fields, why)
    if (message.retained) return reject('retained commands are not carried out: they would act again on every connection')
    if (read.error !== undefined) return reject(read.error)
    const parsed = command.safeParse(read.value)
    if (!parsed.success) return reject(explain(parsed.error))
    const c = parsed.data
    if (!orders.includes(c.do))
      return reject(`not permitted: ${c.do} may not be ordered over this link, only ${orders.join(', ') || 'nothing'}`)
    const now = this.#o.clock.now()
    const expires = Date.parse(c.expires)
    if (this.#o.seen.has(c.id)) {
      // The broker repeats what it thinks we did not get; that has had its reply.
      if (message.repeated) return
      return reject('repeated: a command with this id was received before and is not carried out again')
    }
    if (expires < now) return reject(`expired at ${c.expires}; the clock of this site shows ${new Date(now).toISOString()}`)
    if (expires > now + MAX_AHEAD_MS) {
      return reject(`expires more than 24 hours ahead; the clock of this site shows ${new Date(now).toISOString()}`)
    }
    if (this.#queued >= MAX_COMMANDS) return reject(`busy: ${this.#queued} commands are waiting`)
    return this.#accept(link, c)
  }

  async #accept(link: Transport, c: Command): Promise<void> {
    this.#counts.commands++
    this.#queued++
    const { seen, clock, log, handlers } = this.#o
    try {
      await seen.add(c.id, { do: c.do, by: c.by, expires: c.expires })
    } catch (error) {
      this.#queued--
      seen.cancel(c.id)
      return this.#reject(link, 'command', c, `not carried out: it could not be recorded (${messageOf(error)})`)
    }
    const act = async () => {
      try {
        if (Date.parse(c.expires) < clock.now())
          return this.#reject(link, 'command', c, `expired at ${c.expires} while waiting for its turn`)
        const late = () => new Error('no answer in 30 s; it may still have been carried out')
        const { ok, error } = await withDeadline(clock, handlers.onCommand(c, link), COMMAND_MS, late)
        this.#reply(link, { id: c.id, ok, ...(error === undefined ? {} : { error: error.slice(0, 500) }) })
      } catch (error) {
        log.error({ command: c.id, do: c.do, err: messageOf(error) }, 'a command failed')
        this.#reply(link, { id: c.id, ok: false, error: messageOf(error).slice(0, 500) })
      } finally {
        this.#queued--
      }
    }
    this.#turn = this.#turn.then(act)
  }

  #parse<T extends z.ZodType>(message: Message, schema: T, idField?: string, id?: string): z.output<T> | undefined {
    const read = readJson(message.payload)
    if (read.error !== undefined) return this.#invalid(message.topic, read.error)
    const parsed = schema.safeParse(read.value)
    if (!parsed.success) return this.#invalid(message.topic, explain(parsed.error))
    const inside = idField === undefined ? undefined : (parsed.data as Record<string, unknown>)[idField]
    if (inside !== id)
      return this.#invalid(message.topic, `${idField} in the payload is ${JSON.stringify(inside)}, in the topic ${JSON.stringify(id)}`)
    return parsed.data
  }

  #invalid(where: string, why: string): undefined {
    this.#counts.invalid++
    this.#quiet.warn({ topic: where.slice(0, 200), why, code: 'PAYLOAD_INVALID' }, 'a message was ignored')
  }

  /** The reply says what is recorded; where the disk does not answer, it is not waited for. */
  async #reject(link: Transport, where: string, fields: ReturnType<typeof commandFields> | Command, why: string): Promise<void> {
    this.#counts.rejected++
    this.#quiet.warn({ topic: where, ...(fields ? { command: fields.id } : {}), why }, 'a command was rejected')
    if (!fields) {
      this.#counts.invalid++
      return
    }
    const { id, do: what, by } = fields
    const lane = 'lane' in fields ? fields.lane : undefined
    const told = {
      id,
      ...(what === undefined ? {} : { do: what }),
      ...(lane === undefined ? {} : { lane }),
      ...(by === undefined ? {} : { by }),
    }
    try {
      const recorded = (async () => this.#o.handlers.onRejected?.(told, why))()
      await withDeadline(this.#o.clock, recorded, RECORD_MS, () => new Error('the journal does not answer'))
    } catch (error) {
      this.#o.log.error({ command: id, err: messageOf(error) }, 'the rejection of a command could not be recorded')
    }
    this.#reply(link, { id, ok: false, error: why.slice(0, 500) })
  }

  #reply(link: Transport, reply: Reply): void {
    if (this.#replies.length >= MAX_REPLIES) {
      this.#replies.shift()
      this.#counts.repliesDropped++
    }
    this.#replies.push({ link, reply })
    this.#sendReplies(link)
  }

  #sendReplies(link: Transport): void {
    if (!link.up) return
    for (const waiting of this.#replies.filter((r) => r.link === link)) {
      this.#replies.splice(this.#replies.indexOf(waiting), 1)
      link.publish(topic(TOPICS.reply, this.#o), JSON.stringify(waiting.reply), { qos: 1, retain: false }).catch((error) => {
        // Lost on the way: again when the link is back.
        if (this.#replies.length < MAX_REPLIES) this.#replies.push(waiting)
        else this.#counts.repliesDropped++
        this.#o.log.debug({ command: waiting.reply.id, err: messageOf(error) }, 'a reply is sent again later')
      })
    }
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function readJson(payload: Uint8Array): { value?: unknown; error?: string } {
  if (payload.length > MAX_DOWN_BYTES) return { error: `${payload.length} bytes; at most ${MAX_DOWN_BYTES} are read` }
  try {
    return { value: JSON.parse(utf8.decode(payload)) }
  } catch (error) {
    return { error: error instanceof TypeError ? 'not UTF-8' : `not JSON: ${messageOf(error).slice(0, 120)}` }
  }
}

/** What can be read of a command that may be wrong in other places; null when there is no usable id to answer to. */
function commandFields(value: unknown): { id: string; do?: string; lane?: string; by?: string } | null {
  if (typeof value !== 'object' || value === null) return null
  const v = value as Record<string, unknown>
  if (typeof v.id !== 'string' || !/^[A-Za-z0-9._:-]{1,64}$/.test(v.id)) return null
  const text = (key: 'do' | 'lane' | 'by', max: number) => (typeof v[key] === 'string' ? { [key]: v[key].slice(0, max) } : {})
  return { id: v.id, ...text('do', 32), ...text('lane', 41), ...text('by', 120) }
}

/** All problems in one line: `weight_kg: too big; colour: unknown key`. */
function explain(error: z.ZodError): string {
  const shown = error.issues.slice(0, 8).map((i) => (i.path.length > 0 ? `${i.path.join('.')}: ${i.message}` : i.message))
  return shown.join('; ').slice(0, 400)
}
