/** Wires a lane's inputs to its core: debounces each, merges those of one place. (Debounce itself: gateway/lane/sensors.ts.) */
import type { Devices } from '../../firmware-bridge/build.ts'
import type { Clock, Timer } from '../kernel/clock.ts'
import type { SensorRole, Tri } from '../lane/model.ts'

export interface SensorWiringOptions {
  readonly config: {
    readonly sensors: { readonly [R in SensorRole]?: readonly string[] | undefined }
    readonly timing: { readonly debounce_on_ms: number; readonly debounce_off_ms: number }
  }
  readonly devices: Devices
  readonly clock: Clock
  readonly onSensor: (role: SensorRole, value: Tri, at: number) => void
}

interface Cell {
  raw: Tri
  value: Tri
  timer: Timer | null
}

const ROLES: readonly SensorRole[] = ['approach', 'presence', 'curtain', 'exit']

export class SensorWiring {
  readonly #o: SensorWiringOptions
  readonly #off: (() => void)[] = []
  readonly #cells: Cell[] = []

  constructor(options: SensorWiringOptions) {
    this.#o = options
  }

  start(): void {
    for (const role of ROLES) {
      const refs = this.#o.config.sensors[role]
      if (!refs) continue
      const cells = refs.map((): Cell => ({ raw: null, value: null, timer: null }))
      this.#cells.push(...cells)
      let last: Tri | undefined
      const tell = (at: number) => {
        const value = cells.some((c) => c.value === true) ? true : cells.some((c) => c.value === null) ? null : false
        if (value === last) return
        last = value
        this.#o.onSensor(role, value, at)
      }
      refs.forEach((ref, i) => {
        const cell = cells[i]!
        const point = this.#o.devices.input(ref)
        const take = (raw: Tri, at: number) => this.#take(cell, raw, at, tell)
        this.#off.push(point.onChange(take))
        const now = point.read()
        take(now.value, now.at)
      })
    }
  }

  #take(cell: Cell, raw: Tri, at: number, tell: (at: number) => void): void {
    cell.raw = raw
    cell.timer?.cancel()
    cell.timer = null
    if (raw === cell.value) return
    const { debounce_on_ms, debounce_off_ms } = this.#o.config.timing
    // Unknown counts at once, and the first value after unknown must settle like a change.
    const wait = raw === null ? 0 : raw ? debounce_on_ms : debounce_off_ms
    const settle = () => {
      cell.timer = null
      cell.value = raw
      tell(at)
    }
    if (wait === 0) settle()
    else cell.timer = this.#o.clock.after(wait, settle)
  }

  stop(): void {
    for (const off of this.#off.splice(0)) off()
    for (const c of this.#cells) c.timer?.cancel()
  }
}
