/** What the vote over frames adds: photos of the same vehicle (same folder and label) as if they were frames of one passage. */
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { addReads, emptyVote, tally } from '../../../gateway/identity/vote.ts'
import { OnnxPlateReader } from '../../../models/reader.ts'
import type { Photo } from './photos.ts'

export interface VoteScore {
  readonly vehicles: number
  readonly photos: number
  /** Right as the best of the first photo alone, and as the first of the vote. */
  readonly first: number
  readonly voted: number
  /** Sure: accepted photos alone of all photos, sure votes of all vehicles; and the wrong ones among them. */
  readonly acceptedPhotos: number
  readonly wrongPhotos: number
  readonly sure: number
  readonly wrongSure: number
}

/** The site's defaults (config/schema/site.ts). */
const OPTIONS = { minFrames: 2, minWeakest: 0.6 }

/** Reads every scene whose vehicle is on at least two of them. */
export async function votes(rows: readonly Photo[], threads: number): Promise<VoteScore> {
  const vehicles = new Map<string, Photo[]>()
  for (const row of rows) {
    if (row.crop) continue
    const key = `${dirname(row.file)} ${row.text}`
    vehicles.set(key, [...(vehicles.get(key) ?? []), row])
  }
  const reader = await OnnxPlateReader.open({ threads })
  const score = { vehicles: 0, photos: 0, first: 0, voted: 0, acceptedPhotos: 0, wrongPhotos: 0, sure: 0, wrongSure: 0 }
  for (const photos of vehicles.values()) {
    if (photos.length < 2) continue
    const { text } = photos[0]!
    let vote = emptyVote
    for (const [i, photo] of photos.entries()) {
      const { plates } = await reader.read(await readFile(photo.path))
      const best = plates[0]
      vote = addReads(vote, 'front', plates)
      score.photos++
      if (i === 0 && best?.text === text) score.first++
      if (best?.accepted) score.acceptedPhotos++
      if (best?.accepted && best.text !== text) score.wrongPhotos++
    }
    const [winner] = tally(vote, OPTIONS)
    score.vehicles++
    if (winner?.text === text) score.voted++
    if (winner?.sure) score.sure++
    if (winner?.sure && winner.text !== text) score.wrongSure++
  }
  await reader.close()
  return score
}
