/** A contact that the world closes and opens, and that a fault can hold. */

export class Contact {
  readonly ref: string
  readonly #set: (on: boolean) => void
  #wanted = false
  #stuck: boolean | null = null
  constructor(ref: string, set: (on: boolean) => void) {
    this.ref = ref
    this.#set = set
  }
  /** What the loop sees. */
  set(on: boolean): void {
    this.#wanted = on
    if (this.#stuck === null) this.#set(on)
  }
  /** Holds it on or off whatever the loop sees; null lets go. */
  stick(value: boolean | null): void {
    this.#stuck = value
    this.#set(value ?? this.#wanted)
  }
}
