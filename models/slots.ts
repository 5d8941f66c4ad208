/** Plates cut out of a picture → probabilities of the characters at each place (models/training/reader.py). */
import { PATTERNS } from './grammar/grammar.ts'
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
  /** Given that it is a plate of one of the two countries, all of it. */
  readonly probs: SlotProbs
  /** Probability that it is. */
  readonly plate: number
  /** Probability that it is one or a part of one: an end may be hidden. */
  readonly present: number
  /** Probability of two lines. */
  readonly twoLines: number
  /** Probabilities in the order of the model's list. */
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
    const none = countries.indexOf('none')
    return cuts.map((_, i) => {
      const present = 1 - part('country', i, countries.length)[none]!
      return {
        ...givenPlate({ slots, alphabet, data: part('chars', i, slots * alphabet.length) }, present),
        present,
        twoLines: part('lines', i, 2)[1]!,
        colours: part('colour', i, colours.length),
      }
    })
  }

  async close(): Promise<void> {
    await this.#session.release()
  }
}

/** A slot emptier than this says nothing about what else it might hold. */
const MOST = 0.9
/** Plates have at least so many characters. */
const SHORTEST = Math.min(...PATTERNS.map((p) => p.cells.length))

/**
 * What is no plate, or only a part of one, has no characters at all: the reader's doubt whether it is one stands in every slot. Here it is taken out
 * of them and told once, else it would count nine times in their product. Pure.
 * @param present what the reader says of the whole: probability that it is a plate of one of the two countries or a part of one
 */
export function givenPlate({ slots, alphabet, data }: SlotProbs, present: number): Pick<Looked, 'probs' | 'plate'> {
  const n = alphabet.length
  const empty = Array.from({ length: SHORTEST }, (_, i) => data[i * n]!)
  const usual = empty.reduce((a, b) => a + b, 0) / SHORTEST
  const given = Float32Array.from(data)
  for (let i = 0; i < slots; i++) {
    // After the shortest plate's characters a slot may be empty in a plate, too.
    const nothing = Math.min(i < SHORTEST ? empty[i]! : usual, given[i * n]!, MOST)
    given[i * n]! -= nothing
    for (let k = 0; k < n; k++) given[i * n + k]! /= 1 - nothing
  }
  return { probs: { slots, alphabet, data: given }, plate: Math.min(present, 1 - Math.max(...empty)) }
}

/** The mean of several looks at one plate: each may be off where the other is not. One that rather sees no plate counts less. */
export function mean(looks: readonly Looked[]): Looked {
  if (looks.length === 1) return looks[0]!
  const sum = (of: (l: Looked) => number) => looks.reduce((s, l) => s + of(l), 0)
  const all = sum((l) => l.plate)
  const share = looks.map((l) => (all > 0 ? l.plate / all : 1 / looks.length))
  const weighed = (arrays: readonly Float32Array[]) =>
    Float32Array.from(arrays[0]!, (_, i) => arrays.reduce((s, a, j) => s + a[i]! * share[j]!, 0))
  return {
    probs: { ...looks[0]!.probs, data: weighed(looks.map((l) => l.probs.data)) },
    plate: all / looks.length,
    present: sum((l) => l.present) / looks.length,
    twoLines: sum((l) => l.twoLines) / looks.length,
    colours: weighed(looks.map((l) => l.colours)),
  }
}
