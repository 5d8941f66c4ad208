/** The detector by itself, at several sizes, on scenes whose box comes from those who published them. */
import { readFile } from 'node:fs/promises'
import { PlateFinder } from '../../../models/finder.ts'
import { area, type Box, bounds, common, enlarged } from '../../../models/geometry.ts'
import { decodePicture } from '../../../models/image.ts'
import { loadModels } from '../../../models/manifest.ts'
import type { Quad } from '../../../models/plate.ts'
import { READER } from '../../../models/reader.ts'
import { createSession } from '../../../models/runtime.ts'
import { median } from '../report.ts'
import type { Photo } from './photos.ts'

/** Long sides of the detector's input, pixels. */
const SIDES = [320, 448, 576, 736]
/** A find is the plate when their boxes share at least this much of both together. */
const SAME = 0.5

export interface DetectorScore {
  readonly side: number
  readonly photos: number
  /** With the plate among the finds, and with it as the one of the best score. */
  readonly found: number
  readonly first: number
  /** Of the plates found: what the find's box and the labelled one share, of both together. Mean, 0…1. */
  readonly shared: number
  /** Finds beside the plate, a picture: other vehicles' plates, which have no label, and mistakes. */
  readonly others: number
  /** Of one find, median. */
  readonly ms: number
}

export const hasBox = (photo: Photo): photo is Photo & { box: Box } => !photo.crop && photo.published && photo.box !== undefined

/** Finds as the reader does at its first look, at each of the sizes; no nearer looks. */
export async function detector(photos: readonly (Photo & { box: Box })[], threads: number): Promise<DetectorScore[]> {
  const { detector } = await loadModels()
  const finder = new PlateFinder(await createSession(detector.bytes, threads), detector)
  const tries = SIDES.map((side) => ({ side, shared: [] as number[], first: 0, others: 0, ms: [] as number[] }))
  for (const photo of photos) {
    const picture = await decodePicture(await readFile(photo.path), READER.readSide)
    for (const t of tries) {
      const since = performance.now()
      const finds = await finder.find(picture, t.side, READER.find, READER.most)
      t.ms.push(performance.now() - since)
      const shared = finds.map(({ quad }) => overlapOf(boxOf(quad, picture.scale), photo.box))
      const best = Math.max(0, ...shared)
      if (best >= SAME) t.shared.push(best)
      if (shared[0] !== undefined && shared[0] >= SAME) t.first++
      t.others += shared.filter((s) => s < SAME).length
    }
  }
  await finder.close()
  return tries.map(({ side, shared, first, others, ms }) => ({
    side,
    photos: photos.length,
    found: shared.length,
    first,
    shared: shared.reduce((sum, s) => sum + s, 0) / shared.length,
    others: others / photos.length,
    ms: median(ms),
  }))
}

/** The upright box around a quad, each side `scale` times as long. Pure. */
export const boxOf = (quad: Quad, scale: number): Box => bounds(enlarged(quad, scale))

/** Intersection over union. Pure. */
export function overlapOf(a: Box, b: Box): number {
  const both = common(a, b)
  return both / (area(a) + area(b) - both)
}
