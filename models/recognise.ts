/** One line of text → probabilities of plate characters for each step along it (CTC, Graves et al. 2006). */
import { CLASSES, mapAlphabet } from './alphabet.ts'
import type { Box } from './geometry.ts'
import type { Raster } from './image.ts'
import { runSession, type Session } from './runtime.ts'
import { cut, type Norm, toPlanes } from './sample.ts'

const HEIGHT = 48
const MIN_WIDTH = 48
const MAX_WIDTH = 480
const NORM: Norm = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], order: [2, 1, 0] }

/** `steps` rows of CLASSES probabilities; what is on no plate is the rest to 1. */
export interface LineProbs {
  readonly steps: number
  readonly data: Float32Array
}

export interface Line {
  readonly box: Box
  /** The levelled picture of the line. */
  readonly picture: Raster
  readonly probs: LineProbs
}

export class LineReader {
  readonly #session: Session
  readonly #map: Int16Array
  constructor(session: Session, alphabet: readonly string[]) {
    this.#session = session
    this.#map = mapAlphabet(alphabet)
  }

  /** Reads the lines in the boxes of one picture, one by one: on one core a batch was measured to be slower (docs/plates.md). */
  async read(picture: Raster, boxes: readonly Box[]): Promise<Line[]> {
    const lines: Line[] = []
    for (const box of boxes) {
      const line = cut(picture, box, widthOf(box), HEIGHT)
      const { data, dims } = await runSession(this.#session, toPlanes(line, NORM), [1, 3, HEIGHT, line.width])
      const [, steps, classes] = dims as readonly [number, number, number]
      lines.push({ box, picture: line, probs: fold(data, steps, classes, this.#map) })
    }
    return lines
  }

  async close(): Promise<void> {
    await this.#session.release()
  }
}

/** By aspect, in steps of 16 pixels so that few shapes occur. */
function widthOf(box: Box): number {
  const wanted = (HEIGHT * box.width) / Math.max(1, box.height)
  return Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, Math.round(wanted / 16) * 16))
}

/** The model's classes summed up to the plate's. */
function fold(from: Float32Array, steps: number, classes: number, map: Int16Array): LineProbs {
  const data = new Float32Array(steps * CLASSES)
  for (let t = 0; t < steps; t++) {
    const row = t * classes
    const to = t * CLASSES
    for (let c = 0; c < classes; c++) {
      const k = map[c]!
      if (k >= 0) data[to + k]! += from[row + c]!
    }
  }
  return { steps, data }
}
