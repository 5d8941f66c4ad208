/**
 * The way to the other half of a smart gate: brings the pure core (pair.ts) what happens, makes its answers durable, and only then says
 * them. One thing at a time, in order. What happens at the lanes is read from the journal, from a position that is stored together with
 * what was made of it: so a vehicle is handed over exactly once, whenever the program is killed.
 */
import { randomBytes } from 'node:crypto'
import type { Message, MessageTransport } from '../../firmware-bridge/transport/transport.ts'
import type { DeclarationIndex } from '../identity/declarations.ts'
import type { SharedField } from '../identity/shared.ts'
import type { Journal } from '../journal/journal.ts'
import { type Clock, sleep, systemClock, type Timer } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import type { Direction } from '../lane/model.ts'
import { QuietLog } from '../uplink/quiet.ts'
import { type PeerMessage, type PeerSignal, peerMessage } from '../uplink/schema/peer.ts'
import { fromPeer, TOPICS, type TopicBase, topic } from '../uplink/topics.ts'
import { type EventTimes, eventEntry } from './events.ts'
import type { DeskInput } from './hotline.ts'
import { idOf } from './link.ts'
import { isUp, MOST_WAITING, type Now, type PairInput, type PairSettings, type PairStep, step } from './pair.ts'
import { passageInput } from './read.ts'
import { documentsOf, newPair, type PairState, recallPair } from './state.ts'
import { type MayTurn, Turning } from './turn.ts'

export interface ChannelOptions extends TopicBase {
  readonly settings: PairSettings
  readonly share: readonly SharedField[]
  /** The broker that both sides are connected to: the own one, or the other side's. Whoever made it starts and stops it. */
  readonly link: MessageTransport
  readonly journal: Pick<Journal, 'append' | 'documents' | 'events' | 'head' | 'onCommit'>
  readonly declarations: Pick<DeclarationIndex, 'get'>
  readonly mayTurn: MayTurn
  /** Of the lanes. The link itself lives in real time. */
  readonly clock: Clock
  readonly quality: EventTimes['quality']
  readonly log: Log
}

export interface ChannelStats {
  readonly peer: string
  readonly up: boolean
  readonly alarms: readonly string[]
  /** Messages that the other side has not acknowledged. */
  readonly waiting: number
  readonly expected: number
  readonly missing: number
  /** How far the other side's clock is ahead, ms; null: not known. */
  readonly ahead_ms: number | null
  /** Messages that were not valid. */
  readonly refused: number
}

const TICK_MS = 1_000
const RETRY_MS = 500
/** Messages heard and not yet looked at; one more is dropped, since the other side says it again. */
const MOST_HEARD = 256
const MAX_BYTES = 16 * 1024
const READ = 200
/** The position in the journal is stored at least every so many events. */
const STORE_EVERY = 1_000

interface Queued {
  readonly input: PairInput
  readonly answer?: (why: string | null) => void
}

export class PeerChannel {
  readonly #o: ChannelOptions
  readonly #quiet: QuietLog
  readonly #collection: string
  readonly #queue: Queued[] = []
  readonly #off: (() => void)[] = []
  readonly #turning: Turning
  readonly #startMono: number
  readonly #startWall: number
  #state: PairState | null = null
  #timer: Timer | null = null
  #running = false
  #busy: Promise<void> | null = null
  #reading = false
  #read = 0
  #refused = 0
  #said = 0

  constructor(options: ChannelOptions) {
    this.#o = options
    this.#quiet = new QuietLog(options.log, systemClock)
    this.#collection = `peer:${options.settings.peer}`
    this.#turning = new Turning((signal) => this.#state && this.#say(signal, this.#state), options.mayTurn)
    this.#startMono = options.clock.mono()
    this.#startWall = options.clock.now()
  }

  /** What is known, as far as it is durable. Null before {@link start}. */
  get state(): PairState | null {
    return this.#state
  }

  now(): Now {
    const { clock } = this.#o
    return { mono: systemClock.mono(), wall: clock.now(), time: this.#startWall + (clock.mono() - this.#startMono) }
  }

  /** The other side was heard not long ago. */
  get up(): boolean {
    return this.#state !== null && isUp(this.#state, this.now())
  }

  async start(): Promise<void> {
    const { journal, link, settings, log } = this.#o
    const chance = { id: () => randomBytes(8).toString('hex') }
    const kept = recallPair(await journal.documents(this.#collection))
    const state = kept ?? newPair(journal.head().sequence, chance)
    if (state.cursor > journal.head().sequence)
      log.warn({ peer: settings.peer }, 'what is known of the other side is newer than the journal')
    if (kept === null) await journal.append([], this.#documents(null, state))
    this.#state = { ...state, link: { ...state.link, session: { ...state.link.session, since: this.now().mono } } }
    this.#read = state.cursor
    this.#running = true
    this.#off.push(link.subscribe(fromPeer(this.#o, settings.peer), (message) => this.#heard(message)))
    this.#off.push(link.onState((up) => this.#put({ input: { kind: up ? 'up' : 'down' } })))
    this.#off.push(journal.onCommit(() => void this.#look()))
    this.#tick()
    void this.#look()
  }

  /** What is under way is finished; nothing more is begun. */
  async stop(): Promise<void> {
    this.#running = false
    this.#timer?.cancel()
    this.#turning.stop()
    for (const off of this.#off.splice(0)) off()
    for (const { answer } of this.#queue.splice(0)) answer?.('the gateway is stopping')
    await this.#busy
  }

  /** An officer's command; null when it was carried out and is durable, else why not. */
  command(input: DeskInput): Promise<string | null> {
    return new Promise((answer) => {
      if (!this.#running) answer('the gateway is stopping')
      else this.#put({ input, answer })
    })
  }

  /** Null: the other half agrees that the lane which leads into its `lane` turns; else why not. Settles when it answers, or is stopped. */
  mayTurn(lane: string, direction: Direction): Promise<string | null> {
    return this.up ? this.#turning.ask(lane, direction) : Promise.resolve('it is not heard')
  }

  stats(): ChannelStats {
    const state = this.#state
    const expected = [...(state?.expected.values() ?? [])]
    return {
      peer: this.#o.settings.peer,
      up: this.up,
      alarms: state?.alarms ?? [],
      waiting: state?.link.waiting.size ?? 0,
      expected: expected.filter((e) => e.status !== 'arrived').length,
      missing: expected.filter((e) => e.status === 'missing').length,
      ahead_ms: state?.link.session.ahead ?? null,
      refused: this.#refused,
    }
  }

  #tick(): void {
    if (!this.#running) return
    if (!this.#queue.some((q) => q.input.kind === 'tick')) this.#put({ input: { kind: 'tick' } })
    void this.#look()
    this.#timer = this.#o.clock.after(TICK_MS, () => this.#tick())
  }

  #heard(message: Message): void {
    // Nothing here is kept at a broker: a retained message is an old one.
    if (message.retained || !this.#running) return
    const read = readMessage(message, this.#o.settings.peer)
    if (typeof read === 'string') {
      this.#refuse(message.topic, read)
      return
    }
    this.#turning.heard(read)
    if (this.#queue.length < MOST_HEARD) this.#put({ input: { kind: 'heard', message: read } })
  }

  #refuse(where: string, why: string): void {
    this.#refused++
    this.#quiet.warn({ topic: where.slice(0, 200), why, code: 'PAYLOAD_INVALID' }, 'a message from the other side was refused')
  }

  #put(queued: Queued): void {
    this.#queue.push(queued)
    this.#busy ??= this.#work().finally(() => {
      this.#busy = null
    })
  }

  async #work(): Promise<void> {
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      if (!this.#running) {
        next.answer?.('the gateway is stopping')
        continue
      }
      const before = this.#state!
      const chance = { id: () => randomBytes(8).toString('hex') }
      const done = step(before, next.input, this.now(), this.#o.settings, chance)
      if (!(await this.#store(before, done))) {
        next.answer?.('the gateway is stopping; it was not recorded')
        return
      }
      this.#state = done.state
      next.answer?.(done.answer ?? null)
      // What comes twice, too early or in a numbering that is not known yet is everyday: it is said again when it is wanted.
      if (done.refused === 'wrong-id') this.#refuse(`peer/${this.#o.site}`, 'id, stream and number do not fit each other')
      for (const out of done.out) this.#say(out, done.state)
      if (done.state.link.waiting.size < before.link.waiting.size) void this.#look()
    }
  }

  #documents(before: PairState | null, after: PairState) {
    return documentsOf(before, after).map((d) => ({ collection: this.#collection, ...d }))
  }

  /** True once it is durable; false when stopped before. A disk that refuses is tried again: nothing is said meanwhile. */
  async #store(before: PairState, done: PairStep): Promise<boolean> {
    const { journal, settings, clock, quality, log } = this.#o
    const documents = this.#documents(before, done.state)
    const events = done.events.map((e) => eventEntry(e, settings.peer, { at: clock.now(), quality }))
    if (documents.length + events.length === 0) return true
    for (let told = false; ; told = true)
      try {
        await journal.append(events, documents)
        return true
      } catch (error) {
        if (!told)
          log.error(
            { peer: settings.peer, err: messageOf(error) },
            'the journal refuses what the other side is concerned with; it is tried again',
          )
        if (!this.#running) return false
        await sleep(systemClock, RETRY_MS)
      }
  }

  #say(out: PeerSignal | { readonly number: number }, state: PairState): void {
    const { link, settings, site, clock, log } = this.#o
    const stamp = { from: site, at: new Date(clock.now()).toISOString() }
    let message: PeerMessage
    if ('number' in out) {
      const { stream } = state.link.record
      const body = state.link.waiting.get(out.number)
      if (!body) return
      message = { ...body, ...stamp, stream, number: out.number, id: idOf(stream, out.number) } as PeerMessage
    } else message = { ...out, ...stamp, id: `${site}-${(++this.#said).toString(36)}-${Math.round(systemClock.mono())}` } as PeerMessage
    const where = topic(TOPICS.peer, { ...this.#o, peer: settings.peer, kind: message.kind })
    // What is lost is said again: the other side is asked what it has.
    clock
      .track(link.publish(where, JSON.stringify(message), { qos: 1, retain: false }))
      .catch((error) => log.debug({ topic: where, err: messageOf(error) }, 'not handed to the broker; it is said again'))
  }

  /** Reads on in the journal, as long as not too much waits for the other side. */
  async #look(): Promise<void> {
    const { journal, declarations, share, log } = this.#o
    if (this.#reading) return
    this.#reading = true
    try {
      while (this.#running && this.#read < journal.head().sequence && this.#state!.link.waiting.size < MOST_WAITING) {
        const events = await journal.events(this.#read, READ)
        if (events.length === 0) return
        for (const e of events) {
          const input = passageInput(e, declarations, share)
          if (input) await this.#taken(input)
        }
        this.#read = events.at(-1)!.sequence
        if (this.#running && this.#read - this.#state!.cursor >= STORE_EVERY) await this.#taken({ kind: 'looked', sequence: this.#read })
      }
    } catch (error) {
      log.error({ err: messageOf(error) }, 'the journal could not be read for the other side; it is tried again')
    } finally {
      this.#reading = false
    }
  }

  #taken(input: PairInput): Promise<void> {
    return new Promise((resolve) => {
      if (this.#running) this.#put({ input, answer: () => resolve() })
      else resolve()
    })
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** The message, or why it is none. */
function readMessage({ topic: where, payload }: Message, peer: string): PeerMessage | string {
  if (payload.length > MAX_BYTES) return `${payload.length} bytes; at most ${MAX_BYTES} are read`
  let value: unknown
  try {
    value = JSON.parse(utf8.decode(payload))
  } catch (error) {
    return `not JSON in UTF-8: ${messageOf(error).slice(0, 120)}`
  }
  const parsed = peerMessage.safeParse(value)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'does not fit its schema'}`.slice(0, 300)
  }
  const { from, kind } = parsed.data
  if (from !== peer) return `it says that it is from ${from}`
  if (!where.endsWith(`/${kind}`)) return `a ${kind} on another topic`
  return parsed.data
}
