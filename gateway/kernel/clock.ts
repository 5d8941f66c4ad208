/**
 * Time, passed in everywhere so that tests and the simulated world can own it.
 * `now` is the wall clock (may jump), `mono` never goes back and is the only one that control flow may use.
 */
export interface Timer {
  cancel(): void
}

export interface Clock {
  /** Wall clock, whole ms since 1970-01-01T00:00:00Z. May jump; for stamps only. */
  now(): number
  /** Monotonic ms with an arbitrary zero. For durations, deadlines and freshness. */
  mono(): number
  /** Calls `fn` once after `ms` (≥ 0) of this clock's time. */
  after(ms: number, fn: () => void): Timer
  /**
   * Marks work that a faster-than-real clock must not run past (inference, disk, a socket's round trip).
   * On the system clock it does nothing. Returns the same promise.
   */
  track<T>(work: Promise<T>): Promise<T>
}

/** The machine's own clock. Timers keep the process alive unless `unref`. */
export const systemClock: Clock = {
  now: () => Date.now(),
  mono: () => performance.now(),
  after(ms, fn) {
    const t = setTimeout(fn, ms)
    return { cancel: () => clearTimeout(t) }
  },
  track: (work) => work,
}

/** Resolves after `ms`, or at once (never rejecting) when `signal` aborts. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const done = () => {
      timer.cancel()
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = clock.after(ms, done)
    signal?.addEventListener('abort', done, { once: true })
  })
}

/** Settles as `work` does, or rejects with `late()` after `ms`. Every wait in this program ends; this is how. */
export function withDeadline<T>(clock: Clock, work: Promise<T>, ms: number, late: () => Error): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = clock.after(ms, () => reject(late()))
    work.then(
      (value) => {
        timer.cancel()
        resolve(value)
      },
      (error) => {
        timer.cancel()
        reject(error)
      },
    )
  })
}
