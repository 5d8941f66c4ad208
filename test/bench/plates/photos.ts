/** Labelled photos for scoring: a folder with labels.csv (file,country,text,lines,kind,…,use,…). */
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

export interface Photo {
  readonly path: string
  readonly file: string
  readonly country: string
  readonly text: string
  readonly lines: string
  readonly crop: boolean
}

/**
 * Rows of `dir`/labels.csv with the given use ('' = all), every `every`th.
 * @throws Error when the file cannot be read or lacks a column
 */
export async function photos(dir: string, use: string, every: number): Promise<Photo[]> {
  const path = join(dir, 'labels.csv')
  const [head, ...lines] = (await readFile(path, 'utf8')).trim().split(/\r?\n/).map(cells)
  const column = (name: string): number => {
    const at = head?.indexOf(name) ?? -1
    if (at < 0) throw new Error(`${path}: there is no column ${name}`)
    return at
  }
  const [file, country, text, lineCount, kind, used] = ['file', 'country', 'text', 'lines', 'kind', 'use'].map(column) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  return lines
    .filter((row) => use === '' || row[used] === use)
    .filter((_, i) => i % every === 0)
    .map((row) => ({
      path: join(dir, row[file]!),
      file: row[file]!,
      country: row[country]!,
      text: row[text]!,
      lines: row[lineCount] ?? '',
      crop: row[kind] === 'crop',
    }))
}

/** One line of CSV (RFC 4180): quoted cells may hold commas and doubled quotes. */
function cells(line: string): string[] {
  return [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map((m) => m[1]!.replace(/^"|"$/g, '').replaceAll('""', '"'))
}

/** The sets that a photo counts in: its country and kind, its folder, and the trucks among them. */
export function setsOf(photo: Photo): string[] {
  const kind = photo.crop ? 'crops' : 'scenes'
  const sets = [`${photo.country} ${kind}`, `  ${dirname(photo.file)} ${kind}`]
  if (truck(photo)) sets.push(`${photo.country} trucks, ${kind}`)
  if (photo.lines === '2') sets.push(`${photo.country} two lines, ${kind}`)
  return sets
}

/** By habit lorries have series C, H and D, trailers R and RM, in Vietnam; in China a trailer ends in 挂. */
const truck = ({ country, text }: Photo): boolean => (country === 'vn' ? /^\d\d(?:[CHD]|RM?)\d/.test(text) : text.endsWith('挂'))
