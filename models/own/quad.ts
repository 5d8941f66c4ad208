/** Quadrilaterals in pictures. Pure; pixel coordinates, y down. */
import type { Point, Quad } from '../plate.ts'

/** Mean length of a quad's upper and lower edges, and of its left and right ones. */
export function sides([a, b, c, d]: Quad): { readonly width: number; readonly height: number } {
  const length = (p: Point, q: Point) => Math.hypot(q[0] - p[0], q[1] - p[1])
  return { width: (length(a, b) + length(d, c)) / 2, height: (length(a, d) + length(b, c)) / 2 }
}

/** Whether the corners go round clockwise and bulge nowhere inwards. */
export function convex([a, b, c, d]: Quad): boolean {
  const turn = (p: Point, q: Point, r: Point) => (q[0] - p[0]) * (r[1] - q[1]) - (q[1] - p[1]) * (r[0] - q[0])
  return turn(a, b, c) > 0 && turn(b, c, d) > 0 && turn(c, d, a) > 0 && turn(d, a, b) > 0
}
