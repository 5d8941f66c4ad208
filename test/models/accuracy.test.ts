/** Real photos, when there are any: LUONG_PLATES_DIR names a folder with labels.csv (file,country,text,lines,kind,…). */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { OnnxPlateReader } from '../../models/reader.ts'

const folder = process.env.LUONG_PLATES_DIR
/** Of each kind so many, evenly over the list: a check, not the score (docs/plates.md says how to score). */
const SAMPLE = 40
const FLOOR = { 'vn scene': 0.8, 'cn scene': 0.85, 'vn crop': 0.92, 'cn crop': 0.92 } as const

if (!folder) {
  it('without LUONG_PLATES_DIR the reader is tested on drawn plates only', () => {
    console.log('accuracy on real photos: not checked, LUONG_PLATES_DIR names no folder')
    expect(folder).toBeUndefined()
  })
} else {
  it.each(Object.entries(FLOOR))('%s: at least %d exact', { timeout: 300_000 }, async (group, floor) => {
    const [country, kind] = group.split(' ')
    const [head, ...lines] = (await readFile(join(folder, 'labels.csv'), 'utf8')).trim().split(/\r?\n/)
    const at = (name: string) => head!.split(',').indexOf(name)
    const all = lines.map((l) => l.split(',')).filter((r) => r[at('country')] === country && r[at('kind')] === kind)
    const step = Math.max(1, Math.floor(all.length / SAMPLE))
    const rows = all.filter((_, i) => i % step === 0).slice(0, SAMPLE)
    const reader = await OnnxPlateReader.open()
    let exact = 0
    for (const row of rows) {
      const { plates } = await reader.read(await readFile(join(folder, row[at('file')]!)), { crop: kind === 'crop' })
      if (plates[0]?.text === row[at('text')]) exact++
    }
    await reader.close()
    console.log(`accuracy, ${group}: ${exact} of ${rows.length} exact`)
    expect(exact / rows.length).toBeGreaterThanOrEqual(floor)
  })
}
