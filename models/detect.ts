/** Text boxes in a picture: PP-OCR's differentiable-binarisation detector (Liao et al. 2020) and our post-processing. */
import { type Box, grow, minAreaBox } from './geometry.ts'
import type { Raster } from './image.ts'
import type { Point } from './plate.ts'
import { runSession, type Session } from './runtime.ts'
import { cut, type Norm, toPlanes } from './sample.ts'

/** ImageNet statistics over B, G, R, as PP-OCR was trained. */
const NORM: Norm = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], order: [2, 1, 0] }

export interface DetectSettings {
  /** A pixel is text from this probability. */
  readonly threshold: number
  /** A box counts from this mean probability of its pixels. */
  readonly score: number
  /** The detector marks the shrunken core of a text; grown back by area × unclip / circumference (Vatti, as in DB). */
  readonly unclip: number
}
export const DETECT: DetectSettings = { threshold: 0.3, score: 0.5, unclip: 1.7 }

export interface TextBox extends Box {
  readonly score: number
}

export class TextDetector {
  readonly #session: Session
  readonly #settings: DetectSettings
  constructor(session: Session, settings: DetectSettings = DETECT) {
    this.#session = session
    this.#settings = settings
  }

  /**
   * Text boxes in pixels of `picture`, best score first.
   * @param side long side of the detector's input, pixels; small pictures are enlarged to it, at most threefold
   */
  async detect(picture: Raster, side: number): Promise<TextBox[]> {
    const ratio = Math.min(3, side / Math.max(picture.width, picture.height))
    const width = Math.max(32, Math.round((picture.width * ratio) / 32) * 32)
    const height = Math.max(32, Math.round((picture.height * ratio) / 32) * 32)
    const whole: Box = { cx: picture.width / 2, cy: picture.height / 2, width: picture.width, height: picture.height, angle: 0 }
    const input = toPlanes(cut(picture, whole, width, height), NORM)
    const { data: map } = await runSession(this.#session, input, [1, 3, height, width])
    const sx = picture.width / width
    const sy = picture.height / height
    return findBoxes(map, width, height, this.#settings).map((box) => scaled(box, sx, sy))
  }

  async close(): Promise<void> {
    await this.#session.release()
  }
}

/** Components of the probability map over the threshold → boxes around their outlines, grown back. Pure. */
export function findBoxes(map: Float32Array, width: number, height: number, settings: DetectSettings): TextBox[] {
  const seen = new Uint8Array(width * height)
  const stack: number[] = []
  const boxes: TextBox[] = []
  for (let start = 0; start < map.length; start++) {
    if (seen[start] || map[start]! < settings.threshold) continue
    const left = new Map<number, number>()
    const right = new Map<number, number>()
    let sum = 0
    let count = 0
    seen[start] = 1
    stack.push(start)
    while (stack.length > 0) {
      const at = stack.pop()!
      const x = at % width
      const y = (at - x) / width
      sum += map[at]!
      count++
      if (x < (left.get(y) ?? Infinity)) left.set(y, x)
      if (x > (right.get(y) ?? -1)) right.set(y, x)
      for (let dy = -1; dy <= 1; dy++) {
        for (let dx = -1; dx <= 1; dx++) {
          const nx = x + dx
          const ny = y + dy
          if (nx < 0 || ny < 0 || nx >= width || ny >= height) continue
          const n = ny * width + nx
          if (seen[n] || map[n]! < settings.threshold) continue
          seen[n] = 1
          stack.push(n)
        }
      }
    }
    const score = sum / count
    if (score < settings.score || count < 12) continue
    const outline: Point[] = []
    for (const [y, x] of left) outline.push([x, y], [x, y + 1])
    for (const [y, x] of right) outline.push([x + 1, y], [x + 1, y + 1])
    const core = minAreaBox(outline)
    if (Math.min(core.width, core.height) < 2.5) continue
    const by = (core.width * core.height * settings.unclip) / (2 * (core.width + core.height))
    boxes.push({ ...grow(core, by, by), score })
  }
  return boxes.sort((a, b) => b.score - a.score)
}

/** The axes are scaled by nearly the same factor (sizes are rounded to 32), so the angle stays. */
function scaled(box: TextBox, sx: number, sy: number): TextBox {
  const c = Math.cos(box.angle)
  const s = Math.sin(box.angle)
  return {
    ...box,
    cx: box.cx * sx,
    cy: box.cy * sy,
    width: box.width * Math.hypot(c * sx, s * sy),
    height: box.height * Math.hypot(s * sx, c * sy),
    angle: Math.atan2(s * sy, c * sx),
  }
}
