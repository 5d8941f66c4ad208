/** The declared vehicles of this gate, in memory, found by plate. Filled from the journal at start and from MQTT after. */
import type { Declaration } from './declaration.ts'

/** A declaration with its validity as numbers, so that no lane parses dates while a truck waits. */
export interface Declared {
  readonly declaration: Declaration
  readonly from: number
  readonly to: number
}

export class DeclarationIndex {
  readonly #byId = new Map<string, Declared>()
  readonly #byPlate = new Map<string, Set<string>>()

  get size(): number {
    return this.#byId.size
  }

  ids(): IterableIterator<string> {
    return this.#byId.keys()
  }

  get(id: string): Declared | undefined {
    return this.#byId.get(id)
  }

  /** Adds or replaces. */
  put(declaration: Declaration): void {
    this.delete(declaration.id)
    this.#byId.set(declaration.id, {
      declaration,
      from: Date.parse(declaration.valid_from),
      to: Date.parse(declaration.valid_to),
    })
    const ids = this.#byPlate.get(declaration.plate)
    if (ids) ids.add(declaration.id)
    else this.#byPlate.set(declaration.plate, new Set([declaration.id]))
  }

  delete(id: string): void {
    const old = this.#byId.get(id)
    if (!old) return
    this.#byId.delete(id)
    const ids = this.#byPlate.get(old.declaration.plate)
    ids?.delete(id)
    if (ids?.size === 0) this.#byPlate.delete(old.declaration.plate)
  }

  /** Declarations whose tractor plate is `plate`. */
  withPlate(plate: string): Declared[] {
    return [...(this.#byPlate.get(plate) ?? [])].map((id) => this.#byId.get(id)!)
  }
}
