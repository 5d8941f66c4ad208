/** Whether a weight stands still. The XK3190 has no stability flag in its frames, so it is derived. */
export interface StabilityOptions {
  readonly divisionKg: number
  readonly stableMs: number
  readonly readings: number
}

/** Stable: every reading of the last `stableMs`, and at least `readings` of them, within ±1 division of the first of them. */
export class Stability {
  readonly #options: StabilityOptions
  #reference: { kg: number; at: number; readings: number } | undefined

  constructor(options: StabilityOptions) {
    this.#options = options
  }

  /** Takes a reading at `at` (mono ms); true when the weight is stable now. */
  take(kg: number, at: number): boolean {
    const { divisionKg, stableMs, readings } = this.#options
    // A hair more than one division: 0.1 + 0.2 must not count as more than 0.3.
    const within = this.#reference !== undefined && Math.abs(kg - this.#reference.kg) <= divisionKg * (1 + 1e-9)
    if (!within || this.#reference === undefined) {
      this.#reference = { kg, at, readings: 1 }
      return false
    }
    this.#reference.readings++
    return this.#reference.readings >= readings && at - this.#reference.at >= stableMs
  }

  reset(): void {
    this.#reference = undefined
  }
}
