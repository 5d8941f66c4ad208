import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { OnnxPlateReader } from '../../models/reader.ts'
import { glyph } from '../sim/draw/font.ts'
import { onto, pathData } from '../sim/draw/path.ts'
import { frame, HD, still, warmUp } from '../sim/draw/picture.ts'
import { drawPlate, type PlateLook } from '../sim/draw/plate.ts'
import { rng } from '../sim/random.ts'
import { frontPlate, trailerPlate } from '../sim/truck.ts'

const look = (text: string, lines: 1 | 2, colour: PlateLook['colour'] = 'yellow'): PlateLook => ({
  text,
  lines,
  colour,
  country: /^\d/.test(text) ? 'vn' : 'cn',
})

describe('plates', () => {
  test.each([
    [look('24C12345', 1), 520, 110],
    [look('24C1234', 1, 'white'), 520, 110],
    [look('29H67891', 2), 330, 165],
    [look('24RM01234', 2), 330, 165],
    [look('云G61A8D', 1, 'blue'), 440, 140],
    [look('云GB123挂', 2), 440, 220],
    [look('云G12345D', 1, 'green'), 480, 140],
  ])('%o has its true size, and all of it is on the plate', (plate, width, height) => {
    const drawn = drawPlate(plate)
    expect([drawn.width, drawn.height]).toEqual([width, height])
    // Ground, border and each character, at least.
    expect(drawn.shapes.length).toBeGreaterThanOrEqual(2 + [...plate.text].length)
    for (const { outline } of drawn.shapes) {
      for (const [, ...points] of outline) {
        for (const [x, y] of points) {
          expect(x).toBeGreaterThanOrEqual(-3)
          expect(x).toBeLessThanOrEqual(width + 3)
          expect(y).toBeGreaterThanOrEqual(-3)
          expect(y).toBeLessThanOrEqual(height + 3)
        }
      }
    }
  })

  test('fonts have every province and every letter, and say so when they have not', () => {
    for (const c of '京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼挂学警港澳ABCDEFGHJKLMNPQRSTUVWXYZ0123456789Đ') {
      expect(glyph(c).outline.length).toBeGreaterThan(2)
    }
    expect(() => glyph('\u{1F69A}')).toThrow('no font has the character')
  })

  test('a homography takes corners to corners', () => {
    const map = onto(100, 50, [
      [10, 10],
      [120, 20],
      [110, 80],
      [5, 70],
    ])
    const near = ([x, y]: readonly [number, number]) => [Math.round(x * 1e6) / 1e6, Math.round(y * 1e6) / 1e6]
    expect([near(map([0, 0])), near(map([100, 0])), near(map([100, 50])), near(map([0, 50]))]).toEqual([
      [10, 10],
      [120, 20],
      [110, 80],
      [5, 70],
    ])
    expect(pathData([['M', [0, 0]], ['L', [100, 0]], ['Z']], map)).toBe('M10 10L120 20Z')
  })
})

describe('pictures', () => {
  test('are JPEGs of the size asked for, the same for the same seed, another for the next frame', async () => {
    const view = { plate: look('24C12345', 1), side: 'front' as const, night: false }
    const [a, b] = [await still(view, 5, HD), await still(view, 5, HD)]
    const first = await frame(a, 0)
    expect(await sharp(first).metadata()).toMatchObject({ format: 'jpeg', width: 1280, height: 720 })
    expect((await frame(b, 0)).equals(first)).toBe(true)
    expect((await frame(a, 1)).equals(first)).toBe(false)
  })

  test('a truck without plates, one with two countries, and the far end of the view are drawn too', async () => {
    const bare = await still({ plate: null, side: 'rear', night: true }, 1)
    expect((await sharp(await frame(bare, 1, 0)).metadata()).width).toBe(960)
    const both = await still({ plate: look('24C12345', 1), second: look('云G12345', 1), side: 'front', night: false }, 1)
    expect((await sharp(await frame(both, 1, 7)).metadata()).width).toBe(960)
    await warmUp()
  })

  test('plates are 110 to 200 pixels wide and in the picture', async () => {
    for (let i = 0; i < 12; i++) {
      const r = rng('width', i)
      const country = i % 2 ? 'cn' : 'vn'
      const plate = i % 3 ? frontPlate(country, r) : trailerPlate(country, r)
      const { quad, size } = await still({ plate, side: i % 3 ? 'front' : 'rear', night: false }, i)
      const width = Math.hypot(quad[1][0] - quad[0][0], quad[1][1] - quad[0][1])
      expect(width).toBeGreaterThanOrEqual(105)
      expect(width).toBeLessThanOrEqual(200)
      for (const [x, y] of quad) {
        expect(x > 20 && x < size.width - 20 && y > 20 && y < size.height - 20).toBe(true)
      }
    }
  })

  test('the real reader reads nine of ten from a single frame, day and night', async () => {
    const reader = await OnnxPlateReader.open()
    const wrong: string[] = []
    const TRIES = 16
    for (let i = 0; i < TRIES; i++) {
      const r = rng('read', i)
      const country = i % 2 ? 'cn' : 'vn'
      const side = i % 4 < 2 ? 'front' : 'rear'
      const plate = side === 'front' ? frontPlate(country, r) : trailerPlate(country, r)
      const picture = await frame(await still({ plate, side, night: i % 8 === 3 }, `read ${i}`), i)
      const [best] = (await reader.read(picture)).plates
      if (best?.text !== plate.text) wrong.push(`${plate.text} as ${best?.text}`)
    }
    await reader.close()
    expect(wrong.length, wrong.join(', ')).toBeLessThanOrEqual(1)
  }, 120_000)
})
