/** Sampling that anybody can repeat: the draw is a hash of the seed and the declaration's id, nothing else. */
import { createHash } from 'node:crypto'

const SPAN = 2 ** 48

/** A number in [0, 1) for this id and seed: the first 48 bits of SHA-256 over `seed NUL id`. The same always and everywhere. */
export function draw(id: string, seed: string): number {
  return createHash('sha256').update(seed).update('\0').update(id).digest().readUIntBE(0, 6) / SPAN
}

/** A draw that was made, for the record: with id and seed anybody can repeat it. */
export interface Draw {
  readonly id: string
  readonly seed: string
  readonly rate: number
  readonly drawn: boolean
}

let listener: ((draw: Draw) => void) | null = null

/** Whether a load is drawn for inspection at this rate (0 none, 1 all). */
export function sampled(id: string, seed: string, rate: number): boolean {
  const drawn = draw(id, seed) < rate
  listener?.({ id, seed, rate, drawn })
  return drawn
}

/** Runs `work`, which is not asynchronous, and collects the draws that it makes. */
export function withDraws<T>(work: () => T): { readonly result: T; readonly draws: readonly Draw[] } {
  const draws: Draw[] = []
  const before = listener
  listener = (made) => draws.push(made)
  try {
    return { result: work(), draws }
  } finally {
    listener = before
  }
}
