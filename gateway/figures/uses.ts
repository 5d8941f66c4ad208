/** Which declarations vehicles were cleared with: so that one is not used twice. */
import type { UseRow } from '../journal/loads.ts'

const DAY = 86_400_000
/** A use is remembered this long after the declaration's validity, or the crossing where that is later. */
export const REMEMBERED_MS = 30 * DAY
/** Uses in memory at most; beyond it the oldest are forgotten (about 200 bytes each). */
const MOST = 500_000

export interface Used {
  readonly times: number
  /** Wall-clock ms of the last one. */
  readonly last: number
}

/** By direction and declaration. */
export class UseBook {
  readonly #uses = new Map<string, { at: number; until: number }[]>()
  #count = 0

  add({ declaration, direction, at, validTo }: UseRow): void {
    const key = `${direction} ${declaration}`
    const uses = this.#uses.get(key) ?? []
    uses.push({ at, until: Math.max(at, validTo ?? 0) + REMEMBERED_MS })
    this.#uses.set(key, uses)
    if (++this.#count > MOST) this.#drop(this.#uses.keys().next().value!)
  }

  /** How often it was used in this direction, of what is still remembered at `now`; null: never. */
  get(declaration: string, direction: string, now: number): Used | null {
    const uses = (this.#uses.get(`${direction} ${declaration}`) ?? []).filter((u) => u.until >= now)
    return uses.length === 0 ? null : { times: uses.length, last: Math.max(...uses.map((u) => u.at)) }
  }

  get size(): number {
    return this.#count
  }

  /** Forgets what is over. */
  prune(now: number): void {
    for (const [key, uses] of this.#uses) {
      const left = uses.filter((u) => u.until >= now)
      this.#count -= uses.length - left.length
      if (left.length === 0) this.#uses.delete(key)
      else this.#uses.set(key, left)
    }
  }

  #drop(key: string): void {
    this.#count -= this.#uses.get(key)!.length
    this.#uses.delete(key)
  }
}
