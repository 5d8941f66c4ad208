/** Rectangles in any direction. Pure; pixel coordinates, y down. */
import type { Point, Quad } from './plate.ts'

/** A rectangle turned by `angle` (radians, clockwise on the screen); `width` runs along the text. */
export interface Box {
  readonly cx: number
  readonly cy: number
  readonly width: number
  readonly height: number
  readonly angle: number
}

/** Corners clockwise from the top-left one of the text. */
export function corners(box: Box): Quad {
  const c = Math.cos(box.angle)
  const s = Math.sin(box.angle)
  const at = (u: number, v: number): Point => [
    box.cx + (u * box.width * c - v * box.height * s) / 2,
    box.cy + (u * box.width * s + v * box.height * c) / 2,
  ]
  return [at(-1, -1), at(1, -1), at(1, 1), at(-1, 1)]
}

/** Grown by `along` and `across` pixels on each side. */
export function grow(box: Box, along: number, across: number): Box {
  return { ...box, width: box.width + 2 * along, height: box.height + 2 * across }
}

/** The part of a box between the fractions `from` and `to` of its height. */
export function band(box: Box, from: number, to: number): Box {
  const shift = ((from + to) / 2 - 0.5) * box.height
  return {
    ...box,
    cx: box.cx - shift * Math.sin(box.angle),
    cy: box.cy + shift * Math.cos(box.angle),
    height: box.height * (to - from),
  }
}

/** Smallest box in the direction `angle` around all points. */
export function boxAround(points: readonly Point[], angle: number): Box {
  const c = Math.cos(angle)
  const s = Math.sin(angle)
  let [u0, u1, v0, v1] = [Infinity, -Infinity, Infinity, -Infinity]
  for (const [x, y] of points) {
    const u = x * c + y * s
    const v = y * c - x * s
    u0 = Math.min(u0, u)
    u1 = Math.max(u1, u)
    v0 = Math.min(v0, v)
    v1 = Math.max(v1, v)
  }
  const u = (u0 + u1) / 2
  const v = (v0 + v1) / 2
  return { cx: u * c - v * s, cy: u * s + v * c, width: u1 - u0, height: v1 - v0, angle }
}

/** Convex hull, monotone chain (Andrew 1979). */
export function hull(points: readonly Point[]): Point[] {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1])
  if (sorted.length < 3) return sorted
  const half = (list: readonly Point[]): Point[] => {
    const out: Point[] = []
    for (const p of list) {
      while (out.length > 1 && cross(out[out.length - 2]!, out[out.length - 1]!, p) <= 0) out.pop()
      out.push(p)
    }
    out.pop()
    return out
  }
  return [...half(sorted), ...half(sorted.reverse())]
}

function cross(o: Point, a: Point, b: Point): number {
  return (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0])
}

/**
 * Rectangle of least area around the points; one of its sides lies on a side of the hull. Text runs along the
 * side that is nearer to level, plates are never read bottom-up.
 */
export function minAreaBox(points: readonly Point[]): Box {
  const ring = hull(points)
  let best = boxAround(ring, 0)
  for (let i = 0; i < ring.length; i++) {
    const a = ring[i]!
    const b = ring[(i + 1) % ring.length]!
    let angle = Math.atan2(b[1] - a[1], b[0] - a[0]) % (Math.PI / 2)
    if (angle > Math.PI / 4) angle -= Math.PI / 2
    if (angle < -Math.PI / 4) angle += Math.PI / 2
    const box = boxAround(ring, angle)
    if (box.width * box.height < best.width * best.height * 0.999) best = box
  }
  return best
}

/** Share of the smaller box's area that both have in common, by their upright bounds: cheap and good enough to find doubles. */
export function overlap(a: Quad, b: Quad): number {
  const bounds = (q: Quad) => {
    const xs = q.map((p) => p[0])
    const ys = q.map((p) => p[1])
    return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)] as const
  }
  const [ax0, ay0, ax1, ay1] = bounds(a)
  const [bx0, by0, bx1, by1] = bounds(b)
  const w = Math.min(ax1, bx1) - Math.max(ax0, bx0)
  const h = Math.min(ay1, by1) - Math.max(ay0, by0)
  if (w <= 0 || h <= 0) return 0
  return (w * h) / Math.max(1e-6, Math.min((ax1 - ax0) * (ay1 - ay0), (bx1 - bx0) * (by1 - by0)))
}
