/** What other thresholds would accept: docs/plates.md, "When a plate is sure". Pure. */
import { createHash } from 'node:crypto'
import type { AcceptRule } from '../../../models/accept.ts'
import type { PlateRead } from '../../../models/plate.ts'
import { type Outcome, right, unseen } from './score.ts'

export type Thresholds = Pick<AcceptRule, 'weakest' | 'confidence'>

/** Lowest character probability and product. */
export const THRESHOLDS: readonly Thresholds[] = [
  { weakest: 0.99, confidence: 0.97 },
  { weakest: 0.98, confidence: 0.95 },
  { weakest: 0.97, confidence: 0.93 },
  { weakest: 0.96, confidence: 0.91 },
  { weakest: 0.95, confidence: 0.89 },
  { weakest: 0.94, confidence: 0.87 },
  { weakest: 0.92, confidence: 0.85 },
  { weakest: 0.9, confidence: 0.82 },
  { weakest: 0.8, confidence: 0.7 },
  { weakest: 0.7, confidence: 0.6 },
]

/** Accepts at least what any of the thresholds does: these are put on its readings afterwards, so that the photos are read once. */
export const LOOSE: Thresholds = { weakest: 0.6, confidence: 0.5 }

/** Whether a reader with these thresholds would accept what it accepted with looser ones: they bear on nothing but acceptance. */
export const passes = (plate: PlateRead, { weakest, confidence }: Thresholds): boolean =>
  plate.accepted && plate.weakest >= weakest && plate.confidence >= confidence

/** Share of the texts on which thresholds may be chosen. */
const CHOSEN_ON = 0.3

/** Whether thresholds may be chosen on photos of this text. All of one text are on one side. */
export function inCalibration(text: string): boolean {
  const hash = createHash('sha256').update(text).digest('hex')
  return Number.parseInt(hash.slice(0, 8), 16) / 2 ** 32 < CHOSEN_ON
}

export interface Count {
  n: number
  accepted: number
  /** Of the accepted ones, by the labels put right. */
  misread: number
}

/** Counts by "vn scenes", "all crops", "calibration", "rest, scenes" … of what the reader was not trained on. */
export function calibrate(all: readonly Outcome[], thresholds: Thresholds): Map<string, Count> {
  const counts = new Map<string, Count>()
  for (const o of unseen(all)) {
    const { country, crop, text } = o.photo
    const kind = crop ? 'crops' : 'scenes'
    const part = inCalibration(text) ? 'calibration' : 'rest'
    const { plate } = o.answer
    const accepted = plate !== undefined && passes(plate, thresholds)
    for (const name of [`${country} ${kind}`, `all ${kind}`, part, `${part}, ${kind}`]) {
      const count = counts.get(name) ?? { n: 0, accepted: 0, misread: 0 }
      counts.set(name, count)
      count.n++
      if (accepted) count.accepted++
      if (accepted && right(o) === false) count.misread++
    }
  }
  return counts
}
