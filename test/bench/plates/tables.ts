/** The figures as tables that a person can read. */
import { READER } from '../../../models/reader.ts'
import { ms, type Spread } from '../report.ts'
import { type Count, calibrate, LOOSE, THRESHOLDS } from './calibration.ts'
import { confusionsOf, matrix, worst } from './confusions.ts'
import type { DetectorScore } from './detector.ts'
import { characters, type Judgement, readings, reliability } from './reliability.ts'
import { curve, type Outcome, PARTS, type Result, type SetScore, setScores, times, unseen } from './score.ts'

const CONFIDENCES = [0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99]
/** Characters told in the confusion table. */
const CONFUSED = 12

export const percent = (a: number, b: number): string => (b === 0 ? '–' : `${((a / b) * 100).toFixed(1)} %`)

export function printSets(all: readonly Outcome[]): void {
  const cell = (set: SetScore) => ({
    photos: set.n,
    exact: percent(set.exact, set.n),
    any: percent(set.any, set.n),
    coverage: percent(set.accepted, set.n),
    'wrong of accepted': `${set.wrong} (${percent(set.wrong, set.accepted)})`,
    'misread, labels put right': set.misread,
  })
  const sets = [...setScores(all)].sort(([a], [b]) => (a.trim() < b.trim() ? -1 : 1))
  console.table(Object.fromEntries(sets.map(([name, set]) => [name, cell(set)])))
}

/** Medians and 99th percentiles of each contender's parts. */
export function printTimes(results: readonly Result[]): void {
  const cell = (s: Spread) => (s.n === 0 ? '–' : `${ms(s.p50)}, ${ms(s.p99)}`)
  console.log('times: median, p99; decode is from the file to pixels, inference the whole without it')
  for (const crop of [false, true]) {
    const kind = crop ? 'a crop' : 'a scene'
    const spreads = results.map(({ name, outcomes }) => ({ name, parts: times(outcomes, crop) }))
    if (spreads.every(({ parts }) => parts.whole.n === 0)) continue
    const rows = spreads.map(({ name, parts }) => [`${name}, ${kind}`, Object.fromEntries(PARTS.map((p) => [p, cell(parts[p])]))])
    console.table(Object.fromEntries(rows))
    const [a, b] = spreads
    if (!a || !b) continue
    const ratio = (part: 'whole' | 'inference') => (b.parts[part].p50 / Math.max(a.parts[part].p50, 1e-9)).toFixed(1)
    console.log(
      `${kind}: ${b.name} takes ${ratio('whole')} × our time from the file, ${ratio('inference')} × without decoding (medians, same run)\n`,
    )
  }
}

export function printConfusions(all: readonly Outcome[]): void {
  const confusions = confusionsOf(unseen(all))
  const told = worst(confusions, 16).map(([what, n]) => `${what} ${n}`)
  console.log(`confusions, labels put right: ${told.join(', ') || 'none'}`)
  if (told.length > 0) console.table(matrix(confusions, CONFUSED))
}

export function printCurve(all: readonly Outcome[]): void {
  const told = curve(unseen(all), CONFIDENCES)
  const readings = told[0]!.readings
  console.log('readings from each confidence on, labels as they are')
  console.table(told.map((c) => ({ ...c, 'of readings': percent(c.readings, readings), 'wrong %': percent(c.wrong, c.readings) })))
}

export function printReliability(all: readonly Outcome[]): void {
  for (const [what, judgements] of [
    ['readings', readings(unseen(all))],
    ['characters', characters(unseen(all))],
  ] as const) {
    if (judgements.length > 0) bins(what, judgements)
  }
}

function bins(what: string, judgements: readonly Judgement[]): void {
  const { bins, error } = reliability(judgements)
  console.log(`reliability of ${judgements.length} ${what}, labels put right; expected calibration error ${(error * 100).toFixed(2)} %`)
  console.table(
    bins.map((b) => ({ 'confidence from': b.from, [what]: b.n, 'mean confidence': percent(b.confidence, 1), right: percent(b.right, 1) })),
  )
}

/** Columns of the calibration table: what is accepted of these, and what is misread of those accepted. */
const ACCEPTED = ['vn scenes', 'cn scenes', 'all scenes', 'vn crops', 'cn crops']
const MISREAD = ['calibration', 'calibration, scenes', 'rest', 'rest, scenes']

type Cell = (count: Count) => string | number
function calibrationRow(counts: ReadonlyMap<string, Count>, accepted: Cell, misread: Cell): Record<string, string | number> {
  const of = (name: string) => counts.get(name) ?? { n: 0, accepted: 0, misread: 0 }
  return Object.fromEntries([
    ...ACCEPTED.map((name) => [name, accepted(of(name))]),
    ...MISREAD.map((name) => [`misread: ${name}`, misread(of(name))]),
  ])
}

/** What the reader would accept with other thresholds; `all` were read with looser ones than any of these. */
export function printCalibration(all: readonly Outcome[]): void {
  const photos: Cell = ({ n }) => n
  const rows: Record<string, ReturnType<typeof calibrationRow>> = { photos: calibrationRow(calibrate(all, LOOSE), photos, photos) }
  for (const thresholds of THRESHOLDS) {
    const { weakest, confidence } = thresholds
    const shipped = weakest === READER.accept.weakest && confidence === READER.accept.confidence
    rows[`${weakest.toFixed(2)}, ${confidence.toFixed(2)}${shipped ? ' as shipped' : ''}`] = calibrationRow(
      calibrate(all, thresholds),
      ({ accepted, n }) => percent(accepted, n),
      ({ misread, accepted }) => `${misread} of ${accepted}`,
    )
  }
  console.log(
    'accepted with other thresholds (weakest, product); misread of the accepted where thresholds may be chosen, and on the rest, labels put right',
  )
  console.table(rows)
}

export function printDetector(scores: readonly DetectorScore[]): void {
  console.table(
    Object.fromEntries(
      scores.map((s) => [
        `${s.side} pixels`,
        {
          photos: s.photos,
          found: percent(s.found, s.photos),
          'best score is the plate': percent(s.first, s.photos),
          'shared of box, mean of those found': s.shared.toFixed(3),
          'other finds a picture': s.others.toFixed(2),
          'a find, median': ms(s.ms),
        },
      ]),
    ),
  )
}
