/** Is this the vehicle that was handed over? Pure. */
import { WEIGHT_TOLERANCE } from '../identity/match.ts'
import type { Expected, HandedOver } from './state.ts'

/** What a lane knows of a vehicle. */
export interface SeenVehicle {
  /** Every text that its front plate may be, the likeliest first. */
  readonly plates: readonly string[]
  readonly trailer?: string | undefined
  readonly container?: string | undefined
  readonly tags: readonly string[]
  readonly declaration?: string | undefined
  readonly weight_kg?: number | undefined
}

/**
 * The hand-over this vehicle belongs to: by its plate; else, where exactly one fits, by tag, container, trailer or declaration. Then the
 * plate is another one than was handed over, and {@link differences} says so.
 */
export function find(expected: Iterable<Expected>, seen: SeenVehicle): Expected | null {
  const all = [...expected]
  for (const plate of seen.plates) {
    // One truck may have been handed over before and never have come: the last time counts.
    const found = all.filter((e) => e.plate === plate).sort((a, b) => b.left - a.left)[0]
    if (found) return found
  }
  const by = (fits: (e: Expected) => boolean) => {
    const found = all.filter(fits)
    return found.length === 1 ? found[0]! : null
  }
  const same = (a: string | undefined, b: string | undefined) => a !== undefined && a === b
  return (
    by((e) => e.tag !== undefined && seen.tags.includes(e.tag)) ??
    by((e) => same(e.container, seen.container)) ??
    by((e) => same(e.trailer, seen.trailer)) ??
    by((e) => same(e.declaration, seen.declaration))
  )
}

/** What is not as it was handed over: `plate 24C12345 ≠ 24C99999`. What either side does not know is no difference. */
export function differences(handed: HandedOver, seen: SeenVehicle): string[] {
  const out: string[] = []
  const differ = (what: string, was: string | undefined, is: string | undefined) => {
    if (was !== undefined && is !== undefined && was !== is) out.push(`${what} ${was} ≠ ${is}`)
  }
  if (handed.plate !== undefined && !seen.plates.includes(handed.plate)) differ('plate', handed.plate, seen.plates[0])
  differ('trailer', handed.trailer, seen.trailer)
  differ('container', handed.container, seen.container)
  if (handed.tag !== undefined && seen.tags.length > 0 && !seen.tags.includes(handed.tag)) differ('tag', handed.tag, seen.tags[0])
  const { weight_kg: was } = handed
  const { weight_kg: is } = seen
  if (was !== undefined && is !== undefined && Math.abs(is - was) > Math.max(WEIGHT_TOLERANCE.kg, was * WEIGHT_TOLERANCE.share))
    out.push(`weight ${Math.round(was)} kg ≠ ${Math.round(is)} kg`)
  return out
}
