import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Box, band, boxAround, corners, grow, hull, minAreaBox, overlap } from '../../models/geometry.ts'
import type { Quad } from '../../models/plate.ts'

const close = (a: number, b: number, by = 1e-6) => expect(Math.abs(a - b)).toBeLessThan(by)
const boxes = fc.record({
  cx: fc.double({ min: -500, max: 500, noNaN: true }),
  cy: fc.double({ min: -500, max: 500, noNaN: true }),
  width: fc.double({ min: 20, max: 300, noNaN: true }),
  height: fc.double({ min: 5, max: 15, noNaN: true }),
  angle: fc.double({ min: -0.7, max: 0.7, noNaN: true }),
})

describe('boxes', () => {
  it('have their corners clockwise from the top left', () => {
    expect(corners({ cx: 10, cy: 20, width: 8, height: 4, angle: 0 })).toEqual([
      [6, 18],
      [14, 18],
      [14, 22],
      [6, 22],
    ])
  })
  it('grow on each side', () => {
    expect(grow({ cx: 0, cy: 0, width: 8, height: 4, angle: 0.1 }, 1, 2)).toEqual({ cx: 0, cy: 0, width: 10, height: 8, angle: 0.1 })
  })
  it('bands share the box without a gap, whatever its direction', () => {
    fc.assert(
      fc.property(boxes, (box) => {
        const all = [...corners(band(box, 0, 0.4)), ...corners(band(box, 0.4, 1))]
        const again = boxAround(all, box.angle)
        close(again.width, box.width, 1e-3)
        close(again.height, box.height, 1e-3)
        close(again.cx, box.cx, 1e-3)
        close(band(box, 0, 0.4).height, 0.4 * box.height)
      }),
    )
  })
  it('are found again from points on their rim', () => {
    fc.assert(
      fc.property(boxes, (box) => {
        const [a, b, c, d] = corners(box)
        const mid: Quad = [
          [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2],
          [(b[0] + c[0]) / 2, (b[1] + c[1]) / 2],
          [(c[0] + d[0]) / 2, (c[1] + d[1]) / 2],
          [(d[0] + a[0]) / 2, (d[1] + a[1]) / 2],
        ]
        const found = minAreaBox([...mid, a, b, c, d])
        close(found.cx, box.cx, 1e-3)
        close(found.cy, box.cy, 1e-3)
        close(found.width * found.height, box.width * box.height, box.width * box.height * 2e-3)
        close(found.angle, box.angle, 0.02)
      }),
    )
  })
  it('of any points hold all of them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 99 }), fc.integer({ min: 0, max: 99 })), { minLength: 1, maxLength: 40 }),
        (points) => {
          const found: Box = minAreaBox(points)
          const again = boxAround([...points, ...corners(found)], found.angle)
          close(again.width, found.width, 1e-3)
          close(again.height, found.height, 1e-3)
          expect(Math.abs(found.angle)).toBeLessThanOrEqual(Math.PI / 4 + 1e-9)
        },
      ),
    )
  })
  it('the hull drops points inside', () => {
    expect(
      hull([
        [0, 0],
        [4, 0],
        [4, 4],
        [0, 4],
        [2, 2],
        [1, 3],
      ]),
    ).toHaveLength(4)
  })
})

describe('overlap', () => {
  const at = (x: number, y: number, w: number, h: number): Quad => corners({ cx: x + w / 2, cy: y + h / 2, width: w, height: h, angle: 0 })
  it('is the share of the smaller one', () => {
    expect(overlap(at(0, 0, 10, 10), at(20, 0, 10, 10))).toBe(0)
    expect(overlap(at(0, 0, 10, 10), at(0, 0, 10, 10))).toBe(1)
    expect(overlap(at(0, 0, 100, 100), at(10, 10, 10, 10))).toBe(1)
    close(overlap(at(0, 0, 10, 10), at(5, 0, 10, 10)), 0.5)
  })
})
