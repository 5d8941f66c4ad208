/** Outlines in millimetres, put into a picture by a plane's homography: real perspective, which SVG itself does not have. */

export type XY = readonly [x: number, y: number]
/** SVG's absolute commands with their points. */
export type Command = readonly [command: 'M' | 'L' | 'Q' | 'C' | 'Z', ...points: XY[]]
export type Outline = readonly Command[]
export type Map2 = (p: XY) => XY

/**
 * The homography that takes the rectangle (0,0)–(w,h) to a quad (clockwise from the top-left corner).
 * Source: Heckbert, Fundamentals of Texture Mapping and Image Warping (1989), 2.2.3.
 */
export function onto(w: number, h: number, quad: readonly [XY, XY, XY, XY]): Map2 {
  const [[x0, y0], [x1, y1], [x2, y2], [x3, y3]] = quad
  const dx1 = x1 - x2
  const dx2 = x3 - x2
  const dy1 = y1 - y2
  const dy2 = y3 - y2
  const sx = x0 - x1 + x2 - x3
  const sy = y0 - y1 + y2 - y3
  const det = dx1 * dy2 - dx2 * dy1
  const g = (sx * dy2 - dx2 * sy) / det
  const k = (dx1 * sy - sx * dy1) / det
  const a = x1 - x0 + g * x1
  const b = x3 - x0 + k * x3
  const d = y1 - y0 + g * y1
  const e = y3 - y0 + k * y3
  return ([x, y]) => {
    const u = x / w
    const v = y / h
    const s = 1 / (g * u + k * v + 1)
    return [(a * u + b * v + x0) * s, (d * u + e * v + y0) * s]
  }
}

const n = (v: number): string => (Math.round(v * 100) / 100).toString()

/** SVG path data of an outline seen through `map`. Curves keep their control points: exact enough at a plate's weak perspective. */
export function pathData(outline: Outline, map: Map2): string {
  return outline
    .map(
      ([c, ...points]) =>
        c +
        points
          .map((p) => {
            const [x, y] = map(p)
            return `${n(x)} ${n(y)}`
          })
          .join(' '),
    )
    .join('')
}

export function polygon(...points: XY[]): Outline {
  return [...points.map((p, i): Command => [i === 0 ? 'M' : 'L', p]), ['Z']]
}

/** A rectangle with round corners, radius `r`. */
export function box(x: number, y: number, w: number, h: number, r = 0): Outline {
  if (r === 0) return polygon([x, y], [x + w, y], [x + w, y + h], [x, y + h])
  const X = x + w
  const Y = y + h
  return [
    ['M', [x + r, y]],
    ['L', [X - r, y]],
    ['Q', [X, y], [X, y + r]],
    ['L', [X, Y - r]],
    ['Q', [X, Y], [X - r, Y]],
    ['L', [x + r, Y]],
    ['Q', [x, Y], [x, Y - r]],
    ['L', [x, y + r]],
    ['Q', [x, y], [x + r, y]],
    ['Z'],
  ]
}

/** A circle of four cubic curves. */
export function disc(x: number, y: number, r: number): Outline {
  const k = r * 0.5523
  return [
    ['M', [x + r, y]],
    ['C', [x + r, y + k], [x + k, y + r], [x, y + r]],
    ['C', [x - k, y + r], [x - r, y + k], [x - r, y]],
    ['C', [x - r, y - k], [x - k, y - r], [x, y - r]],
    ['C', [x + k, y - r], [x + r, y - k], [x + r, y]],
    ['Z'],
  ]
}

/** A frame: `outer` with `inner` cut out (fill-rule evenodd). */
export const ring = (outer: Outline, inner: Outline): Outline => [...outer, ...inner]
