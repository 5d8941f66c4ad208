/** What the uplink tests share: an event source in memory, consumers, waiting. */
import { connect, type MqttClient } from 'mqtt'
import type { JournalHead, StoredEvent } from '../../../gateway/journal/journal.ts'
import { Listeners } from '../../../gateway/kernel/listeners.ts'
import type { Log } from '../../../gateway/kernel/log.ts'
import type { Parked, ParkedStore } from '../../../gateway/uplink/parked.ts'
import type { EventSource } from '../../../gateway/uplink/publisher.ts'

export const BASE = { root: 'luong/v1', site: 'kim-thanh' } as const

/** Waits until `condition` holds; fails after a generous time with what `state` says. */
export async function until(condition: () => boolean, state: () => unknown = () => '', ms = 30_000): Promise<void> {
  const deadline = performance.now() + ms
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited ${ms} ms in vain: ${condition} ${JSON.stringify(state())}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** The part of the journal a publisher uses. Remembers how many events were handed out at most at once. */
export class MemorySource implements EventSource {
  readonly cursors = new Map<string, number>()
  readonly #events: StoredEvent[] = []
  readonly #commit = new Listeners<[JournalHead]>()
  /** Largest answer to `events`. */
  largest = 0
  #last = 0
  /** Leaves out so many numbers. */
  skip(count: number): void {
    this.#last += count
  }
  add(count: number, pad = 0): void {
    for (let i = 0; i < count; i++) {
      const sequence = ++this.#last
      const lane = sequence % 7 === 0 ? null : `import-${sequence % 3}`
      const json = JSON.stringify({ id: `kim-thanh:${sequence}`, sequence: String(sequence), lane, data: 'x'.repeat(pad) })
      this.#events.push({ sequence, type: 'luong.passage.cleared.v1', lane, passage: null, at: 1, json })
    }
    this.#commit.emit(this.head())
  }
  head(): JournalHead {
    return { sequence: this.#events.at(-1)?.sequence ?? 0, entry: this.#events.length, hash: '' }
  }
  async events(after: number, limit: number): Promise<StoredEvent[]> {
    let from = Math.min(after, this.#events.length)
    while (from > 0 && this.#events[from - 1]!.sequence > after) from--
    const found = this.#events.slice(from, from + limit)
    this.largest = Math.max(this.largest, found.length)
    return found
  }
  onCommit(fn: (head: JournalHead) => void): () => void {
    return this.#commit.add(fn)
  }
  async cursor(target: string): Promise<number> {
    return this.cursors.get(target) ?? 0
  }
  setCursor(target: string, sequence: number): void {
    this.cursors.set(target, sequence)
  }
}

export class MemoryParked implements ParkedStore {
  readonly rows = new Map<number, Parked>()
  async load() {
    return [...this.rows.values()]
  }
  async put(parked: Parked) {
    this.rows.set(parked.sequence, parked)
  }
  async delete(sequence: number) {
    this.rows.delete(sequence)
  }
}

/** Collects what is logged. */
export class TestLog implements Log {
  readonly lines: { level: string; fields: Record<string, unknown>; message: string }[] = []
  #add(level: string) {
    return (fields: object, message: string) => {
      this.lines.push({ level, fields: { ...fields }, message })
    }
  }
  debug = this.#add('debug')
  info = this.#add('info')
  warn = this.#add('warn')
  error = this.#add('error')
  child() {
    return this
  }
}

/** A consumer of events as the documentation tells them to be: in order of arrival, with what it saw of each sequence. */
export class Consumer {
  readonly arrivals: { sequence: number; lane: string | null; text: string; topic: string }[] = []
  readonly texts = new Map<number, string>()
  /** Sequences that came twice with other bytes: must stay empty. */
  readonly changed: number[] = []
  /** A sequence that skips one: what a consumer takes for a loss. */
  gaps: { expected: number; got: number }[] = []
  #next = 1
  #asked = 0
  onGap: (expected: number) => void = () => {}
  take(topic: string, payload: Buffer): void {
    const text = payload.toString()
    const event = JSON.parse(text) as { sequence: string; lane: string | null }
    const sequence = Number(event.sequence)
    const before = this.texts.get(sequence)
    if (before !== undefined && before !== text) this.changed.push(sequence)
    this.texts.set(sequence, text)
    this.arrivals.push({ sequence, lane: event.lane, text, topic })
    if (sequence > this.#next) {
      this.gaps.push({ expected: this.#next, got: sequence })
      // Once for each loss: asking at every message that follows would start the stream over and over.
      if (this.#asked !== this.#next) this.onGap(this.#next)
      this.#asked = this.#next
    }
    while (this.texts.has(this.#next)) this.#next++
  }
  /** All sequences 1…n without a hole. */
  get complete(): number {
    return this.#next - 1
  }
  get duplicates(): number {
    return this.arrivals.length - this.texts.size
  }
}

/** A plain mqtt.js client of a test; reconnects quickly, subscribes once connected. */
export function client(
  url: string,
  options: { username?: string; password?: string; id?: string; clean?: boolean; protocolVersion?: 4 | 5 } = {},
): MqttClient {
  return connect(url, {
    clientId: options.id ?? `test-${Math.random().toString(36).slice(2, 10)}`,
    clean: options.clean ?? true,
    protocolVersion: options.protocolVersion ?? 4,
    reconnectPeriod: 50,
    connectTimeout: 5_000,
    ...(options.username === undefined ? {} : { username: options.username, password: options.password ?? '' }),
  })
}
