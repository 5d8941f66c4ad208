/** What all UHF readers on a byte line have in common: asking, waiting within bounds, presences, health. Each protocol is a codec. */
import type { Timer } from '../gateway/kernel/clock.ts'
import { messageOf } from '../gateway/kernel/errors.ts'
import type { Device, DeviceHealth, DriverContext, Reader } from './driver.ts'
import { FrameCutter, type Framing } from './frame-cutter.ts'
import { HealthBox, RareLog } from './health.ts'
import { Presences, type Read } from './presences.ts'
import type { ByteTransport } from './transport/transport.ts'

/** What one frame from a reader means. */
export interface Heard {
  readonly tags: readonly Read[]
  /** More frames of this answer follow. */
  readonly more?: boolean
  /** The reader says that something is wrong with it; in words. */
  readonly trouble?: string
  /** An answer of another reader, or to another question: counted and ignored. */
  readonly foreign?: boolean
}

export interface TagProtocol<F> {
  readonly framing: Framing<F>
  hear(frame: F): Heard
  /** The next question; absent: the reader pushes what it sees. */
  ask?(): Uint8Array
  /** One question starts answers without end; asked again only when they stop coming. */
  readonly continuous?: boolean
  /** Sent at the end. */
  readonly bye?: Uint8Array
}

/** Settings that all UHF readers have. */
export interface TagSettings {
  readonly link: string
  readonly poll_ms: number
  readonly answer_ms: number
  /** Without a good frame for this long the reader is down; undefined: its silence means nothing. */
  readonly silent_ms?: number | undefined
  readonly hold_ms: number
  readonly min_rssi?: number | undefined
}

/** A frame that is not whole this long after it began is none: a false beginning must not hold back the good frames behind it. */
const WHOLE_MS = 400
const COUNTERS = ['frames', 'bad_frames', 'skipped_bytes', 'foreign', 'polls', 'timeouts', 'write_errors', 'reader_errors']

export class TagReader<F> implements Device {
  readonly id: string
  readonly tag: Reader
  readonly #settings: TagSettings
  readonly #context: DriverContext
  readonly #protocol: TagProtocol<F>
  readonly #line: ByteTransport
  readonly #cutter: FrameCutter<F>
  readonly #presences: Presences
  readonly #health = new HealthBox([...COUNTERS, 'reads', 'weak', 'presences', 'crowded'])
  readonly #log: RareLog
  #unsubscribe: (() => void)[] = []
  #poll: Timer | undefined
  #silence: Timer | undefined
  #gap: Timer | undefined
  /** Mono ms of the question that waits for its answer, or of the last frame of answers without end. */
  #asked: number | null = null
  /** Mono ms of the last good frame, or of the start. */
  #heardAt = 0

  constructor(settings: TagSettings, context: DriverContext, protocol: TagProtocol<F>) {
    this.id = context.id
    this.#settings = settings
    this.#context = context
    this.#protocol = protocol
    this.#line = context.bytes(settings.link)
    this.#cutter = new FrameCutter(protocol.framing)
    this.#presences = new Presences(context.clock, settings.hold_ms)
    this.#log = new RareLog(context.clock, context.log)
    this.tag = this.#presences
  }

  start(): void {
    if (this.#unsubscribe.length > 0) return
    this.#heardAt = this.#context.clock.mono()
    this.#watch()
    this.#unsubscribe = [this.#line.onData((bytes) => this.#take(bytes)), this.#line.onState((up, why) => this.#state(up, why))]
    if (this.#protocol.ask) this.#tick()
  }

  async stop(): Promise<void> {
    const running = this.#unsubscribe.length > 0
    for (const off of this.#unsubscribe) off()
    this.#unsubscribe = []
    this.#poll?.cancel()
    this.#silence?.cancel()
    this.#poll = undefined
    this.#silence = undefined
    this.#forget()
    this.#health.set('down', `${this.id}: stopped`)
    if (running && this.#protocol.bye && this.#line.up) await this.#line.write(this.#protocol.bye).catch(() => {})
  }

  health(): DeviceHealth {
    return this.#health.get()
  }

  onHealth(fn: (health: DeviceHealth) => void): () => void {
    return this.#health.on(fn)
  }

  /** Asks at each poll, unless the last answer is still waited for. */
  #tick(): void {
    const { poll_ms, answer_ms } = this.#settings
    const { clock } = this.#context
    this.#poll = clock.after(poll_ms, () => this.#tick())
    if (!this.#line.up) return
    if (this.#asked !== null) {
      if (clock.mono() - this.#asked < answer_ms) return
      this.#health.count('timeouts')
    }
    this.#asked = clock.mono()
    this.#health.count('polls')
    this.#line.write(this.#protocol.ask!()).catch((error) => {
      this.#health.count('write_errors')
      this.#log.warn({ why: messageOf(error) }, `${this.id}: the reader could not be asked`)
    })
  }

  #take(bytes: Uint8Array): void {
    const cut = this.#hear(() => this.#cutter.push(bytes))
    if (cut || this.#cutter.held === 0) {
      this.#gap?.cancel()
      this.#gap = undefined
    }
    if (this.#cutter.held === 0) return
    this.#gap ??= this.#context.clock.after(WHOLE_MS, () => {
      this.#gap = undefined
      this.#hear(() => this.#cutter.flush())
    })
  }

  /** Returns whether there was a good frame. */
  #hear(cut: () => readonly F[]): boolean {
    const { skipped, bad } = this.#cutter
    const frames = cut()
    for (const frame of frames) this.#frame(this.#protocol.hear(frame))
    this.#health.count('skipped_bytes', this.#cutter.skipped - skipped)
    this.#health.count('bad_frames', this.#cutter.bad - bad)
    if (this.#cutter.bad > bad)
      this.#log.warn({}, `${this.id}: bytes that are no good frame were ignored; check baud rate, cable and earth`)
    return frames.length > 0
  }

  #frame(heard: Heard): void {
    if (heard.foreign) {
      this.#health.count('foreign')
      return
    }
    const now = this.#context.clock.mono()
    this.#health.count('frames')
    this.#heardAt = now
    this.#watch()
    if (this.#protocol.continuous || heard.more) this.#asked = now
    else this.#asked = null
    for (const read of heard.tags) this.#read(read)
    if (heard.trouble === undefined) {
      this.#health.set('ok')
      return
    }
    this.#health.count('reader_errors')
    this.#health.set('degraded', `${this.id}: ${heard.trouble}`)
    this.#log.warn({}, `${this.id}: ${heard.trouble}`)
  }

  #read(read: Read): void {
    const { min_rssi } = this.#settings
    this.#health.count('reads')
    if (min_rssi !== undefined && read.rssi !== null && read.rssi < min_rssi) {
      this.#health.count('weak')
      return
    }
    const { crowded } = this.#presences
    if (this.#presences.see(read)) this.#health.count('presences')
    this.#health.count('crowded', this.#presences.crowded - crowded)
  }

  #state(up: boolean, why: string | undefined): void {
    if (up) {
      if (!this.#protocol.ask && this.#settings.silent_ms === undefined) this.#health.set('ok')
      return
    }
    this.#forget()
    this.#health.set('down', `${this.id}: ${this.#line.name} is not connected${why === undefined ? '' : ` (${why})`}`)
  }

  /** One timer for any number of frames: when it fires it looks how long ago the last one really was. */
  #watch(): void {
    const { silent_ms } = this.#settings
    if (silent_ms === undefined || this.#silence !== undefined) return
    const left = this.#heardAt + silent_ms - this.#context.clock.mono()
    this.#silence = this.#context.clock.after(Math.max(1, left), () => {
      this.#silence = undefined
      if (this.#heardAt + silent_ms > this.#context.clock.mono()) {
        this.#watch()
        return
      }
      this.#presences.clear()
      const hint = 'check its power, cable, baud rate and address'
      if (this.#line.up) this.#health.set('down', `${this.id}: nothing heard from the reader for ${silent_ms / 1_000} s; ${hint}`)
    })
  }

  #forget(): void {
    this.#asked = null
    this.#gap?.cancel()
    this.#gap = undefined
    this.#cutter.reset()
    this.#presences.clear()
  }
}
