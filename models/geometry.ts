/** Quadrilaterals in pictures. Pure; pixel coordinates, y down. */
import type { Point, Quad } from './plate.ts'

/** The quad with each corner moved. */
export function mapped([a, b, c, d]: Quad, move: (corner: Point) => Point): Quad {
  return [move(a), move(b), move(c), move(d)]
}

/** The quad in a picture `k` times as large. */
export const enlarged = (quad: Quad, k: number): Quad => mapped(quad, ([x, y]) => [x * k, y * k])

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

/** An upright rectangle. */
export interface Box {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

/** The upright box around a quad. */
export function bounds(quad: Quad): Box {
  const xs = quad.map(([x]) => x)
  const ys = quad.map(([, y]) => y)
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) }
}

/** Width times height. */
export const area = ({ left, top, right, bottom }: Box): number => (right - left) * (bottom - top)

/** Area that both have in common. */
export function common(a: Box, b: Box): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left)
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)
  return width <= 0 || height <= 0 ? 0 : width * height
}

/** Share of the smaller box's area that both have in common, by their upright bounds: cheap and good enough to find doubles. */
export function overlap(a: Quad, b: Quad): number {
  const [one, other] = [bounds(a), bounds(b)]
  return common(one, other) / Math.max(1e-6, Math.min(area(one), area(other)))
}
