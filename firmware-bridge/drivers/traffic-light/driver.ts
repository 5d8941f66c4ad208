/**
 * Lamps on relays. Red and green are never on together: the other lamp's off is confirmed before one is switched on. Nothing is
 * written before the first `show`. When a change fails half way nobody knows what drivers see, so red is tried
 * until it succeeds or something newer is asked for.
 */
import type { Timer } from '../../../gateway/kernel/clock.ts'
import { LuongError, messageOf } from '../../../gateway/kernel/errors.ts'
import { Boards } from '../../boards.ts'
import type { Aspect, CommandOptions, Device, DeviceHealth, DriverContext, OutputPoint, Signal } from '../../driver.ts'
import { HealthBox } from '../../health.ts'
import type { Settings } from './schema.ts'

const RETRY_MS = 1_000

export function createTrafficLight(settings: Settings, context: DriverContext): Device {
  return new TrafficLight(settings, context)
}

class TrafficLight implements Device {
  readonly id: string
  readonly signal: Signal
  readonly #context: DriverContext
  readonly #lamps: ReadonlyMap<Aspect, OutputPoint>
  readonly #boards: Boards
  readonly #health = new HealthBox(['shows', 'failed'])
  #running = false
  #unsubscribe = () => {}
  /** Number of the latest request; older ones that still wait are dropped. */
  #turn = 0
  /** Requests run one after the other. */
  #tail: Promise<void> = Promise.resolve()
  /** What was last asked for, undefined until something was. */
  #wanted: Aspect | undefined
  /** Some lamp may be on. */
  #lit = false
  /** Why the lamps are not as wanted. */
  #trouble: string | undefined
  #boardAway = true
  #retry: Timer | undefined

  constructor(settings: Settings, context: DriverContext) {
    this.id = context.id
    this.#context = context
    this.#boards = new Boards(context, [settings.red, settings.green, settings.amber])
    const lamps: [Aspect, OutputPoint][] = [
      ['red', context.output(settings.red)],
      ['green', context.output(settings.green)],
    ]
    if (settings.amber !== undefined) lamps.push(['amber', context.output(settings.amber)])
    this.#lamps = new Map(lamps)
    this.signal = { show: (aspect, options) => this.#show(aspect, options) }
  }

  start(): void {
    if (this.#running) return
    this.#running = true
    this.#wanted = undefined
    this.#trouble = undefined
    this.#unsubscribe = this.#boards.onHealth(() => this.#look())
    this.#look()
  }

  /** Leaves the lamps as they are. */
  async stop(): Promise<void> {
    this.#running = false
    this.#turn++
    this.#retry?.cancel()
    this.#retry = undefined
    this.#unsubscribe()
    await this.#tail
    this.#health.set('down', `${this.id}: stopped`)
  }

  health(): DeviceHealth {
    return this.#health.get()
  }

  onHealth(fn: (health: DeviceHealth) => void): () => void {
    return this.#health.on(fn)
  }

  #show(aspect: Aspect, options: CommandOptions): Promise<void> {
    if (!this.#running) return Promise.reject(new LuongError('STOPPED', `${this.id}: ${aspect} was asked for while the light is stopped`))
    if (aspect !== 'off' && !this.#lamps.has(aspect)) {
      const hint = 'Set its output in the site file, or use another aspect.'
      return Promise.reject(new LuongError('DEVICE_REFUSED', `${this.id}: there is no ${aspect} lamp`, { hint }))
    }
    this.#retry?.cancel()
    this.#retry = undefined
    const turn = ++this.#turn
    const work = this.#tail.then(() => this.#change(aspect, turn, options))
    this.#tail = work.catch(() => {})
    return work
  }

  async #change(aspect: Aspect, turn: number, options: CommandOptions): Promise<void> {
    const latest = () => turn === this.#turn
    const guard = () => latest() && (options.guard?.() ?? true)
    try {
      if (!guard()) throw new LuongError('DEVICE_REFUSED', `${this.id}: ${aspect} was withdrawn before it was sent`)
      // Dark first. Off is always safe, so nothing newer holds it up; all are awaited, lest a late one darkens the next aspect.
      const others = [...this.#lamps].filter(([lamp]) => lamp !== aspect)
      const dark = await Promise.allSettled(others.map(([, output]) => output.set(false, { deadline: options.deadline })))
      for (const result of dark) if (result.status === 'rejected') throw result.reason
      if (!latest()) throw this.#replaced(aspect)
      if (aspect !== 'off') {
        this.#lit = true
        await this.#lamps.get(aspect)?.set(true, { deadline: options.deadline, guard })
      } else this.#lit = false
      this.#health.count('shows')
      this.#wanted = aspect
      this.#trouble = undefined
      this.#look()
    } catch (error) {
      if (!latest()) throw this.#replaced(aspect)
      this.#health.count('failed')
      // Where no lamp can be on, nobody is misled.
      if (this.#lit) this.#redLater(`${this.id}: ${aspect} could not be shown (${messageOf(error)}); red is tried until it is confirmed`)
      throw error
    }
  }

  #replaced(aspect: Aspect): LuongError {
    const why = this.#running ? 'was replaced by a newer request' : 'was dropped because the light is stopping'
    return new LuongError(this.#running ? 'DEVICE_REFUSED' : 'STOPPED', `${this.id}: ${aspect} ${why}`, { hint: 'Nothing to do.' })
  }

  #redLater(trouble: string): void {
    if (!this.#running) return
    this.#trouble = trouble
    this.#look()
    this.#retry = this.#context.clock.after(RETRY_MS, () => this.#again('red'))
  }

  /** Failing again sets the next try. */
  #again(aspect: Aspect): void {
    this.#show(aspect, { deadline: this.#context.clock.mono() + RETRY_MS }).catch(() => {})
  }

  #look(): void {
    if (!this.#running) return
    const away = this.#boards.away()
    const back = this.#boardAway && away === undefined
    this.#boardAway = away !== undefined
    if (away !== undefined) this.#health.set('down', `${this.id}: its relay board is away: ${away}`)
    else if (this.#trouble !== undefined) this.#health.set('degraded', this.#trouble)
    else this.#health.set('ok')
    // A board that was away may have dropped its relays.
    if (back && this.#wanted !== undefined && this.#retry === undefined) this.#again(this.#wanted)
  }
}
