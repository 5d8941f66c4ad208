/** One relay with a command topic: commands are never retained, and count as done when the device's state says so. */
import { type Clock, type Timer, withDeadline } from '../../../gateway/kernel/clock.ts'
import { LuongError } from '../../../gateway/kernel/errors.ts'
import type { CommandOptions, OutputPoint } from '../../driver.ts'
import type { HealthBox } from '../../health.ts'
import type { MessageTransport } from '../../transport/transport.ts'
import { pulsePayload, type Switched } from './codec.ts'

/** Commands on one relay that wait for their confirmation; more are refused. */
const MAX_WAITING = 8
/** A relay that could not be switched off after a pulse is tried again after this long. */
const OFF_RETRY_MS = 500

export interface OutputParts {
  readonly ref: string
  readonly topics: Switched
  readonly link: MessageTransport
  readonly clock: Clock
  readonly health: HealthBox
  readonly confirmMs: number
  /** Why the device cannot be reached now; undefined when it can. */
  readonly away: () => string | undefined
}

export class MqttOutput implements OutputPoint {
  readonly ref: string
  readonly #parts: OutputParts
  readonly #waiting = new Set<{ wanted: boolean; done: () => void }>()
  /** What the device said since it was last seen coming; null when it said nothing. */
  #state: boolean | null = null
  /** Mono ms at which a pulse timed by the device is over: from then on `on` is not believed without its word. */
  #onUntil = Number.POSITIVE_INFINITY
  /** Set while a pulse timed here has still to be ended. */
  #off: Timer | undefined
  #offDue = false

  constructor(parts: OutputParts) {
    this.ref = parts.ref
    this.#parts = parts
  }

  async set(on: boolean, options: CommandOptions): Promise<void> {
    const { topic, on: onText, off: offText } = this.#parts.topics
    await this.#send(topic, on ? onText : offText, on, options, () => {
      this.#endPulse()
      this.#onUntil = Number.POSITIVE_INFINITY
    })
  }

  async pulse(ms: number, options: CommandOptions): Promise<void> {
    const { topic, on, pulse } = this.#parts.topics
    if (pulse) {
      return this.#send(pulse.topic, pulsePayload(pulse.payload, ms), true, options, () => {
        this.#endPulse()
        this.#onUntil = this.#parts.clock.mono() + ms
      })
    }
    return this.#send(topic, on, true, options, () => this.#offAfter(ms))
  }

  /** The device's own word. */
  heard(on: boolean): void {
    this.#state = on
    for (const waiter of [...this.#waiting]) if (waiter.wanted === on) waiter.done()
  }

  /** Link or device went away. */
  forget(): void {
    this.#state = null
  }

  /** Ends a pulse now that would have ended later: the gateway stops. Settles within the time to confirm. */
  async finish(): Promise<void> {
    if (this.#offDue) await this.#switchOff(false)
    this.#endPulse()
  }

  /** Checks and hands over in one turn. `sent` is called once the message may be on its way. */
  async #send(topic: string, payload: string, wanted: boolean, options: CommandOptions, sent: () => void): Promise<void> {
    const { ref, link, clock, health, confirmMs } = this.#parts
    if (clock.mono() >= options.deadline) throw new LuongError('COMMAND_EXPIRED', `${ref}: the command was too old to be sent`)
    const away = this.#parts.away()
    if (away !== undefined) throw new LuongError('LINK_DOWN', `${ref}: ${away}`)
    if (this.#waiting.size >= MAX_WAITING) throw new LuongError('QUEUE_FULL', `${ref}: ${MAX_WAITING} commands already wait for an answer`)
    if (options.guard?.() === false) throw new LuongError('DEVICE_REFUSED', `${ref}: the command was withdrawn before it was sent`)
    // Some devices do not repeat a state they are already in; then the broker's acknowledgement has to do.
    const state = this.#state && clock.mono() >= this.#onUntil ? null : this.#state
    const confirmed = this.#parts.topics.state === undefined || state === wanted ? undefined : this.#expect(wanted)
    health.count('commands')
    sent()
    const work = Promise.all([link.publish(topic, payload, { qos: 1, retain: false }), confirmed?.promise])
    try {
      await withDeadline(clock, work, confirmMs, () => {
        health.count('confirm_timeouts')
        return new LuongError('DEVICE_TIMEOUT', `${ref}: not confirmed within ${confirmMs} ms after it was sent to ${topic}`)
      })
    } finally {
      confirmed?.cancel()
    }
  }

  #expect(wanted: boolean): { promise: Promise<void>; cancel: () => void } {
    let cancel = () => {}
    const promise = new Promise<void>((resolve) => {
      cancel = () => {
        this.#waiting.delete(waiter)
        resolve()
      }
      const waiter = { wanted, done: cancel }
      this.#waiting.add(waiter)
    })
    return { promise, cancel }
  }

  #endPulse(): void {
    this.#off?.cancel()
    this.#off = undefined
    this.#offDue = false
  }

  #offAfter(ms: number): void {
    this.#endPulse()
    this.#offDue = true
    this.#off = this.#parts.clock.after(ms, () => void this.#switchOff(true))
  }

  /** Never rejects. A relay must not stay on because one message was lost: it is tried until it is off or told otherwise. */
  async #switchOff(again: boolean): Promise<void> {
    const { clock, confirmMs, health, topics } = this.#parts
    this.#off?.cancel()
    this.#off = undefined
    const deadline = clock.mono() + confirmMs
    let newer = false
    const mine = () => {
      newer = !this.#offDue
      return !newer
    }
    try {
      await this.#send(topics.topic, topics.off, false, { deadline, guard: mine }, () => {})
      // A new pulse may have begun while this waited; its own timer ends it.
      if (this.#off === undefined) this.#offDue = false
    } catch {
      if (newer || this.#off !== undefined || !this.#offDue) return
      health.count('pulse_off_failed')
      if (again) this.#off = clock.after(OFF_RETRY_MS, () => void this.#switchOff(true))
    }
  }
}
