/** A weighbridge indicator of the XK3190 family. Weights are what the indicator shows; the raw frame goes with each, for the record. */
import type { Timer } from '../../../gateway/kernel/clock.ts'
import { messageOf } from '../../../gateway/kernel/errors.ts'
import { Listeners } from '../../../gateway/kernel/listeners.ts'
import type { Device, DeviceHealth, DriverContext, Scale, Weight } from '../../driver.ts'
import { HealthBox, RareLog } from '../../health.ts'
import type { ByteTransport } from '../../transport/transport.ts'
import { type Cut, encodeCommand, FrameCutter, kilograms } from './codec.ts'
import type { Settings } from './schema.ts'
import { Stability } from './stability.ts'

export function createXk3190(settings: Settings, context: DriverContext): Device {
  return new Xk3190(settings, context)
}

class Xk3190 implements Device {
  readonly id: string
  readonly scale: Scale
  readonly #settings: Settings
  readonly #context: DriverContext
  readonly #line: ByteTransport
  readonly #cutter: FrameCutter
  readonly #stability: Stability
  readonly #weights = new Listeners<[Weight | null]>()
  readonly #health = new HealthBox(['frames', 'check_errors', 'unreadable', 'foreign', 'skipped_bytes', 'stale', 'polls', 'write_errors'])
  readonly #log: RareLog
  #unsubscribe: (() => void)[] = []
  #weight: Weight | null = null
  #stale: Timer | undefined
  #poll: Timer | undefined
  /** Mono ms of the last good frame, or of the start. */
  #goodAt = 0

  constructor(settings: Settings, context: DriverContext) {
    this.id = context.id
    this.#settings = settings
    this.#context = context
    this.#line = context.bytes(settings.link)
    this.#cutter = new FrameCutter(settings.mode === 'continuous' ? 'continuous' : 'reply')
    this.#stability = new Stability({ divisionKg: settings.division_kg, stableMs: settings.stable_ms, readings: settings.stable_readings })
    this.#log = new RareLog(context.clock, context.log)
    this.scale = { read: () => this.#read(), onWeight: (fn) => this.#weights.add(fn) }
  }

  start(): void {
    if (this.#unsubscribe.length > 0) return
    this.#goodAt = this.#context.clock.mono()
    this.#watch(this.#settings.stale_ms)
    this.#unsubscribe = [this.#line.onData((bytes) => this.#take(bytes)), this.#line.onState((up, why) => this.#state(up, why))]
    if (this.#settings.mode === 'command') this.#ask()
  }

  async stop(): Promise<void> {
    for (const off of this.#unsubscribe) off()
    this.#unsubscribe = []
    this.#stale?.cancel()
    this.#poll?.cancel()
    this.#stale = undefined
    this.#poll = undefined
    this.#cutter.reset()
    this.#forget()
    this.#health.set('down', `${this.id}: stopped`)
  }

  health(): DeviceHealth {
    return this.#health.get()
  }

  onHealth(fn: (health: DeviceHealth) => void): () => void {
    return this.#health.on(fn)
  }

  #read(): Weight | null {
    // A timer that is late must not make an old weight look fresh.
    return this.#weight !== null && this.#context.clock.mono() - this.#weight.at >= this.#settings.stale_ms ? null : this.#weight
  }

  #take(bytes: Uint8Array): void {
    const at = this.#context.clock.mono()
    const before = this.#cutter.skipped
    for (const cut of this.#cutter.push(bytes)) this.#frame(cut, at)
    this.#health.count('skipped_bytes', this.#cutter.skipped - before)
  }

  #frame({ raw, decoded }: Cut, at: number): void {
    const hex = Buffer.from(raw).toString('hex').toUpperCase()
    if ('bad' in decoded) {
      this.#health.count('check_errors')
      this.#log.warn({ frame: hex }, `${this.id}: a frame with a wrong check was ignored; check baud rate, cable and earth`)
      return
    }
    if ('unreadable' in decoded) {
      this.#health.count('unreadable')
      this.#log.warn({ frame: hex }, `${this.id}: the indicator sends no number; look at its display`)
      this.#health.set('degraded', `${this.id}: the indicator sends no number; look at its display`)
      this.#forget()
      return
    }
    if (decoded.address !== undefined && (decoded.address !== this.#settings.address || decoded.command !== 'B')) {
      this.#health.count('foreign')
      return
    }
    this.#health.count('frames')
    this.#goodAt = at
    if (this.#stale === undefined) this.#watch(this.#settings.stale_ms)
    const kg = kilograms(decoded.shown, this.#settings.unit)
    const overload = kg > this.#settings.capacity_kg
    this.#weight = { kg, stable: this.#stability.take(kg, at) && !overload, overload, at, raw: hex }
    this.#health.set('ok')
    this.#weights.emit(this.#weight)
  }

  #state(up: boolean, why: string | undefined): void {
    if (up) return
    this.#cutter.reset()
    this.#health.set('down', `${this.id}: ${this.#line.name} is not connected${why === undefined ? '' : ` (${why})`}`)
    this.#forget()
  }

  /** One timer for any number of frames: when it fires it looks how old the last one really is. */
  #watch(ms: number): void {
    this.#stale = this.#context.clock.after(ms, () => {
      this.#stale = undefined
      const left = this.#goodAt + this.#settings.stale_ms - this.#context.clock.mono()
      if (left > 0) {
        this.#watch(left)
        return
      }
      this.#health.count('stale')
      const hint = 'check its power, cable, baud rate and that its output mode is'
      if (this.#line.up)
        this.#health.set('down', `${this.id}: no weight for ${this.#settings.stale_ms / 1_000} s; ${hint} ${this.#settings.mode}`)
      this.#forget()
    })
  }

  #forget(): void {
    this.#stability.reset()
    if (this.#weight === null) return
    this.#weight = null
    this.#weights.emit(null)
  }

  /** Asks for the gross weight, again and again. A reply is recognised by its address and command, whenever it comes. */
  #ask(): void {
    this.#poll = this.#context.clock.after(this.#settings.poll_ms, () => this.#ask())
    if (!this.#line.up) return
    this.#health.count('polls')
    this.#line.write(encodeCommand(this.#settings.address, 'B')).catch((error) => {
      this.#health.count('write_errors')
      this.#log.warn({ why: messageOf(error) }, `${this.id}: the indicator could not be asked`)
    })
  }
}
