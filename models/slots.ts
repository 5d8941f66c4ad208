/** Plates cut out of a picture → probabilities of the characters at each place (models/training/reader.py). */
import { rectify } from './homography.ts'
import type { Raster } from './image.ts'
import type { PlateColour, Quad } from './plate.ts'
import { runBytes, type Session } from './runtime.ts'
import type { SlotProbs } from './spell.ts'

export interface SlotModel {
  /** Size of the input, pixels. */
  readonly width: number
  readonly height: number
  readonly slots: number
  /** Class 0 is "no character here". */
  readonly alphabet: readonly string[]
  readonly countries: readonly string[]
  readonly colours: readonly PlateColour[]
}

/** One place to read, and how much around it is cut out with it, as a share of its width and height. */
export interface Cut {
  readonly quad: Quad
  readonly margin: number
}

export interface Looked {
  readonly probs: SlotProbs
  /** Probabilities in the order of the model's lists. */
  readonly countries: Float32Array
  readonly twoLines: number
  readonly colours: Float32Array
}

export class SlotReader {
  readonly #session: Session
  readonly model: SlotModel
  constructor(session: Session, model: SlotModel) {
    this.#session = session
    this.model = model
  }

  /** All cuts of one picture in one run. */
  async read(picture: Raster, cuts: readonly Cut[]): Promise<Looked[]> {
    if (cuts.length === 0) return []
    const { width, height, slots, alphabet, countries, colours } = this.model
    const size = width * height * 3
    const input = new Uint8Array(size * cuts.length)
    cuts.forEach(({ quad, margin }, i) => {
      rectify(picture, quad, margin, width, height, input, i * size)
    })
    const out = await runBytes(this.#session, input, [cuts.length, height, width, 3])
    const part = (name: string, i: number, n: number) => out[name]!.subarray(i * n, (i + 1) * n)
    return cuts.map((_, i) => ({
      probs: { slots, alphabet, data: part('chars', i, slots * alphabet.length) },
      countries: part('country', i, countries.length),
      twoLines: part('lines', i, 2)[1]!,
      colours: part('colour', i, colours.length),
    }))
  }

  async close(): Promise<void> {
    await this.#session.release()
  }
}

/** The mean of several looks at one plate: each may be off where the other is not. */
export function mean(looks: readonly Looked[]): Looked {
  if (looks.length === 1) return looks[0]!
  const of = (arrays: readonly Float32Array[]) =>
    Float32Array.from(arrays[0]!, (_, i) => arrays.reduce((sum, a) => sum + a[i]!, 0) / arrays.length)
  return {
    probs: { ...looks[0]!.probs, data: of(looks.map((l) => l.probs.data)) },
    countries: of(looks.map((l) => l.countries)),
    twoLines: looks.reduce((sum, l) => sum + l.twoLines, 0) / looks.length,
    colours: of(looks.map((l) => l.colours)),
  }
}
