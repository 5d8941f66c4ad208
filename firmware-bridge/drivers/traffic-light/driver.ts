/**
 * Lamps on relays. Red and green are never on together: the other lamp's off is confirmed before one is switched on. Nothing is
 * written before the first `show`. When a change fails half way nobody knows what drivers see, so red is tried
 * until it succeeds or something newer is asked for.
 */
import type { Timer } from '../../../gateway/kernel/clock.ts'
import { LuongError, messageOf } from '../../../gateway/kernel/errors.ts'
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
  readonly #health = new HealthBox(['shows', 'failed'])
  #running = false
  /** Number of the latest request; older ones that still wait are dropped. */
  #turn = 0
  /** Requests run one after the other. */
  #tail: Promise<void> = Promise.resolve()
  #retry: Timer | undefined

  constructor(settings: Settings, context: DriverContext) {
    this.id = context.id
    this.#context = context
    const lamps: [Aspect, OutputPoint][] = [
      ['red', context.output(settings.red)],
      ['green', context.output(settings.green)],
    ]
    if (settings.amber !== undefined) lamps.push(['amber', context.output(settings.amber)])
    this.#lamps = new Map(lamps)
    this.signal = { show: (aspect, options) => this.#show(aspect, options) }
  }

  start(): void {
    this.#running = true
    this.#health.set('ok')
  }

  /** Leaves the lamps as they are. */
  async stop(): Promise<void> {
    this.#running = false
    this.#turn++
    this.#retry?.cancel()
    this.#retry = undefined
    await this.#tail
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
      this.#must(latest, aspect)
      // Dark first: off is always safe, so neither a newer request nor a guard holds it up.
      const others = [...this.#lamps].filter(([lamp]) => lamp !== aspect)
      const dark = await Promise.allSettled(others.map(([, output]) => output.set(false, { deadline: options.deadline })))
      for (const result of dark) if (result.status === 'rejected') throw result.reason
      this.#must(latest, aspect)
      await this.#lamps.get(aspect)?.set(true, { deadline: options.deadline, guard })
      this.#health.count('shows')
      this.#health.set('ok')
    } catch (error) {
      if (!latest()) throw error instanceof LuongError && error.code === 'STOPPED' ? error : this.#replaced(aspect)
      this.#health.count('failed')
      this.#health.set('degraded', `${this.id}: ${aspect} could not be shown (${messageOf(error)}); red is tried until it is confirmed`)
      this.#redLater()
      throw error
    }
  }

  #must(latest: () => boolean, aspect: Aspect): void {
    if (!latest()) throw this.#replaced(aspect)
  }

  #replaced(aspect: Aspect): LuongError {
    const why = this.#running ? 'was replaced by a newer request' : 'was dropped because the light is stopping'
    return new LuongError(this.#running ? 'DEVICE_REFUSED' : 'STOPPED', `${this.id}: ${aspect} ${why}`, { hint: 'Nothing to do.' })
  }

  #redLater(): void {
    if (!this.#running) return
    const { clock } = this.#context
    this.#retry = clock.after(RETRY_MS, () => {
      this.#retry = undefined
      // Failing again sets the next try.
      this.#show('red', { deadline: clock.mono() + RETRY_MS }).catch(() => {})
    })
  }
}
