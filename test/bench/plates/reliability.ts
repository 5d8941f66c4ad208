/** Whether a reading that is said to be 90 % sure is right in 90 of 100 cases. Pure. */
import { type Outcome, right } from './score.ts'

export interface Judgement {
  /** 0…1. */
  readonly confidence: number
  readonly right: boolean
}

/** Confidences at which bins begin. */
const BINS = [0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99]

export interface Bin {
  readonly from: number
  readonly n: number
  /** Mean confidence, and share right. */
  readonly confidence: number
  readonly right: number
}

/** Bins that hold something, and the expected calibration error: how far confidence and share right differ, on average over all judgements. */
export function reliability(all: readonly Judgement[]): { readonly bins: Bin[]; readonly error: number } {
  const bins = BINS.map((from, i) => {
    const here = all.filter((j) => j.confidence >= from && j.confidence < (BINS[i + 1] ?? Number.POSITIVE_INFINITY))
    const mean = (of: (j: Judgement) => number) => here.reduce((sum, j) => sum + of(j), 0) / here.length
    return { from, n: here.length, confidence: mean((j) => j.confidence), right: mean((j) => Number(j.right)) }
  }).filter(({ n }) => n > 0)
  return { bins, error: bins.reduce((sum, b) => sum + (b.n / all.length) * Math.abs(b.confidence - b.right), 0) }
}

/** Of whole texts, by the labels put right. */
export function readings(all: readonly Outcome[]): Judgement[] {
  return all.flatMap((o) => {
    const judged = right(o)
    return judged === undefined || o.best === '' ? [] : [{ confidence: o.answer.confidence, right: judged }]
  })
}

/** Of single characters, of texts as long as what the picture shows: of others nobody knows which belongs to which. */
export function characters(all: readonly Outcome[]): Judgement[] {
  return all.flatMap(({ photo, answer }) => {
    const shown = [...(photo.shown ?? '')]
    const chars = answer.plate?.chars ?? []
    return chars.length === shown.length ? chars.map(({ char, p }, i) => ({ confidence: p, right: char === shown[i] })) : []
  })
}
