/** Whether inspection was drawn at the rate that was promised: counted per goods, against the binomial distribution. */
import type { Crossing } from './crossing.ts'

/** Of 1,000 honest samplings one is outside the bound. */
const OUTSIDE = 0.001

export interface SamplingFigures {
  readonly goods: string
  /** With seed and declaration id anybody can repeat every draw. */
  readonly seed: string
  readonly rate: number
  /** Loads for which a rule asked, and those that were drawn. */
  readonly asked: number
  readonly drawn: number
  /** Fewest and most that chance explains, 999 times of 1,000. */
  readonly least: number
  readonly most: number
  readonly within: boolean
}

/** The range that `n` independent draws at this rate keep to but for `outside`, both tails together: the binomial distribution, summed up. */
export function binomialBounds(n: number, rate: number, outside = OUTSIDE): { least: number; most: number } {
  if (n === 0 || rate <= 0) return { least: 0, most: 0 }
  if (rate >= 1) return { least: n, most: n }
  let log = n * Math.log1p(-rate)
  let sum = 0
  let least: number | null = null
  for (let k = 0; k <= n; k++) {
    sum += Math.exp(log)
    if (least === null && sum > outside / 2) least = k
    if (sum >= 1 - outside / 2) return { least: least ?? k, most: k }
    log += Math.log((n - k) / (k + 1)) + Math.log(rate) - Math.log1p(-rate)
  }
  return { least: least ?? n, most: n }
}

/** Every load is counted once for each seed and rate it was asked about, under all of its goods. */
export function samplingFigures(crossings: Iterable<Crossing>): SamplingFigures[] {
  const groups = new Map<string, { goods: string; seed: string; rate: number; loads: Map<string, boolean> }>()
  for (const { load } of crossings) {
    for (const draw of load?.draws ?? [])
      for (const goods of new Set(load!.goods.map((g) => g.name))) {
        const key = JSON.stringify([goods, draw.seed, draw.rate])
        const group = groups.get(key) ?? { goods, seed: draw.seed, rate: draw.rate, loads: new Map() }
        // The same load at another lane, or once more after it was turned back, is the same draw.
        group.loads.set(draw.id, draw.drawn)
        groups.set(key, group)
      }
  }
  return [...groups.values()]
    .map(({ goods, seed, rate, loads }) => {
      const drawn = [...loads.values()].filter(Boolean).length
      const { least, most } = binomialBounds(loads.size, rate)
      return { goods, seed, rate, asked: loads.size, drawn, least, most, within: least <= drawn && drawn <= most }
    })
    .sort((a, b) => (a.goods < b.goods ? -1 : a.goods > b.goods ? 1 : a.rate - b.rate))
}
