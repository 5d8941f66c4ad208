/** What really happened, for tests to compare events with. Bounded: the oldest vehicles are forgotten, and counted. */
import type { Declaration } from './feed.ts'
import type { Body } from './truck.ts'

export type VehicleOutcome = 'on-the-way' | 'passed' | 'backed-out' | 'wrong-way'

export interface VehicleTruth {
  readonly no: number
  readonly lane: string
  readonly body: Body
  /** Metres. */
  readonly length: number
  readonly habit: string
  readonly plate: string | null
  readonly trailer: string | null
  readonly weight_kg: number
  /** What was declared for it, or null. */
  readonly declaration: Declaration | null
  /** What is the matter with it, when something is. */
  readonly trouble: string | null
  /** Clock ms (mono), rounded: in the world, at the stop line, bumper under the arm, tail past the arm, gone. */
  readonly arrivedAt: number
  stoppedAt: number | null
  enteredAt: number | null
  throughAt: number | null
  goneAt: number | null
  outcome: VehicleOutcome
}

/** What must never happen. */
export interface Disaster {
  readonly at: number
  readonly lane: string
  readonly kind: 'arm-on-vehicle' | 'drove-through-arm'
  readonly vehicle: number
}

export interface Truth {
  /** The last vehicles, oldest first. */
  readonly vehicles: readonly VehicleTruth[]
  readonly disasters: readonly Disaster[]
  /** Of all vehicles since the start. */
  readonly counts: { readonly arrived: number; readonly passed: number; readonly backedOut: number; readonly wrongWay: number }
  /** Vehicles no longer in the list. */
  readonly forgotten: number
}

export class TruthLog implements Truth {
  readonly vehicles: VehicleTruth[] = []
  readonly disasters: Disaster[] = []
  readonly counts = { arrived: 0, passed: 0, backedOut: 0, wrongWay: 0 }
  forgotten = 0
  readonly #keep: number
  constructor(keep: number) {
    this.#keep = keep
  }

  arrived(vehicle: VehicleTruth): void {
    this.counts.arrived++
    this.vehicles.push(vehicle)
    if (this.vehicles.length <= this.#keep) return
    this.vehicles.shift()
    this.forgotten++
  }

  gone(vehicle: VehicleTruth, outcome: Exclude<VehicleOutcome, 'on-the-way'>, at: number): void {
    vehicle.outcome = outcome
    vehicle.goneAt = at
    if (outcome === 'passed') this.counts.passed++
    else if (outcome === 'backed-out') this.counts.backedOut++
    else this.counts.wrongWay++
  }

  disaster(disaster: Disaster): void {
    if (this.disasters.length < 1_000) this.disasters.push(disaster)
  }
}
