import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bounds, convex, overlap, sides } from '../../models/geometry.ts'
import { fromUnitSquare, project, rectify } from '../../models/homography.ts'
import type { Point, Quad } from '../../models/plate.ts'

const at = (x: number, y: number, w: number, h: number): Quad => [
  [x, y],
  [x + w, y],
  [x + w, y + h],
  [x, y + h],
]
const off = fc.double({ min: -12, max: 12, noNaN: true })
/** A 100 × 40 rectangle with each corner moved a little: always convex. */
const quads = fc.tuple(off, off, off, off, off, off, off, off).map(
  (d): Quad => [
    [50 + d[0], 30 + d[1]],
    [150 + d[2], 30 + d[3]],
    [150 + d[4], 70 + d[5]],
    [50 + d[6], 70 + d[7]],
  ],
)

describe('quads', () => {
  it('have sides', () => {
    expect(sides(at(3, 4, 20, 10))).toEqual({ width: 20, height: 10 })
  })
  it('are convex when their corners go round clockwise', () => {
    const [a, b, c, d] = at(0, 0, 10, 10)
    expect(convex([a, b, c, d])).toBe(true)
    expect(convex([b, a, d, c])).toBe(false)
    expect(convex([a, c, b, d])).toBe(false)
    expect(convex([a, b, [3, 3], d])).toBe(false)
    expect(convex([a, a, a, a])).toBe(false)
  })
  it('have an upright box around them', () => {
    const turned: Quad = [
      [5, 0],
      [10, 1],
      [9, 5],
      [0, 4],
    ]
    expect(bounds(turned)).toEqual({ left: 0, top: 0, right: 10, bottom: 5 })
  })
  it('overlap by a share of the smaller one', () => {
    expect(overlap(at(0, 0, 10, 10), at(20, 0, 10, 10))).toBe(0)
    expect(overlap(at(0, 0, 10, 10), at(0, 0, 10, 10))).toBe(1)
    expect(overlap(at(0, 0, 100, 100), at(10, 10, 10, 10))).toBe(1)
    expect(overlap(at(0, 0, 10, 10), at(5, 0, 10, 10))).toBeCloseTo(0.5)
  })
})

describe('the map of the unit square', () => {
  it('leads its corners to the quad, and straight lines to straight lines', () => {
    fc.assert(
      fc.property(quads, fc.double({ min: 0, max: 1, noNaN: true }), (quad, t) => {
        const map = fromUnitSquare(quad)
        const corners: Point[] = [project(map, 0, 0), project(map, 1, 0), project(map, 1, 1), project(map, 0, 1)]
        corners.forEach((p, i) => {
          expect(p[0]).toBeCloseTo(quad[i]![0], 6)
          expect(p[1]).toBeCloseTo(quad[i]![1], 6)
        })
        const [p, q, r] = [project(map, 0, 0), project(map, t, t), project(map, 1, 1)]
        expect((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])).toBeCloseTo(0, 5)
      }),
    )
  })
  it('stays affine where corners coincide', () => {
    expect(project(fromUnitSquare(at(2, 2, 0, 0)), 0.5, 0.5)).toEqual([2, 2])
  })
})

describe('rectifying', () => {
  /** Red grows to the right, green downwards. */
  const ramp = { data: new Uint8Array(200 * 100 * 3), width: 200, height: 100 }
  for (let y = 0; y < 100; y++) for (let x = 0; x < 200; x++) ramp.data.set([x, y * 2, 77], (y * 200 + x) * 3)

  it('gives the pixels under the map, whatever the quad', () => {
    fc.assert(
      fc.property(quads, fc.constantFrom(0, 0.05, -0.02), (quad, margin) => {
        const to = new Uint8Array(60 * 20 * 3 + 3)
        rectify(ramp, quad, margin, 60, 20, to, 3)
        expect([...to.subarray(0, 3)]).toEqual([0, 0, 0])
        const map = fromUnitSquare(quad)
        for (const [x, y] of [
          [0, 0],
          [30, 10],
          [59, 19],
        ] as const) {
          const inside = 1 - 2 * margin
          const [px, py] = project(map, ((x + 0.5) / 60 - margin) / inside, ((y + 0.5) / 20 - margin) / inside)
          const o = 3 + (y * 60 + x) * 3
          expect(Math.abs(to[o]! - (px - 0.5))).toBeLessThan(1.6)
          expect(Math.abs(to[o + 1]! - (py - 0.5) * 2)).toBeLessThan(2.6)
          expect(to[o + 2]).toBe(77)
        }
      }),
    )
  })
  it('averages when it shrinks and goes on with the edge outside', () => {
    const board = { data: new Uint8Array(64 * 64 * 3), width: 64, height: 64 }
    for (let i = 0; i < 64 * 64; i++) board.data.fill((i + (i >> 6)) % 2 ? 255 : 0, i * 3, i * 3 + 3)
    const to = new Uint8Array(16 * 16 * 3)
    rectify(board, at(-64, -64, 192, 192), 0, 16, 16, to, 0)
    expect(Math.abs(to[(8 * 16 + 8) * 3]! - 128)).toBeLessThan(20)
    expect(to[0]).toBe(board.data[0])
  })
})
