/** Quadrilaterals in pictures. Pure; pixel coordinates, y down. */
import type { Point, Quad } from './plate.ts'

/** The quad with each corner moved. */
export function mapped([a, b, c, d]: Quad, move: (corner: Point) => Point): Quad {
  return [move(a), move(b), move(c), move(d)]
}

/** Mean of the corners. */
export function centre([a, b, c, d]: Quad): Point {
  return [(a[0] + b[0] + c[0] + d[0]) / 4, (a[1] + b[1] + c[1] + d[1]) / 4]
}

/** Mean length of a quad's upper and lower edges, and of its left and right ones. */
export function sides([a, b, c, d]: Quad): { readonly width: number; readonly height: number } {
  const length = (p: Point, q: Point) => Math.hypot(q[0] - p[0], q[1] - p[1])
  return { width: (length(a, b) + length(d, c)) / 2, height: (length(a, d) + length(b, c)) / 2 }
}

/** Side of a square as large as the quad: of all plates, long or short, about the same at the same distance (233 to 311 mm). */
export function size(quad: Quad): number {
  const { width, height } = sides(quad)
  return Math.sqrt(width * height)
}

/** How steep a quad's upper and lower edges are: radians from level, the right end lower than the left one positive. */
export function slope([a, b, c, d]: Quad): number {
  return Math.atan2(b[1] - a[1] + c[1] - d[1], b[0] - a[0] + c[0] - d[0])
}

/** Whether the corners go round clockwise and bulge nowhere inwards. */
export function convex([a, b, c, d]: Quad): boolean {
  const turn = (p: Point, q: Point, r: Point) => (q[0] - p[0]) * (r[1] - q[1]) - (q[1] - p[1]) * (r[0] - q[0])
  return turn(a, b, c) > 0 && turn(b, c, d) > 0 && turn(c, d, a) > 0 && turn(d, a, b) > 0
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
