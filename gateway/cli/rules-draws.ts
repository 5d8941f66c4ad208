/** `luong rules draws`: every draw of a sampling again, from its seed and the id of the declaration, and the rate that came out. */
import type { Crossing } from '../figures/crossing.ts'
import { crossingsIn } from '../figures/report.ts'
import { type SamplingFigures, samplingFigures } from '../figures/sampling.ts'
import { openReader } from '../journal/reader.ts'
import { type Draw, draw } from '../rules/sampling.ts'
import { paint } from './colour.ts'
import { printer } from './print.ts'
import { samplingTable } from './report-text.ts'
import { periodOf } from './rules-test.ts'

export interface DrawsOptions {
  /** As it was published. */
  readonly seed?: string
  readonly day?: string
  readonly json?: true
}

/** A draw as it was recorded, drawn again. */
export interface Redrawn extends Draw {
  readonly passage: string
  /** What seed and id give, 0 to below 1: drawn where it is below the rate. */
  readonly number: number
  /** What was recorded is what comes out. */
  readonly same: boolean
}

/** Draws of these passages again. @param seed the published one; absent: the one that was recorded with each draw */
export function redraw(crossings: Iterable<Crossing>, seed?: string): Redrawn[] {
  return [...crossings].flatMap(({ id, load }) =>
    (load?.draws ?? []).map((made) => {
      const number = draw(made.id, seed ?? made.seed)
      return { ...made, passage: id, number, same: made.drawn === number < made.rate && (seed ?? made.seed) === made.seed }
    }),
  )
}

/** Runs the command; the answer is its exit code: 1 when a draw can't be repeated, or chance doesn't explain the number drawn. */
export async function provenDraws(dir: string, options: DrawsOptions): Promise<number> {
  const reader = openReader(dir)
  try {
    const { from, to } = periodOf(options.day, reader)
    const crossings = crossingsIn(reader, from, to)
    const draws = redraw(crossings, options.seed)
    const rates = samplingFigures(crossings)
    const wrong = draws.filter((d) => !d.same)
    const out = printer()
    let listening = true
    if (options.json) {
      for (const d of draws) listening = listening && (await out.line(JSON.stringify(d)))
      await out.line(JSON.stringify({ summary: true, draws: draws.length, same: draws.length - wrong.length, rates }))
    } else await out.line(words(draws, wrong, rates))
    return wrong.length > 0 || rates.some((r) => !r.within) ? 1 : 0
  } finally {
    reader.close()
  }
}

/** Wrong ones that people read; `--json` has all. */
const MOST = 12

function words(draws: readonly Redrawn[], wrong: readonly Redrawn[], rates: readonly SamplingFigures[]): string {
  if (draws.length === 0) return 'no rule has drawn a sample among these passages'
  const told = wrong
    .slice(0, MOST)
    .map(
      (d) =>
        `  passage ${d.passage}  ${d.id}  seed ${d.seed}  rate ${d.rate}: ${d.number.toFixed(6)}, recorded as ${d.drawn ? '' : 'not '}drawn`,
    )
  const all =
    wrong.length === 0
      ? `${draws.length} draws: every one comes out as it was recorded`
      : [paint.red(`${draws.length} draws: ${wrong.length} do not come out as they were recorded`), ...told].join('\n')
  return `${all}\n(SHA-256 over seed, a zero byte and the id of the declaration; its first 48 bits as a number below 1; drawn where that is below the rate)\n\n${samplingTable(rates)}`
}
