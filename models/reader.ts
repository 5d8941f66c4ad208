/** The plate reader: picture → text boxes → lines → readings within the grammar → plates. */
import { LuongError, messageOf } from '../gateway/kernel/errors.ts'
import { LINE_ASPECT, SPLIT, stacked, TWO_LINE_ASPECT, union } from './candidates.ts'
import { colourFits, groundColour } from './colour.ts'
import { type Decoded, decode } from './decode.ts'
import { DETECT, type DetectSettings, type TextBox, TextDetector } from './detect.ts'
import { type Box, band, corners, grow, overlap } from './geometry.ts'
import { parsePlate } from './grammar/grammar.ts'
import { decodePicture, type Picture } from './image.ts'
import { loadModels } from './manifest.ts'
import type { PlateRead, PlateReader, Point, Quad, ReadOptions, ReadResult } from './plate.ts'
import { type Line, LineReader } from './recognise.ts'
import { createSession } from './runtime.ts'

export interface ReaderSettings {
  /** Threads inside one inference. */
  readonly threads: number
  readonly detect: DetectSettings
  /** Long sides at which plates are looked for; the next one only when the one before gave no clear plate. */
  readonly sides: readonly number[]
  /** Long side at which plates are read, pixels; larger pictures are shrunk while decoding. */
  readonly readSide: number
  /** Text boxes read per picture, best first. */
  readonly maxLines: number
  /**
   * When a plate is sure: lowest and product of the character probabilities, and probability of the whole path, dots and gaps
   * among it. Set on the calibration rows of docs/plates.md.
   */
  readonly accept: { readonly weakest: number; readonly confidence: number; readonly path: number }
}
export const READER: ReaderSettings = {
  threads: 1,
  detect: DETECT,
  sides: [640, 960],
  readSide: 1280,
  maxLines: 12,
  accept: { weakest: 0.96, confidence: 0.85, path: 0.5 },
}

interface Candidate {
  readonly decoded: Decoded
  readonly lines: readonly Line[]
  readonly box: Box
  readonly rank: number
  /** Whether the country's plates of that kind come in that colour, from an issuer that exists. */
  readonly plausible: boolean
  /** A second look at the same place, cut a little wider, gave the same text. */
  readonly confirmed: boolean
}

export class OnnxPlateReader implements PlateReader {
  readonly #detector: TextDetector
  readonly #lines: LineReader
  readonly #settings: ReaderSettings
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(detector: TextDetector, lines: LineReader, settings: ReaderSettings) {
    this.#detector = detector
    this.#lines = lines
    this.#settings = settings
  }

  /** Loads and checks the models. @throws LuongError MODEL_INVALID */
  static async open(settings: Partial<ReaderSettings> = {}, manifest?: string): Promise<OnnxPlateReader> {
    const all = { ...READER, ...settings }
    const models = await loadModels(manifest)
    try {
      const [detector, recogniser] = await Promise.all([
        createSession(models.detector, all.threads),
        createSession(models.recogniser, all.threads),
      ])
      return new OnnxPlateReader(new TextDetector(detector, all.detect), new LineReader(recogniser, models.alphabet), all)
    } catch (cause) {
      throw new LuongError('MODEL_INVALID', `the plate models cannot be loaded: ${messageOf(cause)}`, { cause })
    }
  }

  /** Pictures asked for at once are read one after another. */
  read(image: Uint8Array, options: ReadOptions = {}): Promise<ReadResult> {
    const turn = this.#turn.then(() => this.#read(image, options))
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  async close(): Promise<void> {
    await this.#turn
    await Promise.all([this.#detector.close(), this.#lines.close()])
  }

  async #read(image: Uint8Array, options: ReadOptions): Promise<ReadResult> {
    const t0 = performance.now()
    const picture = await decodePicture(image, this.#settings.readSide)
    const t1 = performance.now()
    const { plates, detect } = options.crop
      ? { plates: await this.#plates(await this.#crop(picture), picture), detect: 0 }
      : await this.#search(picture, options.quick ? this.#settings.sides.slice(0, 1) : this.#settings.sides)
    const read = performance.now() - t1 - detect
    return { plates, width: picture.fullWidth, height: picture.fullHeight, ms: { decode: t1 - t0, detect, read } }
  }

  /** Looks closer until a plate is clear enough. */
  async #search(picture: Picture, sides: readonly number[]): Promise<{ plates: PlateRead[]; detect: number }> {
    const candidates: Candidate[] = []
    let plates: PlateRead[] = []
    let detect = 0
    const small = (CLOSER * Math.max(picture.width, picture.height)) / sides[0]!
    for (const side of sides) {
      const start = performance.now()
      const all = await this.#detector.detect(picture, side)
      detect += performance.now() - start
      const boxes = all.filter((b) => lineShaped(b) && (side === sides[0] || b.height < small)).slice(0, this.#settings.maxLines)
      candidates.push(...(await this.#scene(picture, boxes)))
      plates = await this.#plates(candidates, picture)
      if ((plates[0]?.weakest ?? 0) >= ENOUGH) break
    }
    return { plates, detect }
  }

  async #scene(picture: Picture, boxes: readonly TextBox[]): Promise<Candidate[]> {
    const lines = await this.#lines.read(picture, boxes)
    const found = lines.flatMap((line) => candidate([line], line.box))
    for (const upper of lines) {
      for (const lower of lines) {
        if (upper !== lower && stacked(upper.box, lower.box)) found.push(...candidate([upper, lower], union(upper.box, lower.box)))
      }
    }
    // A reading as good as this leaves no need to cut boxes in two.
    if (found.some((c) => c.plausible && c.decoded.weakest >= ENOUGH)) return found
    const narrow = boxes.filter((b) => b.width / b.height < TWO_LINE_ASPECT && b.height >= MIN_TWO_LINES)
    return [...found, ...(await this.#split(picture, narrow))]
  }

  async #crop(picture: Picture): Promise<Candidate[]> {
    const { width, height } = picture
    const whole: Box = { cx: width / 2, cy: height / 2, width, height, angle: 0 }
    const [line] = await this.#lines.read(picture, [whole])
    const found = candidate([line!], whole)
    if (width / height < TWO_LINE_ASPECT) found.push(...(await this.#split(picture, [whole])))
    return found
  }

  /** Boxes that may hold two lines, cut in two. */
  async #split(picture: Picture, boxes: readonly Box[]): Promise<Candidate[]> {
    const found: Candidate[] = []
    for (const box of boxes) {
      const [upper, lower] = await this.#lines.read(picture, [band(box, 0, SPLIT.upperEnd), band(box, SPLIT.lowerStart, 1)])
      found.push(...candidate([upper!, lower!], box))
    }
    return found
  }

  /** Best first, one for each place; the first few, as a truck may carry two countries' plates, are read twice. */
  async #plates(candidates: readonly Candidate[], picture: Picture): Promise<PlateRead[]> {
    const plates: PlateRead[] = []
    for (const c of [...candidates].sort(byRank)) {
      const quad = corners(c.box).map(([x, y]): Point => [round(x * picture.scale), round(y * picture.scale)]) as unknown as Quad
      if (plates.some((p) => p.text === c.decoded.text || overlap(p.quad, quad) > 0.5)) continue
      plates.push(this.#plate(plates.length < READ_TWICE ? await this.#again(c, picture) : c, quad))
    }
    return plates
  }

  /** A box that cut off the last digit makes another plate of it: what a wider cut does not confirm is not sure. */
  async #again(first: Candidate, picture: Picture): Promise<Candidate> {
    const wider = first.lines.map(({ box }) => grow(box, box.height * WIDER.along, box.height * WIDER.across))
    const [second] = candidate(await this.#lines.read(picture, wider), first.box)
    if (!second) return first
    const confirmed = second.decoded.text === first.decoded.text
    return { ...(second.rank > first.rank ? second : first), confirmed }
  }

  #plate(c: Candidate, quad: Quad): PlateRead {
    const { decoded } = c
    const { accept } = this.#settings
    const whole = decoded.path >= Math.log(accept.path)
    const sure = whole && decoded.weakest >= accept.weakest && decoded.confidence >= accept.confidence
    return {
      text: decoded.text,
      country: decoded.pattern.country,
      lines: c.lines.length === 2 ? 2 : 1,
      colour: groundColour(c.lines[c.lines.length - 1]!.picture),
      confidence: decoded.confidence,
      weakest: decoded.weakest,
      accepted: sure && c.confirmed && c.plausible && decoded.substitutions === 0 && decoded.junk === 0,
      quad,
      chars: decoded.chars,
    }
  }
}

const lineShaped = (b: Box): boolean => b.height >= 5 && b.width / b.height >= LINE_ASPECT.min && b.width / b.height <= LINE_ASPECT.max
const byRank = (a: Candidate, b: Candidate): number => b.rank - a.rank
const round = (x: number): number => Math.round(x * 10) / 10

/** A plate whose weakest character is this probable is not looked for again, nearer or cut in two. */
const ENOUGH = 0.9
/** The closer look reads boxes lower than this in pixels of the first look's input: larger ones were seen well enough. */
const CLOSER = 30
/** Lower boxes cannot hold two readable lines, pixels. */
const MIN_TWO_LINES = 14
/** Places read a second time. */
const READ_TWICE = 3
/** How much wider the second look is, of the line's height. */
const WIDER = { along: 0.2, across: 0.08 } as const
/** How much a plate's size counts against its certainty: the truck at the barrier is nearer than the one behind it. */
const SIZE_WEIGHT = 0.35
/** A plate in a colour it does not come in is suspicious. */
const COLOUR_PRICE = 0.5

/** The best reading of the lines, when there is one. */
function candidate(lines: readonly Line[], box: Box): Candidate[] {
  const [decoded] = decode(lines.map((l) => l.probs))
  if (!decoded) return []
  const certainty = decoded.score / decoded.chars.length
  const colour = groundColour(lines[lines.length - 1]!.picture)
  const fits = colourFits(colour, decoded.pattern.country, decoded.pattern.kind)
  const rank = certainty + SIZE_WEIGHT * Math.log(box.width) - (fits ? 0 : COLOUR_PRICE)
  const plausible = fits && parsePlate(decoded.text)?.known === true
  return [{ decoded, lines, box, rank, plausible, confirmed: false }]
}
