/** The sets of photos that are scored each by itself. Pure. */
import { dirname } from 'node:path'
import type { Photo } from './photos.ts'

/** Widths in pixels from which plates are told apart. */
const WIDTHS = [0, 40, 60, 80, 100, 130, 170]

/**
 * The sets that a photo counts in: its kind, its country, its folder, yellow plates, trucks, trailers and two lines among them, and scenes by the
 * width of the plate. What the reader was trained on says nothing of others, so it counts in a set of its own only.
 */
export function setsOf(photo: Photo): string[] {
  const { country, crop, text, box } = photo
  const kind = crop ? 'crops' : 'scenes'
  if (photo.trainedOn) return [`${country} ${kind} trained on`]
  const sets = [`all ${kind}`, `${country} ${kind}`, `  ${dirname(photo.file)} ${kind}`]
  if (photo.yellow) sets.push(`${country} yellow, ${kind}`)
  if (truck(photo)) sets.push(`${country} trucks, ${kind}`)
  if (country === 'vn' && /^\d\dRM?\d/.test(text)) sets.push(`vn R and RM, ${kind}`)
  if (photo.lines === '2') sets.push(`${country} two lines, ${kind}`)
  if (box && !crop) sets.push(`${country} scenes, plate ${widthOf(box.right - box.left)} pixels wide`)
  return sets
}

function widthOf(width: number): string {
  const at = WIDTHS.findLastIndex((least) => width >= least)
  const least = String(WIDTHS[at]).padStart(3)
  return WIDTHS[at + 1] ? `${least} to ${WIDTHS[at + 1]}` : `from ${least}`
}

/** By habit lorries have series C, H and D, trailers R and RM, in Vietnam; in China a trailer ends in 挂. */
const truck = ({ country, text }: Photo): boolean => (country === 'vn' ? /^\d\d(?:[CHD]|RM?)\d/.test(text) : text.endsWith('挂'))
