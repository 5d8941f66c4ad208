/** Blueprint, step 3: the driver. The constructor does nothing to the wire, `start` listens, `stop` settles; starting switches nothing. */
import { type Timer, withDeadline } from '../../../gateway/kernel/clock.ts'
import { LuongError } from '../../../gateway/kernel/errors.ts'
import type { CommandOptions, Device, DeviceHealth, DriverContext, OutputPoint, Points } from '../../driver.ts'
import { HealthBox } from '../../health.ts'
import { InputCell } from '../../input-cell.ts'
import type { ByteTransport } from '../../transport/transport.ts'
import { encode, type Line, LineCutter } from './codec.ts'
import type { Settings } from './schema.ts'

export function createBlueprint(settings: Settings, context: DriverContext): Device {
  return new Blueprint(settings, context)
}

class Blueprint implements Device {
  readonly id: string
  readonly points: Points
  readonly #settings: Settings
  readonly #context: DriverContext
  readonly #line: ByteTransport
  readonly #input: InputCell
  readonly #cutter = new LineCutter()
  readonly #health = new HealthBox(['lines', 'bad_lines', 'commands', 'timeouts'])
  #unsubscribe: (() => void)[] = []
  #off: Timer | undefined
  /** Commands run one after the other: an echo says nothing about which of two it answers. */
  #tail: Promise<unknown> = Promise.resolve()
  #echo: ((on: boolean) => void) | undefined

  constructor(settings: Settings, context: DriverContext) {
    this.id = context.id
    this.#settings = settings
    this.#context = context
    this.#line = context.bytes(settings.link)
    this.#input = new InputCell(`${this.id}.di1`, context.clock, settings.stale_ms)
    const relay: OutputPoint = {
      ref: `${this.id}.do1`,
      set: (on, options) => this.#set(on, options),
      pulse: (ms, options) => this.#pulse(ms, options),
    }
    this.points = { inputs: new Map([['di1', this.#input]]), outputs: new Map([['do1', relay]]) }
  }

  start(): void {
    if (this.#unsubscribe.length > 0) return
    this.#unsubscribe = [
      this.#line.onData((bytes) => this.#take(bytes)),
      this.#line.onState((up) => up || this.#input.forget()),
      this.#input.onChange(() => this.#look()),
    ]
    this.#look()
  }

  async stop(): Promise<void> {
    // A pulse that runs is ended now: nobody would end it later.
    if (this.#off) await this.#set(false, { deadline: this.#context.clock.mono() + this.#settings.timeout_ms }).catch(() => {})
    await this.#tail
    for (const off of this.#unsubscribe) off()
    this.#unsubscribe = []
    this.#input.forget()
    this.#health.set('down', `${this.id}: stopped`)
  }

  health(): DeviceHealth {
    return this.#health.get()
  }

  onHealth(fn: (health: DeviceHealth) => void): () => void {
    return this.#health.on(fn)
  }

  #take(bytes: Uint8Array): void {
    const bad = this.#cutter.bad
    for (const line of this.#cutter.push(bytes)) this.#heard(line)
    this.#health.count('bad_lines', this.#cutter.bad - bad)
  }

  #heard({ point, on }: Line): void {
    this.#health.count('lines')
    if (point === 'input') this.#input.confirm(on, this.#context.clock.mono())
    else this.#echo?.(on)
  }

  #look(): void {
    if (!this.#line.up) this.#health.set('down', `${this.id}: ${this.#line.name} is not connected`)
    else if (this.#input.read().value === null) this.#health.set('degraded', `${this.id}: no report from the device; check power and cable`)
    else this.#health.set('ok')
  }

  #set(on: boolean, options: CommandOptions): Promise<void> {
    this.#off?.cancel()
    this.#off = undefined
    return this.#queue(on, options)
  }

  async #pulse(ms: number, options: CommandOptions): Promise<void> {
    const { clock } = this.#context
    this.#off?.cancel()
    // This device cannot time a pulse. It may be on even when its echo was lost, so it is switched off in any case.
    const off = () => {
      this.#set(false, { deadline: clock.mono() + this.#settings.timeout_ms }).catch(() => {
        if (this.#unsubscribe.length > 0) this.#off ??= clock.after(ms, off)
      })
    }
    this.#off = clock.after(ms, off)
    await this.#queue(true, options)
  }

  #queue(on: boolean, options: CommandOptions): Promise<void> {
    const work = this.#tail.then(() => this.#send(on, options))
    this.#tail = work.catch(() => {})
    return work
  }

  async #send(on: boolean, { deadline, guard }: CommandOptions): Promise<void> {
    const { clock } = this.#context
    const ref = `${this.id}.do1`
    if (this.#unsubscribe.length === 0) throw new LuongError('STOPPED', `${ref}: the device is stopped`)
    if (clock.mono() >= deadline) throw new LuongError('COMMAND_EXPIRED', `${ref}: the command waited too long and was not sent`)
    if (guard?.() === false) throw new LuongError('DEVICE_REFUSED', `${ref}: the command was withdrawn before it was sent`)
    this.#health.count('commands')
    const echoed = new Promise<void>((resolve) => {
      this.#echo = (echo) => echo === on && resolve()
    })
    const work = Promise.all([this.#line.write(encode({ point: 'output', on })), echoed])
    try {
      await withDeadline(clock, work, this.#settings.timeout_ms, () => {
        this.#health.count('timeouts')
        return new LuongError('DEVICE_TIMEOUT', `${ref}: no echo within ${this.#settings.timeout_ms} ms`)
      })
    } finally {
      this.#echo = undefined
    }
  }
}
