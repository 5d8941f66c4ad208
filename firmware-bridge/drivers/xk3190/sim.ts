/**
 * The indicator's end: sends ten frames a second, or answers commands. The shown weight follows the load with a short ramp and,
 * while it moves, the sway of a truck; it is rounded to the division as the indicator does.
 */
import type { Timer } from '../../../gateway/kernel/clock.ts'
import type { SimContext, SimDevice, SimFault } from '../../sim.ts'
import { SimWire } from '../../sim-wire.ts'
import { decodeCommand, encodeContinuous, encodeReply, STX } from './codec.ts'
import type { Settings } from './schema.ts'

const FRAME_MS = 100
/** Time in which the platform takes up a change of load. */
const SETTLE_MS = 1_200

export interface Xk3190Sim extends SimDevice {
  readonly scale: { setLoad(kg: number): void }
  fault(kind: SimFault): void
}

export function createXk3190Sim(settings: Settings, context: SimContext): Xk3190Sim {
  return new Indicator(settings, context)
}

class Indicator implements Xk3190Sim {
  readonly id: string
  readonly scale = { setLoad: (kg: number) => this.#setLoad(kg) }
  readonly #settings: Settings
  readonly #context: SimContext
  #timer: Timer | undefined
  readonly #wire: SimWire
  #off = () => {}
  #from = 0
  #load = 0
  #since = Number.NEGATIVE_INFINITY
  #heard: Uint8Array = new Uint8Array(0)

  constructor(settings: Settings, context: SimContext) {
    this.id = context.id
    this.#settings = settings
    this.#context = context
    this.#wire = new SimWire(context.clock, () => context.line(settings.link))
  }

  start(): void {
    const line = this.#context.line(this.#settings.link)
    if (this.#settings.mode === 'command') this.#off = line.onData((bytes) => this.#hear(bytes))
    else this.#tick()
  }

  async stop(): Promise<void> {
    this.#off()
    this.#timer?.cancel()
    this.#timer = undefined
    this.#wire.stop()
  }

  fault(kind: SimFault): void {
    this.#wire.fault = kind
  }

  #setLoad(kg: number): void {
    this.#from = this.#kg()
    this.#load = kg
    this.#since = this.#context.clock.mono()
  }

  /** Ramp plus a sway that dies away while the platform settles. */
  #kg(): number {
    const passed = Math.min(1, (this.#context.clock.mono() - this.#since) / SETTLE_MS)
    if (passed >= 1) return this.#load
    const step = this.#load - this.#from
    return this.#from + step * passed + Math.sin(passed * 40) * 0.02 * step * (1 - passed)
  }

  #shown(): { digits: number; decimals: number } {
    const { division_kg: d, unit } = this.#settings
    const kg = Math.round(this.#kg() / d) * d
    const decimals = unit === 't' ? 3 : d < 1 ? 2 : 0
    const digits = Math.round((unit === 't' ? kg / 1_000 : kg) * 10 ** decimals)
    return { digits: Math.max(-999_999, Math.min(999_999, digits)), decimals }
  }

  #tick(): void {
    this.#timer = this.#context.clock.after(FRAME_MS, () => this.#tick())
    this.#send(encodeContinuous(this.#shown()))
  }

  /** Commands are six bytes from an STX; anything else on the line is not for this indicator. */
  #hear(bytes: Uint8Array): void {
    const all = Buffer.concat([this.#heard, bytes])
    let at = all.indexOf(STX)
    while (at >= 0 && all.length - at >= 6) {
      const command = decodeCommand(all.subarray(at, at + 6))
      if (command?.address === this.#settings.address && command.command === 'B') {
        this.#send(encodeReply(command.address, 'B', this.#shown()))
      }
      at = all.indexOf(STX, at + (command === null ? 1 : 6))
    }
    this.#heard = at < 0 ? new Uint8Array(0) : Uint8Array.from(all.subarray(at))
  }

  #send(frame: Uint8Array): void {
    if (this.#wire.fault !== 'exception') this.#wire.send(frame)
  }
}
