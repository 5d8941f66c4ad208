/** The last so many durations, for percentiles. */
export class Durations {
  readonly #ring: Float64Array
  #count = 0
  constructor(size: number) {
    this.#ring = new Float64Array(size)
  }
  add(ms: number): void {
    this.#ring[this.#count++ % this.#ring.length] = ms
  }
  /** 0 while empty. */
  percentiles(): { p50: number; p99: number } {
    const sorted = this.#ring.slice(0, Math.min(this.#count, this.#ring.length)).sort()
    return { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) }
  }
}

/** Nearest-rank percentile of ascending values; 0 when there are none. */
export function percentile(sorted: ArrayLike<number>, p: number): number {
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? 0
}
