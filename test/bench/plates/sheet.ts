/** A contact sheet of misses: the picture, what is on it, what was read. */
import sharp from 'sharp'
import type { Outcome } from './score.ts'

const TILE = { width: 240, height: 190, picture: 150 } as const
const COLUMNS = 6

const escaped = (s: string): string => s.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c]!)

/** At most `most` of them, spread evenly over all. Pure. */
export function evenly<T>(all: readonly T[], most: number): T[] {
  const n = Math.min(most, all.length)
  return Array.from({ length: n }, (_, i) => all[Math.floor((i * all.length) / n)]!)
}

/** Writes some of the misses, at most `most`, to `path`. */
export async function contactSheet(misses: readonly Outcome[], path: string, most: number): Promise<void> {
  const shown = evenly(misses, most)
  const rows = Math.max(1, Math.ceil(shown.length / COLUMNS))
  const tiles = await Promise.all(
    shown.map(async ({ photo, best, answer: { accepted } }, i) => {
      const left = (i % COLUMNS) * TILE.width
      const top = Math.floor(i / COLUMNS) * TILE.height
      const input = await sharp(photo.path).resize(TILE.width, TILE.picture, { fit: 'contain', background: '#222' }).jpeg().toBuffer()
      const words = `<svg width="${TILE.width}" height="40"><g font-family="sans-serif" font-size="14" fill="#eee">
        <text x="4" y="15">${escaped(photo.shown ?? '')}</text>
        <text x="4" y="33" fill="${accepted ? '#f66' : '#fb6'}">${escaped(best || 'nothing')}${accepted ? ' (sure)' : ''}</text></g></svg>`
      return [
        { input, left, top },
        { input: Buffer.from(words), left, top: top + TILE.picture },
      ]
    }),
  )
  await sharp({ create: { width: COLUMNS * TILE.width, height: rows * TILE.height, channels: 3, background: '#222' } })
    .composite(tiles.flat())
    .png()
    .toFile(path)
}
