import { Listeners } from '../../gateway/kernel/listeners.ts'

/** The up/down state of a link and who wants to know. */
export class LinkState {
  #up = false
  readonly #listeners = new Listeners<[boolean, string?]>()

  get up(): boolean {
    return this.#up
  }

  /** Tells the listeners, once per change. */
  set(up: boolean, why?: string): void {
    if (up === this.#up) return
    this.#up = up
    this.#listeners.emit(up, why)
  }

  /** An attempt to come up failed: listeners hear the reason although the state has not changed. */
  fail(why: string): void {
    if (!this.#up) this.#listeners.emit(false, why)
  }

  /** Adds a listener; it is called at once when the link is up. */
  on(fn: (up: boolean, why?: string) => void): () => void {
    const remove = this.#listeners.add(fn)
    if (this.#up) fn(true)
    return remove
  }
}
