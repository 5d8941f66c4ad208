/** A typed set of listeners. One that throws does not keep the others from being called; its error goes to `onError`. */
export class Listeners<A extends unknown[]> {
  readonly #set = new Set<(...args: A) => void>()
  readonly #onError: (error: unknown) => void
  constructor(onError: (error: unknown) => void = (e) => process.emitWarning(e instanceof Error ? e : String(e))) {
    this.#onError = onError
  }
  /** Adds a listener; the returned function takes it away again. */
  add(fn: (...args: A) => void): () => void {
    this.#set.add(fn)
    return () => this.#set.delete(fn)
  }
  emit(...args: A): void {
    for (const fn of [...this.#set]) {
      try {
        fn(...args)
      } catch (error) {
        this.#onError(error)
      }
    }
  }
  get size(): number {
    return this.#set.size
  }
}
