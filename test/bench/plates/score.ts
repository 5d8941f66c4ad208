/** What came of one contender's readings. Scores are by the labels as they are; what was really misread is by the labels put right. Pure. */
import { type Spread, spread } from '../report.ts'
import type { Answer, Times } from './contenders.ts'
import type { Photo } from './photos.ts'
import { setsOf } from './sets.ts'

export interface Outcome {
  readonly photo: Photo
  readonly answer: Answer
  /** The best text; '' when there is none. */
  readonly best: string
}

/** All outcomes of one contender. */
export interface Result {
  readonly name: string
  readonly outcomes: readonly Outcome[]
}

export const outcome = (photo: Photo, answer: Answer): Outcome => ({ photo, answer, best: answer.texts[0] ?? '' })

/** By the label as it is. */
const exact = ({ photo, best }: Outcome): boolean => best === photo.text

/** By the label put right; undefined where nobody can say. */
export function right({ photo, best }: Outcome): boolean | undefined {
  return photo.shown === null ? undefined : best === photo.shown
}

/** Those that say something of pictures never seen. */
export const unseen = (all: readonly Outcome[]): Outcome[] => all.filter((o) => !o.photo.trainedOn)

/** Those misread by the labels put right, accepted or not. */
export const misses = (all: readonly Outcome[]): Outcome[] => all.filter((o) => right(o) === false)

export interface SetScore {
  n: number
  /** The best text is the label, or any of the texts is. */
  exact: number
  any: number
  accepted: number
  /** Of the accepted ones: not the label, and not what the picture shows. */
  wrong: number
  misread: number
}

/** Set → its counts. */
export function setScores(all: readonly Outcome[]): Map<string, SetScore> {
  const sets = new Map<string, SetScore>()
  for (const o of all) {
    for (const name of setsOf(o.photo)) {
      const set = sets.get(name) ?? { n: 0, exact: 0, any: 0, accepted: 0, wrong: 0, misread: 0 }
      sets.set(name, set)
      set.n++
      if (exact(o)) set.exact++
      if (o.answer.texts.includes(o.photo.text)) set.any++
      if (!o.answer.accepted) continue
      set.accepted++
      if (!exact(o)) set.wrong++
      if (right(o) === false) set.misread++
    }
  }
  return sets
}

/** How many readings have at least each of the confidences, and how many of these are wrong by the label. */
export function curve(all: readonly Outcome[], at: readonly number[]): { from: number; readings: number; wrong: number }[] {
  return at.map((from) => {
    const over = all.filter((o) => o.best !== '' && o.answer.confidence >= from)
    return { from, readings: over.length, wrong: over.filter((o) => !exact(o)).length }
  })
}

export const PARTS = ['decode', 'detect', 'read', 'inference', 'whole'] as const satisfies readonly (keyof Times)[]

/** Of scenes, or of crops, in milliseconds; of nothing where a contender does not tell that part. */
export function times(all: readonly Outcome[], crop: boolean): Record<keyof Times, Spread> {
  const those = all.filter((o) => o.photo.crop === crop)
  const of = (part: keyof Times) => spread(those.flatMap((o) => o.answer.ms[part] ?? []))
  return { decode: of('decode'), detect: of('detect'), read: of('read'), inference: of('inference'), whole: of('whole') }
}
