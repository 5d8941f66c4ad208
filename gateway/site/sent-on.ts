/** Who was sent to which lane, so that no lane sends back what another has sent, and queues count who is on the way. In memory: after a restart a vehicle may be sent on once more. */
import type { Clock } from '../kernel/clock.ts'

interface Sent {
  /** Lanes that have sent it away. */
  readonly from: readonly string[]
  /** Where it was told to go; null once it is there. */
  readonly to: string | null
  readonly at: number
}

/** Remembered so long; a vehicle that comes later has had other business meanwhile. */
const KEEP_MS = 4 * 3_600_000
/** On its way so long at most: then it counts in no queue any more. */
const COMING_MS = 10 * 60_000
/** Vehicles remembered; the oldest is forgotten first. */
const MOST = 2_000

export class SentOn {
  readonly #clock: Pick<Clock, 'mono'>
  readonly #sent = new Map<string, Sent>()

  constructor(clock: Pick<Clock, 'mono'>) {
    this.#clock = clock
  }

  /** Lanes that have sent this vehicle away. @param vehicle id of its declaration, or its plate */
  from(vehicle: string): readonly string[] {
    return this.#live(vehicle)?.from ?? []
  }

  /** Vehicles on their way to a lane. */
  coming(lane: string): number {
    const since = this.#clock.mono() - COMING_MS
    let n = 0
    for (const s of this.#sent.values()) if (s.to === lane && s.at >= since) n++
    return n
  }

  /** It stands at a lane: it is on its way no more. */
  arrived(vehicle: string): void {
    const known = this.#live(vehicle)
    if (known && known.to !== null) this.#sent.set(vehicle, { ...known, to: null })
  }

  /** It was sent from one lane to another. */
  send(vehicle: string, from: string, to: string): void {
    const before = this.from(vehicle)
    this.#sent.delete(vehicle)
    this.#sent.set(vehicle, { from: [...before.filter((id) => id !== from), from], to, at: this.#clock.mono() })
    const [oldest] = this.#sent.keys()
    if (this.#sent.size > MOST && oldest !== undefined) this.#sent.delete(oldest)
  }

  /** It was let in: whatever was before is over. */
  forget(vehicle: string): void {
    this.#sent.delete(vehicle)
  }

  #live(vehicle: string): Sent | undefined {
    const known = this.#sent.get(vehicle)
    if (!known || this.#clock.mono() - known.at <= KEEP_MS) return known
    this.#sent.delete(vehicle)
    return undefined
  }
}
