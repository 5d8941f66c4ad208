/** A relay and input board on a Modbus line: polls inputs, switches relays, reads them back. Starting switches nothing. */
import type { Timer } from '../../../gateway/kernel/clock.ts'
import { LuongError, messageOf } from '../../../gateway/kernel/errors.ts'
import type { Device, DeviceHealth, DriverContext, InputPoint, OutputPoint, ProbeFact } from '../../driver.ts'
import { HealthBox, RareLog } from '../../health.ts'
import { InputCell } from '../../input-cell.ts'
import { type Answer, ModbusMaster, type ReadRequest } from '../../modbus/master.ts'
import { channels, readRequest } from './codec.ts'
import { Relay } from './output.ts'
import { PROFILES, type Profile, pointNames } from './profiles.ts'
import type { Settings } from './schema.ts'

/** After so many failures in a row a board is asked less often, so that it does not eat its neighbours' time on the bus. */
const SLOW_AFTER = 5
const SLOW_MS = 500
const VERY_SLOW_AFTER = 20
const VERY_SLOW_MS = 2_000

class ModbusIo implements Device {
  readonly id: string
  readonly points: { inputs: ReadonlyMap<string, InputPoint>; outputs: ReadonlyMap<string, OutputPoint> }
  readonly #s: Settings
  readonly #c: DriverContext
  readonly #profile: Profile
  readonly #unit: number
  readonly #who: string
  readonly #master: ModbusMaster
  readonly #health = new HealthBox(['polls', 'timeouts', 'crc_errors', 'refused', 'writes', 'disagreements'])
  readonly #rare: RareLog
  readonly #cells: InputCell[]
  readonly #relays: Relay[]
  readonly #inverted: ReadonlySet<string>
  #running = false
  /** Raised by each start, so that answers to an earlier life are ignored. */
  #life = 0
  #timer: Timer | undefined
  #failures = 0
  #answeredAt: number | undefined
  #readBackAt = Number.NEGATIVE_INFINITY
  #disagrees = new Map<string, { times: number; why: string }>()
  #off: (() => void) | undefined

  constructor(settings: Settings, context: DriverContext) {
    this.id = context.id
    this.#s = settings
    this.#c = context
    this.#profile = PROFILES[settings.profile]
    this.#unit = settings.unit ?? this.#profile.unit
    this.#who = `${context.id} (unit ${this.#unit})`
    this.#rare = new RareLog(context.clock, context.log)
    this.#inverted = new Set(settings.invert)
    this.#master = context.shared(settings.link, `modbus-${settings.framing}`, () => {
      const transport = context.bytes(settings.link)
      return new ModbusMaster({ transport, framing: settings.framing, clock: context.clock })
    })
    const names = pointNames(this.#profile)
    const known = new Set([...names.inputs, ...names.outputs])
    const odd = settings.invert.find((name) => !known.has(name))
    if (odd) throw new LuongError('CONFIG_INVALID', `${this.id}: invert names ${odd}, which the board ${settings.profile} does not have`)
    this.#cells = names.inputs.map((name) => new InputCell(`${this.id}.${name}`, context.clock, settings.stale_ms))
    this.#relays = names.outputs.map((name, index) => this.#relay(name, index))
    this.points = {
      inputs: new Map(names.inputs.map((name, i) => [name, this.#cells[i]!])),
      outputs: new Map(names.outputs.map((name, i) => [name, this.#relays[i]!])),
    }
  }

  #relay(name: string, index: number): Relay {
    return new Relay({
      ref: `${this.id}.${name}`,
      index,
      profile: this.#profile,
      inverted: this.#inverted.has(name),
      clock: this.#c.clock,
      write: (request, command) => {
        if (!this.#running) return Promise.reject(new LuongError('STOPPED', `${this.id} is stopping`))
        this.#health.count('writes')
        return this.#master.write(this.#unit, request, { timeoutMs: this.#s.timeout_ms, who: this.#who }, command)
      },
      onTrouble: (why) => this.#rare.warn({ why }, 'an output could not be switched off'),
    })
  }

  start(): void {
    if (this.#running) return
    this.#running = true
    this.#life++
    this.#failures = 0
    this.#answeredAt = undefined
    this.#readBackAt = Number.NEGATIVE_INFINITY
    this.#health.set('starting', `${this.id}: not yet asked`)
    this.#master.start()
    for (const relay of this.#relays) relay.start()
    const link = this.#master.line
    this.#off = link.onState((up, why) => {
      if (up) this.#plan(0)
      else this.#lost(why ?? 'the link is down')
    })
    if (!link.up) this.#health.set('down', `${this.id}: ${link.name} is not connected`)
  }

  async stop(): Promise<void> {
    if (!this.#running) return
    this.#off?.()
    this.#timer?.cancel()
    this.#timer = undefined
    // Relays that the gateway times must not stay on after it has gone.
    await Promise.all(this.#relays.map((relay) => relay.stop()))
    this.#running = false
    for (const cell of this.#cells) cell.forget()
    this.#health.set('down', `${this.id}: stopped`)
  }

  health(): DeviceHealth {
    const { state, why, counters } = this.#health.get()
    const bus = this.#master.counters
    const all = { ...counters, bus_late_replies: bus.late_replies, bus_unexpected_bytes: bus.unexpected_bytes }
    return why === undefined ? { state, counters: all } : { state, why, counters: all }
  }

  onHealth(fn: (health: DeviceHealth) => void): () => void {
    return this.#health.on(() => fn(this.health()))
  }

  /** Reply times of ten reads, the firmware version where the board tells it, and how the relays stand. */
  async probe(): Promise<readonly ProbeFact[]> {
    const facts: ProbeFact[] = [
      { what: 'board', value: this.#profile.title },
      { what: 'unit', value: String(this.#unit) },
    ]
    const options = { timeoutMs: this.#s.timeout_ms, who: this.#who }
    const times: number[] = []
    let failed: unknown
    // Three without any answer tell enough.
    for (let i = 0; i < 10 && (i < 3 || times.length > 0); i++) {
      const sent = this.#c.clock.mono()
      try {
        const answer = await this.#master.read(this.#unit, readRequest(this.#profile.readOutputs), options)
        times.push(answer.at - sent)
        if (i === 9) facts.push({ what: 'relays on', value: onNames(channels(answer)) })
      } catch (error) {
        failed = error
      }
    }
    times.sort((a, b) => a - b)
    const ms = (x: number) => x.toFixed(0)
    if (times.length > 0) {
      const spread = `${ms(times[times.length >> 1]!)} ms (${ms(times[0]!)} to ${ms(times.at(-1)!)})`
      facts.push({ what: 'reply time', value: `${spread}, bus wait included; ${times.length} of 10 answered` })
    }
    if (failed !== undefined) facts.push({ what: 'failed', value: messageOf(failed) })
    const { version } = this.#profile
    if (version !== undefined && times.length > 0) {
      const answer = await this.#master.read(this.#unit, { fc: 3, addr: version, count: 1 }, options).catch(() => undefined)
      const number = answer?.registers?.[0]
      facts.push({ what: 'firmware', value: number === undefined ? 'not told' : (number / 100).toFixed(2) })
    }
    return facts
  }

  #lost(why: string): void {
    this.#timer?.cancel()
    this.#timer = undefined
    for (const cell of this.#cells) cell.forget()
    this.#health.set('down', `${this.id}: ${why}`)
  }

  #plan(ms: number): void {
    this.#timer?.cancel()
    this.#timer = this.#c.clock.after(ms, () => {
      this.#timer = undefined
      const life = this.#life
      const began = this.#c.clock.mono()
      this.#poll().finally(() => {
        if (!this.#running || life !== this.#life || this.#timer || !this.#master.line.up) return
        this.#plan(Math.max(0, began + this.#period() - this.#c.clock.mono()))
      })
    })
  }

  #period(): number {
    const own = this.#profile.inputs > 0 ? this.#s.poll_ms : this.#s.readback_ms
    if (this.#failures >= VERY_SLOW_AFTER) return Math.max(own, VERY_SLOW_MS)
    if (this.#failures >= SLOW_AFTER) return Math.max(own, SLOW_MS)
    return own
  }

  async #poll(): Promise<void> {
    const life = this.#life
    if (this.#profile.readInputs) {
      const answer = await this.#ask(readRequest(this.#profile.readInputs), life)
      if (!answer) return
      const levels = channels(answer)
      this.#cells.forEach((cell, i) => {
        cell.confirm(levels[i]! !== this.#inverted.has(`di${i + 1}`), answer.at)
      })
    }
    const now = this.#c.clock.mono()
    // A relay board without inputs has only its read-back to show that it lives.
    if (this.#profile.readInputs && now - this.#readBackAt < this.#s.readback_ms) return
    const answer = await this.#ask(readRequest(this.#profile.readOutputs), life)
    if (!answer) return
    this.#readBackAt = now
    const levels = channels(answer)
    this.#relays.forEach((relay, i) => {
      this.#compare(relay, levels[i]!, now)
    })
    this.#judge()
  }

  /** One question; undefined when it failed or is of an earlier life. */
  async #ask(request: ReadRequest, life: number): Promise<Answer | undefined> {
    this.#health.count('polls')
    try {
      const answer = await this.#master.read(this.#unit, request, { timeoutMs: this.#s.timeout_ms, who: this.#who })
      if (life !== this.#life || !this.#running) return undefined
      this.#failures = 0
      this.#answeredAt = answer.at
      this.#judge()
      return answer
    } catch (error) {
      if (life === this.#life && this.#running) this.#failed(error)
      return undefined
    }
  }

  #failed(error: unknown): void {
    const code = error instanceof LuongError ? error.code : ''
    if (code === 'LINK_DOWN' || code === 'STOPPED') return
    if (code === 'DEVICE_TIMEOUT') this.#health.count('timeouts')
    else if (code === 'FRAME_INVALID') this.#health.count('crc_errors')
    else if (code === 'DEVICE_REFUSED') this.#health.count('refused')
    this.#failures++
    const why = `${messageOf(error)}${error instanceof LuongError ? `. ${error.hint}` : ''}`
    const age = this.#answeredAt === undefined ? Number.POSITIVE_INFINITY : this.#c.clock.mono() - this.#answeredAt
    // One lost frame in thousands is no news; half the time to unknown is.
    if (age > this.#s.stale_ms) this.#health.set('down', why)
    else if (age > this.#s.stale_ms / 2) this.#health.set('degraded', why)
    this.#rare.warn({ why: messageOf(error) }, 'a poll failed')
  }

  /** Two read-backs in a row must disagree: one may have overtaken a command. */
  #compare(relay: Relay, on: boolean, at: number): void {
    const why = relay.compare(on, at)
    if (!why) {
      this.#disagrees.delete(relay.ref)
      return
    }
    const before = this.#disagrees.get(relay.ref)?.times ?? 0
    this.#disagrees.set(relay.ref, { times: before + 1, why })
    if (before + 1 === 2) {
      this.#health.count('disagreements')
      this.#c.log.warn({ why }, 'an output is not as commanded')
    }
  }

  #judge(): void {
    const wrong = [...this.#disagrees.values()].find((d) => d.times >= 2)
    if (wrong) this.#health.set('degraded', wrong.why)
    else this.#health.set('ok')
  }
}

function onNames(levels: readonly boolean[]): string {
  return levels.flatMap((on, i) => (on ? [`do${i + 1}`] : [])).join(', ') || 'none'
}

/** Makes the device. Throws CONFIG_INVALID when `invert` names a point that the board does not have. */
export function createModbusIo(settings: Settings, context: DriverContext): Device {
  return new ModbusIo(settings, context)
}
