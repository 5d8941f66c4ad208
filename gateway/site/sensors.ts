/** Wires a lane's inputs to its core: debounces each, merges those of one place. (Debounce itself: gateway/lane/sensors.ts.) */
import type { Devices } from '../../firmware-bridge/build.ts'
import type { Clock, Timer } from '../kernel/clock.ts'
import type { SensorRole, Tri } from '../lane/model.ts'
import { type RoleStep, roleInitial, sampled, tick } from '../lane/sensors.ts'

export interface SensorWiringOptions {
  readonly config: {
    readonly sensors: { readonly [R in SensorRole]?: readonly string[] | undefined }
    readonly timing: { readonly debounce_on_ms: number; readonly debounce_off_ms: number }
  }
  readonly devices: Devices
  readonly clock: Clock
  readonly onSensor: (role: SensorRole, value: Tri, at: number) => void
}

const ROLES: readonly SensorRole[] = ['approach', 'presence', 'curtain', 'exit']

export class SensorWiring {
  readonly #o: SensorWiringOptions
  readonly #off: (() => void)[] = []

  constructor(options: SensorWiringOptions) {
    this.#o = options
  }

  start(): void {
    for (const role of ROLES) {
      const refs = this.#o.config.sensors[role]
      if (refs) this.#wire(role, refs)
    }
  }

  #wire(role: SensorRole, refs: readonly string[]): void {
    const { devices, clock, onSensor } = this.#o
    const { debounce_on_ms: onMs, debounce_off_ms: offMs } = this.#o.config.timing
    const times = { onMs, offMs }
    let state = roleInitial(refs.length)
    let timer: Timer | null = null
    const take = (step: RoleStep, at: number) => {
      state = step.state
      timer?.cancel()
      timer =
        step.dueAt === null
          ? null
          : clock.after(Math.max(0, step.dueAt - clock.mono()), () => take(tick(state, clock.mono(), times), clock.mono()))
      if (step.changed) onSensor(role, state.value, at)
    }
    refs.forEach((ref, i) => {
      const point = devices.input(ref)
      this.#off.push(point.onChange((value, at) => take(sampled(state, i, value, at, times), at)))
      const { value, at } = point.read()
      take(sampled(state, i, value, at, times), at)
    })
    this.#off.push(() => timer?.cancel())
  }

  stop(): void {
    for (const off of this.#off.splice(0)) off()
  }
}
