/** Plates of which something is hidden: what is left often fits the grammar of another plate and must never open a barrier. */
import fc from 'fast-check'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OnnxPlateReader } from '../../models/reader.ts'
import { plateScene } from '../harness/plate-picture.ts'
import type { PlateLook } from '../sim/draw/plate.ts'

let reader: OnnxPlateReader
beforeAll(async () => {
  reader = await OnnxPlateReader.open()
})
afterAll(() => reader.close())

const kinds: readonly (Omit<PlateLook, 'text'> & { start: string })[] = [
  { start: '24C', country: 'vn', colour: 'white', lines: 1 },
  { start: '29H', country: 'vn', colour: 'yellow', lines: 1 },
  { start: '24C', country: 'vn', colour: 'yellow', lines: 2 },
  { start: '15RM', country: 'vn', colour: 'white', lines: 1 },
  { start: '云G', country: 'cn', colour: 'blue', lines: 1 },
  { start: '云GD', country: 'cn', colour: 'green', lines: 1 },
]
/** The plate's left edge in the picture: plateScene puts it at 55 % of the width. */
const [WIDE, LEFT] = [800, 440]

interface Hidden {
  readonly look: PlateLook
  readonly plate: number
  /** Share of the plate's width. */
  readonly share: number
  readonly end: 'left' | 'right'
}
const hidden = fc.record({
  look: fc
    .tuple(fc.constantFrom(...kinds), fc.array(fc.nat(9), { minLength: 5, maxLength: 5 }))
    .map(([{ start, ...look }, digits]): PlateLook => ({ ...look, text: start + digits.join('') })),
  plate: fc.integer({ min: 90, max: 180 }),
  share: fc.double({ min: 0.03, max: 0.3, noNaN: true }),
  end: fc.constantFrom('left' as const, 'right' as const),
})
const scene = ({ look, plate }: Hidden) => plateScene(look, { width: WIDE, plate })

/** Where the hidden part ends or begins, pixels. */
const at = ({ plate, share, end }: Hidden) => Math.round(end === 'left' ? LEFT + share * plate : LEFT + plate - share * plate)

async function onlyRight(look: PlateLook, picture: Buffer): Promise<void> {
  const { plates } = await reader.read(picture)
  for (const plate of plates) if (plate.accepted) expect(plate.text).toBe(look.text)
}
const runs = { seed: 20261122, numRuns: 120, interruptAfterTimeLimit: 60_000 }

describe('a plate that is not all to be seen is not taken for another', () => {
  it('at the edge of the picture', async () => {
    await fc.assert(
      fc.asyncProperty(hidden, async (h) => {
        const [left, width] = h.end === 'left' ? [at(h), WIDE - at(h)] : [0, at(h)]
        const picture = await sharp(await scene(h))
          .extract({ left, top: 0, width, height: 450 })
          .jpeg()
          .toBuffer()
        const { plates } = await reader.read(picture)
        expect(plates.filter((p) => p.accepted)).toEqual([])
      }),
      runs,
    )
  })

  it('behind a post', async () => {
    await fc.assert(
      fc.asyncProperty(hidden, fc.constantFrom('#2b2e33', '#d9d9d4', '#c83b1e', '#56606a'), async (h, background) => {
        const left = h.end === 'left' ? LEFT - 60 : at(h)
        const width = h.end === 'left' ? at(h) - left : Math.round(h.plate * h.share) + 60
        const post = { create: { width, height: 450, channels: 3, background } } as const
        const picture = await sharp(await scene(h))
          .composite([{ input: post, left, top: 0 }])
          .jpeg()
          .toBuffer()
        await onlyRight(h.look, picture)
      }),
      runs,
    )
  })
})
