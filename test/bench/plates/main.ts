/**
 * `npm run bench:plates -- --photos DIR [--use test] [--every N] [--threads N] [--sheet FILE.png] [--alone] [--curve] [--calibrate] [--votes]`: our
 * reader beside PP-OCR from npm on the same photos, one after the other on each, in one process. `--detector`: our detector by itself instead.
 * Asserts nothing.
 */
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { load, machine } from '../report.ts'
import { LOOSE } from './calibration.ts'
import { type Contender, ours, ppOcr } from './contenders.ts'
import { detector, hasBox } from './detector.ts'
import { type Photo, photos } from './photos.ts'
import { misses, type Outcome, outcome, type Result, unseen } from './score.ts'
import { contactSheet } from './sheet.ts'
import { percent, printCalibration, printConfusions, printCurve, printDetector, printReliability, printSets, printTimes } from './tables.ts'
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
    calibrate: { type: 'boolean', default: false },
    detector: { type: 'boolean', default: false },
  },
})

/** Tiles of the contact sheet. */
const SHOWN = 60

async function main(): Promise<void> {
  if (!values.photos) {
    process.stderr.write('--photos names a folder with labels.csv and its pictures; without photos there is nothing to compare\n')
    process.exitCode = 2
    return
  }
  const all = await photos(values.photos, values.use, Number(values.every))
  const threads = Number(values.threads)
  console.log(`${all.length} photos of ${values.photos}${values.use ? `, use ${values.use}` : ''}; ${threads} thread(s)`)
  console.log(`${machine()}; load ${load()} before; ${new Date().toISOString().slice(0, 16)}\n`)
  if (values.detector) printDetector(await detector(all.filter(hasBox), threads))
  else await compare(all, threads)
  if (values.votes) await printVotes(all, threads)
  console.log(`load ${load()} after`)
}

async function compare(all: readonly Photo[], threads: number): Promise<void> {
  const contenders = [await ours(threads, values.calibrate ? LOOSE : undefined), ...(values.alone ? [] : [await ppOcr(threads)])]
  const results = await race(contenders, all)
  for (const { name, outcomes } of results) {
    console.log(name)
    printSets(outcomes)
    if (values.curve) {
      printCurve(outcomes)
      printReliability(outcomes)
    }
    printConfusions(outcomes)
  }
  printTimes(results)
  const { name, outcomes } = results[0]!
  if (values.calibrate) printCalibration(outcomes)
  if (values.sheet) {
    const missed = misses(unseen(outcomes))
    await contactSheet(missed, values.sheet, SHOWN)
    console.log(`${Math.min(SHOWN, missed.length)} of ${missed.length} misses of ${name}, labels put right: ${values.sheet}`)
  }
}

async function race(contenders: readonly Contender[], all: readonly Photo[]): Promise<Result[]> {
  const results = contenders.map((contender) => ({ contender, name: contender.name, outcomes: [] as Outcome[] }))
  for (const photo of all) {
    // Read once beforehand, or the first contender would wait for the disk.
    await readFile(photo.path)
    for (const { contender, outcomes } of results) outcomes.push(outcome(photo, await contender.read(photo)))
  }
  for (const { contender } of results) await contender.close()
  return results
}

async function printVotes(all: readonly Photo[], threads: number): Promise<void> {
  const v = await votes(all, threads)
  console.log(
    `vote over ${v.photos} photos of ${v.vehicles} vehicles: ${percent(v.first, v.vehicles)} exact on the first photo, ${percent(v.voted, v.vehicles)} voted; ` +
      `sure: photos ${percent(v.acceptedPhotos, v.photos)} (${v.wrongPhotos} wrong), votes ${percent(v.sure, v.vehicles)} (${v.wrongSure} wrong)`,
  )
}

await main()
