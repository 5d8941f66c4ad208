/** Tags and codes that the readers of a lane see while a vehicle is identified. */
import type { Presence, Reader } from '../../firmware-bridge/driver.ts'
import type { Seen } from '../identity/identity.ts'

export interface LaneReader {
  readonly id: string
  readonly kind: 'tag' | 'code'
  readonly reader: Reader
}

/** Kept of each reader; more than a truck has. Then the first ones stay. */
const MAX = 16

export class Sightings {
  readonly #seen = new Map<string, { readonly kind: LaneReader['kind']; readonly id: string; presence: Presence }>()
  readonly #readers: readonly LaneReader[]
  readonly #off: (() => void)[]

  /** Begins with what is there now. @param changed called when something new is seen */
  constructor(readers: readonly LaneReader[], changed: () => void) {
    this.#readers = readers
    for (const one of readers) this.#look(one)
    this.#off = readers.map((one) =>
      one.reader.onPresence((presence, there) => {
        this.#put(one, presence)
        if (there) changed()
      }),
    )
  }

  /** Sees nothing new from now on. */
  end(): void {
    for (const one of this.#readers) this.#look(one)
    for (const off of this.#off.splice(0)) off()
  }

  /** Strongest first, then by how often it was read. */
  seen(kind: LaneReader['kind']): Seen[] {
    const strength = (s: Seen) => s.rssi ?? Number.NEGATIVE_INFINITY
    return [...this.#seen.values()]
      .filter((s) => s.kind === kind)
      .map(({ id, presence: { text, count, rssi } }) => ({ text, reader: id, count, rssi }))
      .sort((a, b) => (strength(a) === strength(b) ? b.count - a.count : strength(b) - strength(a)))
  }

  has(kind: LaneReader['kind']): boolean {
    return [...this.#seen.values()].some((s) => s.kind === kind)
  }

  /** Counts and signal strength go up while a tag stays; nobody tells of that. */
  #look(one: LaneReader): void {
    for (const presence of one.reader.present()) this.#put(one, presence)
  }

  #put({ id, kind }: LaneReader, presence: Presence): void {
    const key = `${id} ${presence.text}`
    if (!this.#seen.has(key) && [...this.#seen.values()].filter((s) => s.id === id).length >= MAX) return
    this.#seen.set(key, { kind, id, presence })
  }
}
