/** Seeded chance: the same seed gives the same world. */

/** Uniform numbers in [0, 1). */
export type Rng = () => number

/** mulberry32 over a hash of the words, so that `rng(seed, 'lane', id)` streams do not touch each other. */
export function rng(...words: readonly (string | number)[]): Rng {
  let state = 2166136261
  for (const ch of words.join('\u0000')) state = Math.imul(state ^ ch.codePointAt(0)!, 16777619)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

export const between = (r: Rng, low: number, high: number): number => low + r() * (high - low)
/** A whole number, `low` ≤ n ≤ `high`. */
export const whole = (r: Rng, low: number, high: number): number => low + Math.floor(r() * (high - low + 1))
export const chance = (r: Rng, p: number): boolean => r() < p
/** One of `list`; throws on an empty one. */
export function pick<T>(r: Rng, list: readonly T[]): T {
  if (list.length === 0) throw new RangeError('nothing to pick from')
  return list[Math.floor(r() * list.length)]!
}
/** A key of `weights`, as often as its weight says. */
export function weighted<K extends string>(r: Rng, weights: Readonly<Record<K, number>>): K {
  const keys = Object.keys(weights) as K[]
  let left = r() * keys.reduce((sum, k) => sum + weights[k], 0)
  for (const k of keys) {
    left -= weights[k]
    if (left < 0) return k
  }
  return keys.at(-1)!
}
/** Time to the next of events that come at random, `mean` apart. */
export const exponential = (r: Rng, mean: number): number => -Math.log(1 - r()) * mean
