/** Plates of which something is hidden: what is left often fits the grammar of another plate and must never open a barrier. */
import fc from 'fast-check'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { anyPlate, type PlateKind } from '../harness/any-plate.ts'
import { ownReader } from '../harness/own-reader.ts'
import { platePicture, plateScene } from '../harness/plate-picture.ts'
import type { PlateLook } from '../sim/draw/plate.ts'

const reader = ownReader()

const kinds: readonly PlateKind[] = [
  { start: '24C', country: 'vn', colour: 'white', lines: 1 },
  { start: '29H', country: 'vn', colour: 'yellow', lines: 1 },
  { start: '24C', country: 'vn', colour: 'yellow', lines: 2 },
  { start: '15RM', country: 'vn', colour: 'white', lines: 1 },
  { start: '云G', country: 'cn', colour: 'blue', lines: 1 },
  { start: '云GD', country: 'cn', colour: 'green', lines: 1 },
]
/** The plate's left and upper edges in the picture: plateScene puts them at 55 % of the width and half of the height. */
const [WIDE, HIGH, LEFT, TOP] = [800, 450, 440, 225]

interface Hidden {
  readonly look: PlateLook
  readonly plate: number
  /** Share of the plate that is hidden. */
  readonly share: number
  readonly end: 'left' | 'right'
}
const hidden = fc.record({
  look: anyPlate(kinds),
  plate: fc.integer({ min: 90, max: 180 }),
  share: fc.double({ min: 0.03, max: 0.3, noNaN: true }),
  end: fc.constantFrom('left' as const, 'right' as const),
})
const scene = ({ look, plate }: Hidden) => plateScene(look, { width: WIDE, plate })

/** Where the hidden part of a plate ends or begins that goes from `from` on for `length`, pixels. */
const cutAt = ({ share, end }: Hidden, from: number, length: number) => Math.round(from + (end === 'left' ? share : 1 - share) * length)

async function onlyRight(look: PlateLook, picture: Buffer): Promise<void> {
  const { plates } = await reader.read(picture)
  for (const plate of plates) if (plate.accepted) expect(plate.text).toBe(look.text)
}
const runs = { seed: 20261122, numRuns: 120, interruptAfterTimeLimit: 60_000 }

/** The picture cut off so that it ends or begins within the plate. */
async function cutOff(h: Hidden, across: boolean): Promise<Buffer> {
  const { height: plateHeight } = await sharp(await platePicture(h.look, h.plate)).metadata()
  const cut = across ? cutAt(h, LEFT, h.plate) : cutAt(h, TOP, plateHeight!)
  const [start, length] = h.end === 'left' ? [cut, (across ? WIDE : HIGH) - cut] : [0, cut]
  const area = across ? { left: start, top: 0, width: length, height: HIGH } : { left: 0, top: start, width: WIDE, height: length }
  return sharp(await scene(h))
    .extract(area)
    .jpeg()
    .toBuffer()
}

describe('a plate that is not all to be seen is not taken for another', () => {
  it('at the edge of the picture', async () => {
    await fc.assert(
      fc.asyncProperty(hidden, fc.boolean(), async (h, across) => {
        await onlyRight(h.look, await cutOff(h, across))
      }),
      runs,
    )
  })

  it('behind a post', async () => {
    // A green plate of eight characters without its last one is an ordinary one of seven but for its colour: a known weakness (docs/plates.md).
    const others = hidden.filter((h) => h.look.colour !== 'green')
    await fc.assert(
      fc.asyncProperty(others, fc.constantFrom('#2b2e33', '#d9d9d4', '#c83b1e', '#56606a'), async (h, background) => {
        const cut = cutAt(h, LEFT, h.plate)
        const left = h.end === 'left' ? LEFT - 60 : cut
        const right = h.end === 'left' ? cut : LEFT + h.plate + 60
        const post = { create: { width: right - left, height: HIGH, channels: 3, background } } as const
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
