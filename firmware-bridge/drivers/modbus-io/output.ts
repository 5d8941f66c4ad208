/** One relay of a board: switching, pulsing, and knowing what it ought to be. */
import type { Clock, Timer } from '../../../gateway/kernel/clock.ts'
import { LuongError, messageOf } from '../../../gateway/kernel/errors.ts'
import type { CommandOptions, OutputPoint } from '../../driver.ts'
import type { WriteRequest } from '../../modbus/master.ts'
import { pulseRequest, setRequest } from './codec.ts'
import type { Profile } from './profiles.ts'

export interface RelayOptions {
  readonly ref: string
  readonly index: number
  readonly profile: Profile
  readonly inverted: boolean
  readonly clock: Clock
  /** Puts a write on the bus. */
  readonly write: (request: WriteRequest, command: CommandOptions) => Promise<unknown>
  /** Called when switching off at the end of a pulse failed. */
  readonly onTrouble: (why: string) => void
}

/** A write that ends a pulse may wait this long for the bus before it is tried again, ms. */
const OFF_MS = 1_000
/** The pulse longer than any barrier wants, ms. */
const MAX_PULSE_MS = 600_000

export class Relay implements OutputPoint {
  readonly ref: string
  readonly #o: RelayOptions
  /** Counts commands: what an older one still wanted to do is void. */
  #generation = 0
  #wanted: boolean | null = null
  /** From when on the relay must be as wanted. */
  #settledAt = 0
  #offTimer: Timer | undefined
  #stopped = true

  constructor(options: RelayOptions) {
    this.ref = options.ref
    this.#o = options
  }

  start(): void {
    this.#stopped = false
  }

  /** Ends a pulse that the gateway times at once, as far as the bus still takes it. */
  async stop(): Promise<void> {
    const pending = this.#offTimer
    this.#stopped = true
    pending?.cancel()
    this.#offTimer = undefined
    if (!pending) return
    await this.#send(false, { deadline: this.#o.clock.mono() + OFF_MS }).catch((error) => this.#o.onTrouble(messageOf(error)))
  }

  async set(on: boolean, options: CommandOptions): Promise<void> {
    this.#begin()
    await this.#send(on, options)
    this.#want(on)
  }

  async pulse(ms: number, options: CommandOptions): Promise<void> {
    if (!(ms > 0 && ms <= MAX_PULSE_MS)) throw new LuongError('DEVICE_REFUSED', `${this.ref}: a pulse of ${ms} ms is not possible`)
    const mine = this.#begin()
    // A board's own pulse ends with the contact open, so an inverted output cannot use it.
    const byBoard = this.#o.inverted ? null : pulseRequest(this.#o.profile, this.#o.index, ms)
    if (byBoard) {
      await this.#o.write(byBoard.request, options)
      if (mine === this.#generation) this.#want(false, byBoard.ms)
      return
    }
    try {
      await this.#send(true, options)
    } catch (error) {
      // The relay may be on although nobody confirmed it.
      if (mine === this.#generation && mayHaveArrived(error)) this.#endPulse(mine, ms)
      throw error
    }
    if (mine === this.#generation) this.#endPulse(mine, ms)
  }

  /** What a read-back says. Returns words when the relay is not as it was last commanded. */
  compare(on: boolean, at: number): string | undefined {
    const is = on !== this.#o.inverted
    if (this.#wanted === null || this.#offTimer || at < this.#settledAt || is === this.#wanted) return undefined
    return `${this.ref} is ${is ? 'on' : 'off'} although it was switched ${this.#wanted ? 'on' : 'off'}; does something else switch it?`
  }

  #begin(): number {
    this.#offTimer?.cancel()
    this.#offTimer = undefined
    this.#wanted = null
    return ++this.#generation
  }

  #send(on: boolean, options: CommandOptions): Promise<unknown> {
    return this.#o.write(setRequest(this.#o.profile, this.#o.index, on !== this.#o.inverted), options)
  }

  #want(on: boolean, inMs = 0): void {
    this.#wanted = on
    // Boards end their pulses by their own clock; allow it some room.
    this.#settledAt = this.#o.clock.mono() + inMs * 1.1 + 100
  }

  /** Switches off after `ms`, again and again until the board confirmed it or a newer command came. */
  #endPulse(mine: number, ms: number): void {
    if (this.#stopped) return
    this.#offTimer = this.#o.clock.after(ms, () => {
      this.#send(false, { deadline: this.#o.clock.mono() + OFF_MS }).then(
        () => {
          if (mine !== this.#generation) return
          this.#offTimer = undefined
          this.#want(false)
        },
        (error) => {
          if (mine !== this.#generation || this.#stopped) return
          this.#o.onTrouble(`${this.ref} could not be switched off after its pulse: ${messageOf(error)}`)
          this.#endPulse(mine, 250)
        },
      )
    })
  }
}

/** Whether the device may have carried out a write that failed. */
const mayHaveArrived = (error: unknown) =>
  error instanceof LuongError && ['DEVICE_TIMEOUT', 'FRAME_INVALID', 'LINK_DOWN'].includes(error.code)
