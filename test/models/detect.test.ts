import { describe, expect, it } from 'vitest'
import { stacked, union } from '../../models/candidates.ts'
import { DETECT, findBoxes } from '../../models/detect.ts'
import type { Box } from '../../models/geometry.ts'

/** A map with bars of text: `inside` says where. */
function mapOf(width: number, height: number, inside: (x: number, y: number) => number): Float32Array {
  return Float32Array.from({ length: width * height }, (_, i) => inside(i % width, Math.floor(i / width)))
}

describe('boxes from the probability map', () => {
  it('finds none in nothing', () => {
    expect(findBoxes(new Float32Array(64 * 32), 64, 32, DETECT)).toEqual([])
  })

  it('grows the core of a text by area × unclip / circumference', () => {
    const map = mapOf(100, 60, (x, y) => (x >= 20 && x < 60 && y >= 20 && y < 30 ? 0.9 : 0))
    const [box, ...rest] = findBoxes(map, 100, 60, DETECT)
    expect(rest).toEqual([])
    const by = (40 * 10 * DETECT.unclip) / 100
    expect(box).toMatchObject({ cx: 40, cy: 25, angle: 0 })
    expect(box!.width).toBeCloseTo(40 + 2 * by)
    expect(box!.height).toBeCloseTo(10 + 2 * by)
    expect(box!.score).toBeCloseTo(0.9)
  })

  it('finds slanted text', () => {
    const map = mapOf(200, 100, (x, y) => (x > 40 && x < 160 && Math.abs(y - 30 - x * 0.2) < 6 ? 0.95 : 0.01))
    const [box] = findBoxes(map, 200, 100, DETECT)
    expect(box!.angle).toBeCloseTo(Math.atan(0.2), 1)
    expect(box!.width / box!.height).toBeGreaterThan(3)
  })

  it('keeps separate texts apart, surest first, and drops faint and tiny ones', () => {
    const map = mapOf(100, 80, (x, y) => {
      if (y >= 10 && y < 20 && x >= 10 && x < 40) return 0.6
      if (y >= 40 && y < 50 && x >= 10 && x < 40) return 0.9
      if (y >= 60 && y < 70 && x >= 10 && x < 40) return 0.4
      return x === 80 && y === 20 ? 1 : 0
    })
    expect(findBoxes(map, 100, 80, DETECT).map((b) => [Math.round(b.cy), Number(b.score.toFixed(1))])).toEqual([
      [45, 0.9],
      [15, 0.6],
    ])
  })
})

describe('two lines of one plate', () => {
  const box = (cx: number, cy: number, width: number, height: number, angle = 0): Box => ({ cx, cy, width, height, angle })
  it('lie under one another with like sizes', () => {
    expect(stacked(box(100, 50, 60, 20), box(100, 75, 100, 22))).toBe(true)
    expect(stacked(box(100, 75, 100, 22), box(100, 50, 60, 20))).toBe(false)
    expect(stacked(box(100, 50, 60, 20), box(100, 110, 100, 22))).toBe(false)
    expect(stacked(box(100, 50, 60, 20), box(180, 75, 100, 22))).toBe(false)
    expect(stacked(box(100, 50, 60, 20), box(100, 75, 100, 60))).toBe(false)
    expect(stacked(box(100, 50, 60, 20, 0.5), box(100, 75, 100, 22))).toBe(false)
  })
  it('make one box', () => {
    expect(union(box(100, 50, 60, 20), box(100, 75, 100, 20))).toMatchObject({ cx: 100, width: 100, height: 45 })
  })
})
