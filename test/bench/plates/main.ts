/**
 * `npm run bench:plates -- --photos DIR [--use test] [--every N] [--threads N] [--sheet FILE.png] [--alone] [--curve] [--votes]`: our reader beside
 * PP-OCR from npm on the same photos, one after the other on each, in one process. Asserts nothing.
 */
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { load, machine, ms } from '../report.ts'
import { type Contender, ours, ppOcr } from './contenders.ts'
import { type Photo, photos } from './photos.ts'
import { Score, type SetScore } from './score.ts'
import { contactSheet } from './sheet.ts'
import { votes } from './votes.ts'

const { values } = parseArgs({
  options: {
    photos: { type: 'string' },
    use: { type: 'string', default: 'test' },
    every: { type: 'string', default: '1' },
    threads: { type: 'string', default: '1' },
    sheet: { type: 'string' },
    alone: { type: 'boolean', default: false },
    votes: { type: 'boolean', default: false },
    curve: { type: 'boolean', default: false },
  },
})

const CONFIDENCES = [0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99]
const percent = (a: number, b: number): string => (b === 0 ? '–' : `${((a / b) * 100).toFixed(1)} %`)

async function main(): Promise<void> {
  if (!values.photos) {
    process.stderr.write('--photos names a folder with labels.csv and its pictures; without photos there is nothing to compare\n')
    process.exitCode = 2
    return
  }
  const rows = await photos(values.photos, values.use, Number(values.every))
  const threads = Number(values.threads)
  const contenders = [await ours(threads), ...(values.alone ? [] : [await ppOcr(threads)])]
  const before = load()
  const scores = await race(contenders, rows)
  console.log(`${rows.length} photos of ${values.photos}${values.use ? `, use ${values.use}` : ''}; ${threads} thread(s)`)
  console.log(`${machine()}; load ${before} before, ${load()} after; ${new Date().toISOString().slice(0, 16)}\n`)
  for (const [i, contender] of contenders.entries()) table(contender.name, scores[i]!)
  const [a, b] = scores.map((s) => s.times())
  if (a && b) {
    console.log(`PP-OCR takes ${(b.scene.p50 / Math.max(a.scene.p50, 1e-9)).toFixed(1)} × our time a scene (medians, same run)`)
  }
  if (values.votes) {
    const v = await votes(rows, threads)
    console.log(
      `vote over ${v.photos} photos of ${v.vehicles} vehicles: ${percent(v.first, v.vehicles)} exact on the first photo, ${percent(v.voted, v.vehicles)} voted; ` +
        `sure: photos ${percent(v.acceptedPhotos, v.photos)} (${v.wrongPhotos} wrong), votes ${percent(v.sure, v.vehicles)} (${v.wrongSure} wrong)`,
    )
  }
  if (values.sheet) {
    await contactSheet(scores[0]!.misses, values.sheet, 60)
    console.log(`misses of ${contenders[0]!.name}: ${values.sheet}`)
  }
  for (const c of contenders) await c.close()
}

async function race(contenders: readonly Contender[], rows: readonly Photo[]): Promise<Score[]> {
  const scores = contenders.map(() => new Score())
  for (const photo of rows) {
    const bytes = await readFile(photo.path)
    for (const [i, contender] of contenders.entries()) scores[i]!.add(photo, await contender.read(photo, bytes))
  }
  return scores
}

function table(name: string, score: Score): void {
  const cell = (set: SetScore) => ({
    photos: set.n,
    exact: percent(set.exact, set.n),
    any: percent(set.any, set.n),
    coverage: percent(set.accepted, set.n),
    'wrong of accepted': `${set.wrong} (${percent(set.wrong, set.accepted)})`,
  })
  console.log(name)
  console.table(Object.fromEntries([...score.sets].sort(([a], [b]) => (a.trim() < b.trim() ? -1 : 1)).map(([k, set]) => [k, cell(set)])))
  if (values.curve)
    console.table(
      score
        .curve(CONFIDENCES)
        .map((c) => ({ ...c, coverage: percent(c.readings, score.readings.length), 'wrong %': percent(c.wrong, c.readings) })),
    )
  const { scene, crop, whole } = score.times()
  console.log(
    `detect + read: scene p50 ${ms(scene.p50)} p99 ${ms(scene.p99)}, crop p50 ${ms(crop.p50)}; with decoding p50 ${ms(whole.p50)} p99 ${ms(whole.p99)}`,
  )
  console.log(
    `confusions: ${score
      .worst(16)
      .map(([what, n]) => `${what} ${n}`)
      .join(', ')}\n`,
  )
}

await main()
