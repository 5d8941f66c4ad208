/** Real photos, when there are any: LUONG_PLATES_DIR names a folder with labels.csv (file,country,text,lines,kind,use,…). */
import { readFile } from 'node:fs/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Photo, photos } from '../bench/plates/photos.ts'
import { evenly } from '../bench/plates/sheet.ts'
import { ownReader } from '../harness/own-reader.ts'

const folder = process.env.LUONG_PLATES_DIR
/** Of each kind so many, evenly over the list: a check, not the score (docs/plates.md says how to score). */
const SAMPLE = 120
/** What docs/plates.md says of all rows, less what chance does to 120 of them. */
const FLOORS = Object.entries({ 'vn scene': 0.87, 'cn scene': 0.92, 'vn crop': 0.92, 'cn crop': 0.94 })
/** Of the accepted ones, against labels of which one or two in a hundred are wrong themselves. */
const MOST_WRONG = 0.04

const groupOf = ({ country, crop }: Photo) => `${country} ${crop ? 'crop' : 'scene'}`

interface Answer {
  readonly photo: Photo
  /** Of the best plate; '' when none was found. */
  readonly text: string
  readonly accepted: boolean
}
const exact = ({ photo, text }: Answer) => photo.text === text
const told = (wrong: readonly Answer[]) =>
  wrong.map(({ photo, text }) => `${photo.file} says ${photo.text}, read ${text || 'none'}`).join('; ')

if (!folder) {
  it('without LUONG_PLATES_DIR the reader is tested on drawn plates only', () => {
    console.log('accuracy on real photos: not checked, LUONG_PLATES_DIR names no folder')
    expect(folder).toBeUndefined()
  })
} else {
  describe('of real photos that nothing was trained on', () => {
    const reader = ownReader()
    const answers: Answer[] = []
    beforeAll(async () => {
      const rows = (await photos(folder, '', 1)).filter((p) => !p.trainedOn)
      for (const [group] of FLOORS) {
        for (const photo of evenly(
          rows.filter((r) => groupOf(r) === group),
          SAMPLE,
        )) {
          const [best] = (await reader.read(await readFile(photo.path), { crop: photo.crop })).plates
          answers.push({ photo, text: best?.text ?? '', accepted: best?.accepted ?? false })
        }
      }
    }, 300_000)

    it.each(FLOORS)('%s: at least %d exact', (group, floor) => {
      expect(answers.filter((a) => groupOf(a.photo) === group)).toHaveLength(SAMPLE)
      const missed = answers.filter((a) => groupOf(a.photo) === group && !exact(a))
      console.log(`accuracy, ${group}: ${SAMPLE - missed.length} of ${SAMPLE} exact; ${told(missed)}`)
      expect(1 - missed.length / SAMPLE).toBeGreaterThanOrEqual(floor)
    })

    it(`at most ${MOST_WRONG * 100} % of the accepted ones differ from their labels`, () => {
      const accepted = answers.filter((a) => a.accepted)
      const wrong = accepted.filter((a) => !exact(a))
      console.log(`accuracy: ${accepted.length} of ${answers.length} accepted, ${wrong.length} differ from their labels; ${told(wrong)}`)
      expect(accepted.length).toBeGreaterThan(0)
      expect(wrong.length / accepted.length).toBeLessThanOrEqual(MOST_WRONG)
    })
  })
}
