/** Cuts a byte stream into frames of a protocol that says how long a frame is and has a check. Pure. */

export interface Framing<F> {
  /**
   * Length of a frame that begins at `at`; 0: none can begin there; null: too few bytes to say. Must have an upper bound: that many
   * bytes are held back at most.
   */
  length(bytes: Uint8Array, at: number): number | null
  /** Reads one whole frame; null when it does not check. Must not throw. */
  decode(raw: Uint8Array): F | null
}

/**
 * Finds every good frame, however the stream is split. What does not check is given up one byte at a time, so a good frame that begins
 * inside garbage is still found.
 */
export class FrameCutter<F> {
  readonly #framing: Framing<F>
  #held: Uint8Array = new Uint8Array(0)
  #inStep = true
  /** Bytes that were part of no good frame. */
  skipped = 0
  /** Times that the stream was in step and what came next did not check. */
  bad = 0

  constructor(framing: Framing<F>) {
    this.#framing = framing
  }

  /** Bytes waiting for the rest of their frame. */
  get held(): number {
    return this.#held.length
  }

  push(bytes: Uint8Array): F[] {
    return this.#cut(this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]), false)
  }

  /** The line has gone quiet: whatever waits for more is no frame, but one may have begun inside it. */
  flush(): F[] {
    return this.#cut(this.#held, true)
  }

  /** Forgets a frame begun, as after a loss of the line. */
  reset(): void {
    this.skipped += this.#held.length
    this.#held = new Uint8Array(0)
    this.#inStep = true
  }

  #cut(all: Uint8Array, whole: boolean): F[] {
    const frames: F[] = []
    let at = 0
    while (at < all.length) {
      const length = this.#framing.length(all, at)
      const complete = length !== null && at + length <= all.length
      if (!complete && !whole) break
      const frame = complete && length > 0 ? this.#framing.decode(all.slice(at, at + length)) : null
      if (frame !== null) {
        frames.push(frame)
        at += length!
        this.#inStep = true
        continue
      }
      if (this.#inStep) this.bad++
      this.#inStep = false
      this.skipped++
      at++
    }
    if (whole) this.#inStep = true
    this.#held = all.slice(at)
    return frames
  }
}
