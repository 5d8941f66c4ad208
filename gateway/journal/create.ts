/** The journal as the rest of the program has it: gathers appends while one transaction syncs, and lets the thread do the work. */
import { type Clock, systemClock, withDeadline } from '../kernel/clock.ts'
import { LuongError } from '../kernel/errors.ts'
import { Listeners } from '../kernel/listeners.ts'
import { encode, toText } from './encode.ts'
import type { Document, Entry, ImportOptions, ImportRow, Journal, JournalHead, PassageRow, StoredEvent, StoredInput } from './journal.ts'
import type { CrossingRow, UseRow } from './loads.ts'
import { ASIDE, type FromWorker, type Move, type NewDocument, type NewRow } from './protocol.ts'
import { Durations } from './stats.ts'
import { type JournalThread, startThread } from './thread.ts'

export interface JournalOptions {
  /** Data folder; made when it isn't there. */
  readonly dir: string
  /** Site id: part of every event's id and source. A folder belongs to one site. */
  readonly site: string
  /** IANA name of the zone that event times are written in. */
  readonly timezone?: string
  /** Stamps documents, and is told of work in hand (`track`). Waiting for the disk is always measured in real time. */
  readonly clock?: Clock
  /** With less free disk than this, `stats().writable` is false while appends still work: finish what stands, let no vehicle in. */
  readonly minFreeMb?: number
  /** With less than this, appends are refused. At most, and by default, the smaller of 16 MB and a quarter of `minFreeMb`. */
  readonly reserveMb?: number
  /** Appends that may wait for the disk; the next one is refused with QUEUE_FULL. */
  readonly maxWaiting?: number
}

/** Rows of one transaction at most, so that a backlog does not become one long commit. */
const MAX_BATCH_ROWS = 1_000
/** Text that may wait, in characters. */
const MAX_WAITING_CHARS = 64_000_000
/** Documents of an import in one commit: others get their turn in between. */
const IMPORT_DOCUMENTS = 500
const CURSOR_MS = 500
/** A commit that takes longer than this means a sick disk. */
const SLOW_COMMIT_MS = 5_000
const CLOSE_MS = 10_000

/** What is stored together. */
interface Parcel {
  readonly rows: readonly NewRow[]
  readonly documents: readonly NewDocument[]
  readonly moves?: readonly Move[]
}

interface Waiting extends Parcel {
  readonly chars: number
  readonly since: number
  resolve(sequences: number[]): void
  reject(error: LuongError): void
}

interface Flight {
  readonly items: readonly Waiting[]
  readonly cursors: ReadonlyMap<string, number>
  readonly since: number
}

/** @returns a journal that does nothing until `open()` */
export function createJournal(options: JournalOptions): Journal {
  return new ThreadedJournal(options)
}

function newDocument({ collection, key, value }: Document, at: number): NewDocument {
  return { collection, key, value: value === null ? null : toText(`document ${collection}/${key}`, value), at }
}

class ThreadedJournal implements Journal {
  readonly #options: JournalOptions
  readonly #clock: Clock
  readonly #bound: number
  readonly #commitListeners = new Listeners<[JournalHead]>()
  readonly #durable = new Durations(1_000)
  readonly #cursors = new Map<string, number>()
  #dirty = new Map<string, number>()
  #thread: JournalThread | undefined
  #head: JournalHead = { sequence: 0, entry: 0, hash: '' }
  #space: { writable: boolean; why?: string } = { writable: false, why: 'not open' }
  #waiting: Waiting[] = []
  #waitingChars = 0
  #flight: Flight | undefined
  #scheduled = false
  #cursorTimer: NodeJS.Timeout | undefined
  #opening: Promise<unknown> | undefined
  #closing: Promise<void> | undefined
  #drained: (() => void) | undefined
  #commits = 0
  #bytes = 0
  #imports = 0

  constructor(options: JournalOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#bound = options.maxWaiting ?? 10_000
  }

  async open(): Promise<JournalHead> {
    if (this.#opening !== undefined) throw new LuongError('DATA_IN_USE', `the journal in ${this.#options.dir} was already opened`)
    if (this.#closing !== undefined) throw stopped()
    const { dir, site, timezone = 'Asia/Ho_Chi_Minh', minFreeMb = 200 } = this.#options
    const reserveMb = Math.min(this.#options.reserveMb ?? 16, minFreeMb / 4)
    const started = startThread({ dir, site, timezone, minFreeMb, reserveMb }, (message) => this.#heard(message), this.#died)
    this.#opening = started
    const { thread, open } = await this.#clock.track(started)
    this.#thread = thread
    this.#head = open.head
    this.#bytes = open.bytes
    this.#space = open.space
    return open.head
  }

  append(entries: readonly Entry[], documents: readonly Document[] = []): Promise<{ sequences: readonly number[] }> {
    const at = Math.round(this.#clock.now())
    const stored = this.#enqueue(() => ({ rows: entries.map(encode), documents: documents.map((d) => newDocument(d, at)) }))
    // A clock that runs faster than the disk waits for what happened; what came in is only for replay.
    if (entries.some((e) => e.kind === 'event')) this.#clock.track(stored)
    return stored.then((sequences) => ({ sequences }))
  }

  async putDocument(collection: string, key: string, value: unknown | null): Promise<void> {
    const at = Math.round(this.#clock.now())
    const stored = this.#enqueue(() => ({ rows: [], documents: [newDocument({ collection, key, value }, at)] }))
    await this.#clock.track(stored)
  }

  async importDocuments(
    collection: string,
    rows: AsyncIterable<ImportRow>,
    { replace = false, note }: ImportOptions = {},
  ): Promise<number> {
    const aside = `${ASIDE}${collection}:${++this.#imports}`
    const at = Math.round(this.#clock.now())
    const document = (into: string, row: ImportRow): NewDocument => {
      const text = 'text' in row ? row.text : toText(`document ${collection}/${row.key}`, row.value)
      return { collection: into, key: row.key, value: text, at }
    }
    const put = (documents: NewDocument[], moves: Move[] = []) => this.#clock.track(this.#enqueue(() => ({ rows: [], documents, moves })))
    let count = 0
    let some: NewDocument[] = []
    // One is being stored while the next is gathered; no more, so that others wait for one commit at most.
    let stored: Promise<unknown> = Promise.resolve()
    try {
      for await (const row of rows) {
        some.push(document(aside, row))
        count++
        if (some.length < IMPORT_DOCUMENTS) continue
        await stored
        stored = put(some)
        stored.catch(() => {})
        some = []
      }
      await stored
      const last = note?.(count)
      if (last) some.push(document(last.collection, last))
      await put(some, [{ from: aside, to: collection, replace }])
      return count
    } catch (error) {
      await put([], [{ from: aside, to: null, replace: false }]).catch(() => {})
      throw error
    }
  }

  #enqueue(make: () => Parcel): Promise<number[]> {
    return new Promise<number[]>((resolve, reject) => {
      if (this.#thread === undefined || this.#closing !== undefined) throw stopped()
      if (this.#waiting.length + (this.#flight?.items.length ?? 0) >= this.#bound || this.#waitingChars > MAX_WAITING_CHARS) {
        throw new LuongError('QUEUE_FULL', `journal: ${this.#bound} appends are waiting for the disk under ${this.#options.dir}`)
      }
      const { rows, documents, moves = [] } = make()
      const chars = rows.reduce((n, r) => n + r.text.length, 0) + documents.reduce((n, d) => n + (d.value?.length ?? 0), 0)
      this.#waiting.push({ rows, documents, moves, chars, since: performance.now(), resolve, reject })
      this.#waitingChars += chars
      this.#schedule()
    })
  }

  /** One batch is under way at a time; appends of the same turn of the event loop share the first. */
  #schedule(): void {
    if (this.#scheduled || this.#flight !== undefined) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    if (this.#thread === undefined || this.#flight !== undefined) return
    if (this.#waiting.length === 0 && this.#dirty.size === 0) {
      this.#drained?.()
      return
    }
    let count = 0
    let rows = 0
    while (count < this.#waiting.length && (count === 0 || rows + this.#waiting[count]!.rows.length <= MAX_BATCH_ROWS)) {
      rows += this.#waiting[count]!.rows.length
      count++
    }
    const items = this.#waiting.splice(0, count)
    const cursors = this.#dirty
    this.#dirty = new Map()
    this.#flight = { items, cursors, since: performance.now() }
    this.#thread.post({
      kind: 'batch',
      batch: {
        rows: items.flatMap((i) => i.rows),
        documents: items.flatMap((i) => i.documents),
        moves: items.flatMap((i) => i.moves ?? []),
        cursors: [...cursors],
      },
    })
  }

  #heard(message: FromWorker): void {
    if (message.kind === 'space') this.#space = message.space
    else if (message.kind === 'stored') this.#stored(message)
    else if (message.kind === 'refused') {
      this.#space = message.space
      this.#refused(new LuongError(message.error.code, message.error.message, { hint: message.error.hint }))
    }
  }

  #stored(message: FromWorker & { kind: 'stored' }): void {
    const flight = this.#land()
    const before = this.#head
    this.#head = message.head
    this.#bytes = message.bytes
    this.#space = message.space
    this.#commits++
    const now = performance.now()
    let sequence = before.sequence
    for (const item of flight?.items ?? []) {
      this.#durable.add(now - item.since)
      item.resolve(item.rows.filter((row) => row.type !== null).map(() => ++sequence))
    }
    if (message.head.sequence !== before.sequence) this.#commitListeners.emit(message.head)
    this.#flush()
  }

  #refused(error: LuongError): void {
    const flight = this.#land()
    for (const item of flight?.items ?? []) item.reject(error)
    for (const [target, sequence] of flight?.cursors ?? []) if (!this.#dirty.has(target)) this.#dirty.set(target, sequence)
    // What waits gets its own try; positions alone wait for the timer, so that a full disk is not asked in a loop.
    if (this.#waiting.length > 0) this.#flush()
    else if (this.#closing !== undefined) this.#drained?.()
    else if (this.#dirty.size > 0) this.#startCursorTimer()
  }

  #land(): Flight | undefined {
    const flight = this.#flight
    this.#flight = undefined
    for (const item of flight?.items ?? []) this.#waitingChars -= item.chars
    return flight
  }

  readonly #died = (error: LuongError): void => {
    this.#thread = undefined
    this.#space = { writable: false, why: error.message }
    const items = [...(this.#land()?.items ?? []), ...this.#waiting.splice(0)]
    this.#waitingChars = 0
    for (const item of items) item.reject(error)
    this.#drained?.()
  }

  head(): JournalHead {
    return this.#head
  }

  onCommit(fn: (head: JournalHead) => void): () => void {
    return this.#commitListeners.add(fn)
  }

  async cursor(target: string): Promise<number> {
    const known = this.#cursors.get(target)
    if (known !== undefined) return known
    const stored = await this.#ask<number>('cursor', target)
    return this.#cursors.get(target) ?? stored
  }

  setCursor(target: string, sequence: number): void {
    if (this.#cursors.get(target) === sequence) return
    this.#cursors.set(target, sequence)
    this.#dirty.set(target, sequence)
    this.#startCursorTimer()
  }

  #startCursorTimer(): void {
    this.#cursorTimer ??= setTimeout(() => {
      this.#cursorTimer = undefined
      if (this.#dirty.size > 0) this.#schedule()
    }, CURSOR_MS)
  }

  events(after: number, limit: number): Promise<StoredEvent[]> {
    return this.#ask('events', Math.max(0, after), Math.max(1, Math.min(limit, 10_000)))
  }
  hashOf(entry: number): Promise<string | null> {
    return this.#ask('hashOf', entry)
  }
  inputs(passage: string): Promise<StoredInput[]> {
    return this.#ask('inputs', passage)
  }
  passage(id: string): Promise<PassageRow | null> {
    return this.#ask('passage', id)
  }
  unfinished(): Promise<PassageRow[]> {
    return this.#ask('unfinished')
  }
  crossings(since: number): Promise<CrossingRow[]> {
    return this.#ask('crossings', since)
  }
  lastCrossed(direction: 'import' | 'export'): Promise<CrossingRow[]> {
    return this.#ask('lastCrossed', direction)
  }
  uses(since: number): Promise<UseRow[]> {
    return this.#ask('uses', since)
  }
  siteAlarms(): Promise<StoredEvent[]> {
    return this.#ask('siteAlarms')
  }
  deskEvents(): Promise<StoredEvent[]> {
    return this.#ask('deskEvents')
  }
  documents(collection: string): Promise<{ key: string; value: unknown; at: number }[]> {
    return this.#ask('documents', collection)
  }

  #ask<T>(name: Parameters<JournalThread['ask']>[0], ...args: (string | number)[]): Promise<T> {
    if (this.#thread === undefined) return Promise.reject(stopped())
    return this.#clock.track(this.#thread.ask<T>(name, args))
  }

  stats() {
    const slow = this.#flight !== undefined && performance.now() - this.#flight.since > SLOW_COMMIT_MS
    const space = slow ? { writable: false, why: `the disk under ${this.#options.dir} does not answer` } : this.#space
    return {
      waiting: this.#waiting.length + (this.#flight?.items.length ?? 0),
      bound: this.#bound,
      durable: this.#durable.percentiles(),
      commits: this.#commits,
      bytes: this.#bytes,
      ...space,
    }
  }

  /** Waits for what was appended, stores the cursors, frees the folder. Gives up after 10 s on a disk that hangs. */
  close(): Promise<void> {
    this.#closing ??= this.#shutDown()
    return this.#closing
  }

  async #shutDown(): Promise<void> {
    clearTimeout(this.#cursorTimer)
    await this.#opening?.catch(() => {})
    const thread = this.#thread
    if (thread === undefined) return
    const drained = new Promise<void>((resolve) => {
      this.#drained = resolve
      this.#schedule()
    })
    await withDeadline(systemClock, drained, CLOSE_MS, stopped).catch(() => {})
    this.#thread = undefined
    for (const item of [...(this.#land()?.items ?? []), ...this.#waiting.splice(0)]) item.reject(stopped())
    this.#space = { writable: false, why: 'closed' }
    await thread.stop()
  }
}

function stopped(): LuongError {
  return new LuongError('STOPPED', 'the journal is not open')
}
