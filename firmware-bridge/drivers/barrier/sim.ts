/**
 * An arm on the terminals of a simulated board: reacts to its relays as an operator's OPEN, CLOSE and STOP contacts do, takes its
 * time, and drives the limit contacts. It has no reflexes of its own: no auto-reverse, so that a close that should not
 * have been sent is seen.
 */
import type { Timer } from '../../../gateway/kernel/clock.ts'
import { Listeners } from '../../../gateway/kernel/listeners.ts'
import type { SimArm, SimContext, SimDevice } from '../../sim.ts'
import { simTerminal } from '../../sim-terminal.ts'
import type { Settings } from './schema.ts'

export function createBarrierSim(settings: Settings, context: SimContext): SimDevice {
  return new BarrierSim(settings, context)
}

class BarrierSim implements SimDevice {
  readonly id: string
  readonly arm: SimArm
  readonly #settings: Settings
  readonly #context: SimContext
  readonly #moves = new Listeners<[number]>()
  #wires: (() => void)[] = []
  #jammed = false
  /** -1 down, 0 standing, 1 up. */
  #direction: -1 | 0 | 1 = 0
  /** Where the motor pulls to; kept while jammed. */
  #target: 0 | 1 | undefined
  #from = 0
  #since = 0
  #timer: Timer | undefined

  constructor(settings: Settings, context: SimContext) {
    this.id = context.id
    this.#settings = settings
    this.#context = context
    const opening = () => this.#opening()
    this.arm = {
      get opening() {
        return opening()
      },
      onMove: (fn) => this.#moves.add(fn),
      jam: (on) => this.#jam(on),
    }
  }

  start(): void {
    const { kind, open, close, stop } = this.#settings
    if (kind === 'hold') {
      this.#wire(open, (on) => this.#drive(on ? 1 : 0))
      if (this.#level(open)) this.#drive(1)
    } else {
      this.#wire(open, (on) => on && this.#drive(1))
      // Open wins over close, as the operators' manuals have it.
      if (close !== undefined) this.#wire(close, (on) => on && !this.#level(open) && this.#drive(0))
    }
    if (stop !== undefined) this.#wire(stop, (on) => on && this.#drive(undefined))
    this.#limits()
  }

  async stop(): Promise<void> {
    for (const off of this.#wires) off()
    this.#wires = []
    this.#halt()
  }

  #wire(ref: string, fn: (on: boolean) => void): void {
    this.#wires.push(simTerminal(this.#context, ref).onLevel(fn))
  }

  #level(ref: string): boolean {
    return simTerminal(this.#context, ref).level()
  }

  #opening(): number {
    if (this.#direction === 0) return this.#from
    const gone = (this.#context.clock.mono() - this.#since) / this.#settings.travel_ms
    return Math.min(1, Math.max(0, this.#from + this.#direction * gone))
  }

  /** The motor pulls to `target`; undefined: it stands. */
  #drive(target: 0 | 1 | undefined): void {
    this.#target = target
    if (this.#jammed) return
    const was = this.#direction
    this.#halt()
    if (target !== undefined && target !== this.#from) {
      this.#direction = target === 1 ? 1 : -1
      this.#since = this.#context.clock.mono()
      const ms = Math.abs(target - this.#from) * this.#settings.travel_ms
      this.#timer = this.#context.clock.after(ms, () => {
        this.#timer = undefined
        this.#direction = 0
        this.#from = target
        this.#report()
      })
    }
    if (was !== this.#direction) this.#report()
  }

  #halt(): void {
    this.#from = this.#opening()
    this.#direction = 0
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #jam(on: boolean): void {
    if (on === this.#jammed) return
    this.#jammed = on
    if (on) this.#halt()
    else this.#drive(this.#target)
  }

  #report(): void {
    this.#limits()
    this.#moves.emit(this.#opening())
  }

  #limits(): void {
    if (this.#jammed) return
    const at = this.#direction === 0 ? this.#opening() : 0.5
    this.#contact(this.#settings.open_limit, at === 1)
    this.#contact(this.#settings.closed_limit, at === 0)
  }

  #contact(ref: string | undefined, on: boolean): void {
    if (ref !== undefined) simTerminal(this.#context, ref).set(on)
  }
}
