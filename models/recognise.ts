/** One line of text → probabilities of plate characters for each step along it (CTC, Graves et al. 2006). */
import { CLASSES, mapAlphabet } from './alphabet.ts'
import type { Box } from './geometry.ts'
import type { Raster } from './image.ts'
import { runSession, type Session } from './runtime.ts'
import { cut, type Norm, writePlanes } from './sample.ts'

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

  /** Reads the lines in the boxes of one picture; boxes of like width share a batch. Same order as asked. */
  async read(picture: Raster, boxes: readonly Box[]): Promise<Line[]> {
    const cuts = boxes.map((box) => cut(picture, box, widthOf(box), HEIGHT))
    const lines: Line[] = new Array(boxes.length)
    const byWidth = new Map<number, number[]>()
    cuts.forEach((c, i) => {
      byWidth.set(c.width, [...(byWidth.get(c.width) ?? []), i])
    })
    for (const [width, group] of byWidth) {
      const size = 3 * HEIGHT * width
      const input = new Float32Array(size * group.length)
      group.forEach((i, k) => {
        writePlanes(cuts[i]!, NORM, input, k * size, width, HEIGHT * width)
      })
      const { data, dims } = await runSession(this.#session, input, [group.length, 3, HEIGHT, width])
      const [, steps, classes] = dims as readonly [number, number, number]
      group.forEach((i, k) => {
        const from = data.subarray(k * steps * classes, (k + 1) * steps * classes)
        lines[i] = { box: boxes[i]!, picture: cuts[i]!, probs: fold(from, steps, classes, this.#map) }
      })
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
