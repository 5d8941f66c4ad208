import { describe, expect, it } from 'vitest'
import { around, type CentreMap, peaks } from '../../models/finder.ts'
import { fitted } from '../../models/fit.ts'
import type { Raster } from '../../models/image.ts'
import type { Quad } from '../../models/plate.ts'

const MODEL = { stride: 8, unit: 32, step: 32 }

/** A map of 20 × 10 cells with plates of 64 × 16 pixels around the given cells. */
function mapWith(cells: readonly (readonly [x: number, y: number, score: number, flip?: boolean])[]): CentreMap {
  const [width, height] = [20, 10]
  const map = { width, height, score: new Float32Array(width * height), corners: new Float32Array(8 * width * height) }
  for (const [x, y, score, flip] of cells) {
    const at = y * width + x
    map.score[at] = score
    const corners = [-32, -8, 32, -8, 32, 8, -32, 8].map((v) => (flip ? -v : v))
    corners.forEach((v, k) => {
      map.corners[k * width * height + at] = v / 32 + (flip && k % 2 ? 0 : 0)
    })
    if (flip) for (let k = 0; k < 8; k += 2) map.corners[k * width * height + at]! *= -1
  }
  return map
}

describe('peaks of the centre map', () => {
  it('are none in nothing', () => {
    expect(peaks(mapWith([]), MODEL, 0.2, 5)).toEqual([])
  })
  it('have corners in pixels, best first', () => {
    const found = peaks(
      mapWith([
        [4, 2, 0.6],
        [14, 7, 0.9],
      ]),
      MODEL,
      0.2,
      5,
    )
    expect(found.map((f) => f.score)).toEqual([expect.closeTo(0.9, 5), expect.closeTo(0.6, 5)])
    expect(found[1]!.quad).toEqual([
      [4, 12],
      [68, 12],
      [68, 28],
      [4, 28],
    ])
  })
  it('are maxima of their surroundings, the first of equals, over the threshold, at most so many', () => {
    const cells = [
      [4, 2, 0.6],
      [5, 2, 0.7],
      [5, 3, 0.7],
      [12, 8, 0.1],
    ] as const
    expect(peaks(mapWith(cells), MODEL, 0.2, 5).map((f) => f.score)).toEqual([expect.closeTo(0.7, 5)])
    expect(peaks(mapWith([...cells, [14, 5, 0.5]]), MODEL, 0.2, 1)).toHaveLength(1)
  })
  it('leave out what overlaps a better one, and quads that are turned inside out', () => {
    const found = peaks(
      mapWith([
        [4, 2, 0.6],
        [6, 2, 0.9],
        [14, 6, 0.8, true],
      ]),
      MODEL,
      0.2,
      5,
    )
    expect(found.map((f) => f.score)).toEqual([expect.closeTo(0.9, 5)])
  })
})

describe('the piece around a plate', () => {
  it('has the plate in its middle, less than half of its width', () => {
    const piece = around([
      [100, 50],
      [200, 50],
      [200, 70],
      [100, 70],
    ])
    expect(piece.flat().map(Math.round)).toEqual([45, -10, 255, -10, 255, 130, 45, 130])
  })
  it('is wide enough for a plate of two lines', () => {
    const [[left], [right]] = around([
      [0, 0],
      [60, 0],
      [60, 45],
      [0, 45],
    ])
    expect(right - left).toBeCloseTo(2.1 * 45 * 1.5)
  })
  it('slopes with the long edges and stands upright', () => {
    for (const degrees of [-40, -10, 0, 25, 55]) {
      const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)]
      // As the detector sees it: a turned rectangle of 80 × 20.
      const quad = [-1, 1, 1, -1].map((u, i) => [40 * u * cos - (i < 2 ? -10 : 10) * sin, 40 * u * sin + (i < 2 ? -10 : 10) * cos])
      const [a, b, c, d] = around(quad as unknown as Quad)
      expect(Math.atan2(b[1] - a[1], b[0] - a[0])).toBeCloseTo((degrees * Math.PI) / 180)
      expect(d[0]).toBeCloseTo(a[0])
      expect(c[0]).toBeCloseTo(b[0])
      expect(d[1] - a[1]).toBeCloseTo((2.1 * 80) / 1.5)
      expect(a[0] + c[0]).toBeCloseTo(0)
      expect(a[1] + c[1]).toBeCloseTo(0)
    }
  })
})

describe('fitting a picture to the detector', () => {
  const plain = (width: number, height: number, value: (x: number, y: number) => number): Raster => ({
    width,
    height,
    data: Uint8Array.from({ length: width * height * 3 }, (_, i) => value(Math.floor(i / 3) % width, Math.floor(i / 3 / width))),
  })
  it('keeps the shape, in the corner of a canvas of whole steps, grey beside it', () => {
    const out = fitted(
      plain(1280, 720, () => 200),
      448,
      32,
    )
    expect([out.width, out.height]).toEqual([448, 256])
    expect(out.scale).toBeCloseTo(1280 / 448)
    expect(out.data[(251 * 448 + 447) * 3]).toBe(200)
    expect(out.data[(252 * 448 + 10) * 3]).toBe(114)
  })
  it('averages what it shrinks: stripes become grey', () => {
    const out = fitted(
      plain(1344, 640, (x) => (x % 3 === 0 ? 255 : 0)),
      448,
      32,
    )
    expect(out.data[(50 * 448 + 100) * 3]).toBe(85)
  })
  it('enlarges small pictures, at most threefold', () => {
    const out = fitted(
      plain(100, 40, (x) => x * 2),
      448,
      32,
    )
    expect([out.width, out.height]).toEqual([320, 128])
    expect(out.scale).toBeCloseTo(1 / 3)
    expect(Math.abs(out.data[(60 * 320 + 150) * 3]! - 99)).toBeLessThan(2)
    expect(
      fitted(
        plain(8, 8, () => 9),
        448,
        32,
      ).data.subarray(0, 3),
    ).toEqual(new Uint8Array([9, 9, 9]))
  })
})
