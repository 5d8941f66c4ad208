/** Two vehicles in one picture: only the nearer one may open the barrier, and its dirt must not hand the lane to the one behind it. */
import fc from 'fast-check'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { anyPlate, type PlateKind } from '../harness/any-plate.ts'
import { ownReader } from '../harness/own-reader.ts'
import { greyScene, platePicture } from '../harness/plate-picture.ts'
import { drawPlate, type PlateLook } from '../sim/draw/plate.ts'

const reader = ownReader()

const kinds: readonly PlateKind[] = [
  { start: '24C', country: 'vn', colour: 'white', lines: 1 },
  { start: '29H', country: 'vn', colour: 'yellow', lines: 1 },
  { start: '24C', country: 'vn', colour: 'yellow', lines: 2 },
  { start: '云G', country: 'cn', colour: 'blue', lines: 1 },
  { start: '云A', country: 'cn', colour: 'yellow', lines: 2 },
]
const plate = anyPlate(kinds)
const runs = { seed: 20261122, numRuns: 80, interruptAfterTimeLimit: 60_000 }

/** Pixels a millimetre at the barrier and behind. */
const [NEAR, FAR] = [0.55, 0.2]
const drawn = (look: PlateLook, scale: number) => platePicture(look, Math.round(drawPlate(look).width * scale))

/** A plate far behind, and what stands before it. */
const withFar = async (far: PlateLook, near: Buffer) =>
  greyScene([
    { input: await drawn(far, FAR), left: 140, top: 150 },
    { input: near, left: 640, top: 420 },
  ])

/** `near`: the picture of the plate before it. */
async function expectNotSure(far: PlateLook, near: Buffer, whose: PlateLook): Promise<void> {
  const { plates } = await reader.read(await withFar(far, near))
  for (const p of plates) expect(p.accepted && p.text === far.text, `${far.text} behind ${whose.text}`).toBe(false)
}

describe('a vehicle behind another one', () => {
  it('is not sure, whatever covers an end of the plate of the one before it', async () => {
    const cover = fc.record({
      share: fc.double({ min: 0.03, max: 0.25, noNaN: true }),
      end: fc.constantFrom('left', 'right'),
      background: fc.constantFrom('#2b2e33', '#d9d9d4', '#54463a', '#56606a'),
    })
    await fc.assert(
      fc.asyncProperty(plate, plate, cover, async (far, near, { share, end, background }) => {
        fc.pre(far.text !== near.text)
        const clean = await drawn(near, NEAR)
        const { width, height } = await sharp(clean).metadata()
        const hidden = Math.round(share * width!)
        const mud = { create: { width: hidden, height: height!, channels: 3, background } } as const
        const dirty = await sharp(clean)
          .composite([{ input: mud, left: end === 'left' ? 0 : width! - hidden, top: 0 }])
          .toBuffer()
        await expectNotSure(far, dirty, near)
      }),
      runs,
    )
  })

  it('nor when that one moves and is blurred', async () => {
    await fc.assert(
      fc.asyncProperty(plate, plate, fc.double({ min: 2, max: 4, noNaN: true }), async (far, near, sigma) => {
        fc.pre(far.text !== near.text)
        const blurred = await sharp(await drawn(near, NEAR))
          .blur(sigma)
          .toBuffer()
        await expectNotSure(far, blurred, near)
      }),
      runs,
    )
  })
})

describe('a vehicle with none before it', () => {
  it('is sure beside a door, a lamp and a telephone number', async () => {
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="420" height="220"><rect width="420" height="220" fill="#c9cdd2"/>
      <circle cx="60" cy="110" r="40" fill="#e8c060"/><text x="120" y="130" font-size="44" font-family="sans-serif">0912.345.678</text></svg>`
    const { plates } = await reader.read(await withFar({ text: '24C12345', ...kinds[0]! }, await sharp(Buffer.from(svg)).png().toBuffer()))
    expect(plates[0]).toMatchObject({ text: '24C12345', accepted: true })
  })

  it('is sure by both of its plates, a long and a short one', async () => {
    const scene = await greyScene([
      { input: await drawn({ text: '29H12345', country: 'vn', colour: 'yellow', lines: 1 }, NEAR / 1.4), left: 300, top: 300 },
      { input: await drawn({ text: '云G13579', country: 'cn', colour: 'yellow', lines: 2 }, NEAR / 1.4), left: 640, top: 290 },
    ])
    const { plates } = await reader.read(scene)
    expect(plates.map((p) => [p.text, p.accepted]).sort()).toEqual([
      ['29H12345', true],
      ['云G13579', true],
    ])
  })
})
