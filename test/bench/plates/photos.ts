/** Labelled photos for scoring: a folder with labels.csv (file,country,text,lines,kind,[x1,y1,x2,y2,box_source,]use,…,[note]). */
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { packageRoot } from '../../../gateway/kernel/package-root.ts'
import type { Box } from '../../../models/geometry.ts'

export interface Photo {
  readonly path: string
  readonly file: string
  readonly country: string
  /** As labelled. */
  readonly text: string
  /** What can be read on the picture: the label, or what wrong-labels.json has for it; null where that is another vehicle's plate or not certain. */
  readonly shown: string | null
  readonly lines: string
  readonly crop: boolean
  /** The reader was trained on this very picture. */
  readonly trainedOn: boolean
  readonly yellow: boolean
  /** The plate's labelled box. */
  readonly box?: Box
  /** The box is the publisher's. Those of other models do not score a detector. */
  readonly published: boolean
}

/** A row of labels.csv by the names of its columns. */
export type Row = Readonly<Record<string, string>>

const COLUMNS = ['file', 'country', 'text', 'lines', 'kind', 'use'] as const

/** Labels found wrong by eye: file → what it really shows (see Photo.shown). docs/plates.md tells how they were found. */
const WRONG_LABELS = JSON.parse(readFileSync(join(packageRoot, 'test/bench/plates/wrong-labels.json'), 'utf8')) as Readonly<
  Record<string, string | null>
>

/**
 * Rows of `dir`/labels.csv with the given use ('' = all), every `every`th.
 * @throws Error when the file cannot be read or lacks a column
 */
export async function photos(dir: string, use: string, every: number): Promise<Photo[]> {
  const path = join(dir, 'labels.csv')
  const [head = [], ...lines] = (await readFile(path, 'utf8')).trim().split(/\r?\n/).map(cells)
  const lacking = COLUMNS.filter((name) => !head.includes(name))
  if (lacking.length > 0) throw new Error(`${path}: there is no column ${lacking.join(', ')}`)
  return lines
    .map((line): Row => Object.fromEntries(head.map((name, i) => [name, line[i] ?? ''])))
    .filter((row) => use === '' || row.use === use)
    .filter((_, i) => i % every === 0)
    .map((row) => photo(dir, row))
}

/** One line of CSV (RFC 4180): quoted cells may hold commas and doubled quotes. */
export function cells(line: string): string[] {
  return [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map((m) => m[1]!.replace(/^"|"$/g, '').replaceAll('""', '"'))
}

export function photo(dir: string, row: Row): Photo {
  const file = row.file!
  const wrong = WRONG_LABELS[file]
  return {
    path: join(dir, file),
    file,
    country: row.country!,
    text: row.text!,
    shown: wrong === undefined ? row.text! : wrong,
    lines: row.lines!,
    crop: row.kind === 'crop',
    trainedOn: trainedOn(row),
    // The note's first word is the plate's colour, where it has one: "yellow; Isuzu N-Series".
    yellow: /^yellow\b/.test(row.note ?? ''),
    ...(row.x1 && { box: { left: Number(row.x1), top: Number(row.y1), right: Number(row.x2), bottom: Number(row.y2) } }),
    published: row.box_source === 'source' || row.box_source === 'source-polygon',
  }
}

/** As models/training/real.py chooses: of the Chinese crops that may train, those that it does not hold back for validation. */
function trainedOn({ file, country, kind, use }: Row): boolean {
  const held = Buffer.from(basename(file!)).reduce((sum, byte) => sum + byte, 0) % 2 === 0
  return use === 'train' && kind === 'crop' && country === 'cn' && !held
}
