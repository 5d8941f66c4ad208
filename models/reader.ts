/** The plate reader: picture → plates' corners → characters' probabilities → texts within the grammar → plates. */
import { LuongError, messageOf } from '../gateway/kernel/errors.ts'
import { type AcceptRule, doubtAbout, type Judged } from './accept.ts'
import {
  beside,
  type Candidate,
  clear,
  counts,
  nearer,
  type Place,
  plain,
  samePlace,
  small,
  standsBefore,
  tiny,
  vague,
  whole,
} from './candidate.ts'
import { type Found, PlateFinder } from './finder.ts'
import { mapped, sides, size } from './geometry.ts'
import { decodePicture, type Picture } from './image.ts'
import { loadModels } from './manifest.ts'
import type { PlateColour, PlateRead, PlateReader, Quad, ReadOptions, ReadResult } from './plate.ts'
import { createSession } from './runtime.ts'
import { type Cut, type Looked, mean, SlotReader } from './slots.ts'
import { type Spelled, spell } from './spell.ts'

export interface ReaderSettings {
  /** Threads inside one inference. */
  readonly threads: number
  /** Long sides at which plates are looked for; the next one only when the one before gave no clear plate. */
  readonly sides: readonly number[]
  /** Long side at which plates are read, pixels; larger pictures are shrunk while decoding. */
  readonly readSide: number
  /** A place is read from this probability of holding a plate. */
  readonly find: number
  /** Places read per picture, best first. */
  readonly most: number
  /** When a plate is sure. */
  readonly accept: AcceptRule
}
export const READER: ReaderSettings = {
  threads: 1,
  sides: [448, 736],
  readSide: 1280,
  find: 0.25,
  most: 4,
  accept: { weakest: 0.97, confidence: 0.93, rival: 0.1 },
}

type Margins = readonly [first: number, ...more: number[]]
/** Places this probable are read all; others, but for the best one, only when none of these gave a clear plate, or beside one that did. */
const LIKELY = 0.5
/** So many of the places found are looked at again, nearer, before the whole picture is. */
const NEARER = 2
/** And each so many times, from where it was found the last time: the corners of a plate seen from the side come nearer with each. */
const AGAIN = 2
/** Around the plate in the first and in the second look, as a share of its size: what both read alike is no accident of the cut. */
const MARGINS: Margins = [0.04, -0.01]
/** A whole picture that is one plate may be cut too tight or too wide. */
const CROP_MARGINS: Margins = [0.04, 0, -0.03]
/** How much a plate's size counts against its certainty: the truck at the barrier is nearer than the one behind it. */
const SIZE_WEIGHT = 0.35
/** A look whose weakest character is less probable than this does not count against another one. */
const DOUBT = 0.5
/** What is less probably a plate of the two countries, and all of one, is none. */
const PLATE = 0.3
/** Who says that a picture is one plate is believed longer. */
const CROP_PLATE = 0.02
/** A crop of a plate is also searched for its corners on a canvas that much larger. */
const CROP_SIDE = 256

/** What was looked at in a picture, and what of that can be read. */
interface Seen {
  readonly candidates: Candidate[]
  readonly places: Place[]
}
interface Searched extends Seen {
  /** Milliseconds of finding. */
  readonly detect: number
}

export class OnnxPlateReader implements PlateReader {
  readonly #finder: PlateFinder
  readonly #slots: SlotReader
  readonly #settings: ReaderSettings
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(finder: PlateFinder, slots: SlotReader, settings: ReaderSettings) {
    this.#finder = finder
    this.#slots = slots
    this.#settings = settings
  }

  /** Loads and checks the models. @throws LuongError MODEL_INVALID */
  static async open(settings: Partial<ReaderSettings> = {}, manifest?: string): Promise<OnnxPlateReader> {
    const all = { ...READER, ...settings }
    const models = await loadModels(manifest)
    try {
      const [detector, reader] = await Promise.all([
        createSession(models.detector.bytes, all.threads),
        createSession(models.reader.bytes, all.threads),
      ])
      return new OnnxPlateReader(new PlateFinder(detector, models.detector), new SlotReader(reader, models.reader), all)
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
    await Promise.all([this.#finder.close(), this.#slots.close()])
  }

  async #read(image: Uint8Array, options: ReadOptions): Promise<ReadResult> {
    const t0 = performance.now()
    const picture = await decodePicture(image, this.#settings.readSide)
    const t1 = performance.now()
    const searched = options.crop
      ? await this.#crop(picture)
      : await this.#search(picture, options.quick ? this.#settings.sides.slice(0, 1) : this.#settings.sides)
    const plates = this.#plates(searched, picture, options.crop === true)
    const read = performance.now() - t1 - searched.detect
    return { plates, width: picture.fullWidth, height: picture.fullHeight, ms: { decode: t1 - t0, detect: searched.detect, read } }
  }

  /** Looks closer until a plate is clear enough: at the whole, at what was found, at the whole again. */
  async #search(picture: Picture, at: readonly number[]): Promise<Searched> {
    const { find, most } = this.#settings
    const seen: Seen = { candidates: [], places: [] }
    const longest = Math.max(picture.width, picture.height)
    const detector = stopwatch()
    // A small plate is looked at nearer anyway: one cut is enough until then.
    const again = (quad: Quad) => !small(quad)
    for (const side of at) {
      // Twice the picture's own size shows nothing new.
      if (side !== at[0] && side > 2 * longest) break
      const found = await detector.time(() => this.#finder.find(picture, side, find, most))
      const likely = found.filter((one, i) => i === 0 || one.score >= LIKELY)
      await this.#look(picture, likely, MARGINS, seen, { again })
      const weak = found.slice(likely.length)
      const second = weak.filter((f) => seen.candidates.some((c) => clear(c) && beside(f.quad, c.quad)))
      await this.#look(picture, second, MARGINS, seen, { again })
      if (!seen.candidates.some((c) => clear(c) && !vague(c.quad))) {
        if (!seen.candidates.some(plain)) await this.#look(picture, weak, MARGINS, seen, { again })
        for (const one of found.slice(0, NEARER)) if (await this.#nearer(picture, one, seen, detector)) break
      }
      const largest = seen.candidates.filter(plain).sort((a, b) => size(b.quad) - size(a.quad))[0]
      if (largest) await this.#before(picture, largest, found, seen, detector)
      if (seen.candidates.some(clear)) break
    }
    return { ...seen, detect: detector.ms() }
  }

  /** Reads what may stand before a plate: the truck behind must not be taken for the one at the barrier, whose plate is dirty. */
  async #before(picture: Picture, behind: Candidate, found: readonly Found[], seen: Seen, detector: Stopwatch): Promise<void> {
    const places = found.filter((f) => nearer(f.quad, behind.quad))
    await this.#look(
      picture,
      places.filter((f) => !seen.places.some((p) => p.quad === f.quad)),
      MARGINS,
      seen,
    )
    for (const place of places) {
      const there = seen.candidates.find((c) => c.quad === place.quad)
      const done = !there || clear(there) || seen.candidates.some((c) => c.before === there)
      if (!done && standsBefore(there, behind)) await this.#nearer(picture, place, seen, detector)
    }
  }

  /** A place looked at nearer until it is clear, each time from where it was found the last time. Whether it became clear. */
  async #nearer(picture: Picture, found: Found, seen: Seen, detector: Stopwatch): Promise<boolean> {
    let before = seen.candidates.find((c) => c.quad === found.quad)
    let place = found
    for (let look = 0; look < AGAIN; look++) {
      const near = await detector.time(() => this.#finder.nearer(picture, place, this.#settings.find))
      if (!near) return false
      const [now] = await this.#look(picture, [near], MARGINS, seen, { before })
      if (now && clear(now)) return true
      before = now
      place = near
    }
    return false
  }

  /** The picture as it is, and the plate's corners in it where they are found. */
  async #crop(picture: Picture): Promise<Searched> {
    const { width, height } = picture
    const whole: Quad = [
      [0, 0],
      [width, 0],
      [width, height],
      [0, height],
    ]
    const seen: Seen = { candidates: [], places: [] }
    await this.#look(picture, [{ quad: whole, score: 1 }], CROP_MARGINS, seen, { least: CROP_PLATE })
    const detector = stopwatch()
    if (!seen.candidates.some(clear)) {
      const found = await detector.time(() => this.#finder.find(picture, CROP_SIDE, this.#settings.find, 1))
      const inner = found.filter((f) => sides(f.quad).width > width / 2)
      await this.#look(picture, inner, MARGINS, seen, { least: CROP_PLATE })
    }
    // All are the same plate: the surest reading counts, whatever its size.
    const candidates = seen.candidates.map((c) => ({ ...c, rank: c.spelled.score + Math.log(c.looked.plate) }))
    return { candidates, places: [], detect: detector.ms() }
  }

  /** Reads places; what shows no plate when cut out once is not cut out again, nor is a place for which `again` is false. Returns those that can be read. */
  async #look(
    picture: Picture,
    found: readonly Found[],
    [first, ...more]: Margins,
    seen: Seen,
    { again = () => true, before, least = PLATE }: { again?: (quad: Quad) => boolean; before?: Candidate | undefined; least?: number } = {},
  ): Promise<Candidate[]> {
    const once = await this.#slots.read(picture, cuts(found, [first]))
    const places = found.map((f, i) => ({ ...f, own: [once[i]!], worth: spelledOf(once[i]!, least) !== null }))
    const worth = places.filter((p) => p.worth && again(p.quad))
    const looks = await this.#slots.read(picture, cuts(worth, more))
    worth.forEach(({ own }, i) => {
      own.push(...looks.slice(i * more.length, (i + 1) * more.length))
    })
    const candidates: Candidate[] = []
    for (const { quad, score, own, worth } of places) {
      const looked = mean([...own, ...(worth && counts(before) ? before.own : [])])
      const spelled = worth ? spelledOf(looked, least) : null
      seen.places.push({ quad, looked, spelled })
      if (!spelled) continue
      const certainty = Math.max(-6, spelled.score / spelled.chars.length) + Math.log(looked.plate) + 0.5 * Math.log(score)
      candidates.push({
        spelled,
        looked,
        own,
        before,
        quad,
        rank: certainty + SIZE_WEIGHT * Math.log(sides(quad).width),
        confirmed: own.length > 1 && own.every((l) => spell(l.probs)?.text === spelled.text),
      })
    }
    seen.candidates.push(...candidates)
    return candidates
  }

  /** Best first, one for each place and text. */
  #plates({ candidates, places }: Seen, picture: Picture, crop: boolean): PlateRead[] {
    const plates: PlateRead[] = []
    const same = (a: Candidate, b: Candidate) => a !== b && samePlace(a.quad, b.quad)
    const seenNearer = new Set(candidates.map((c) => (plain(c) || counts(c.before) ? c.before : undefined)))
    for (const c of candidates.filter((c) => !seenNearer.has(c)).sort((a, b) => b.rank - a.rank)) {
      const quad = mapped(c.quad, ([x, y]) => [round(x * picture.scale), round(y * picture.scale)])
      if (plates.some((p) => p.text === c.spelled.text || samePlace(p.quad, quad))) continue
      const others = candidates.filter((o) => same(o, c) && o.spelled.weakest >= DOUBT && o.looked.plate >= DOUBT)
      const agreed = others.every((o) => o.spelled.text === c.spelled.text)
      const enough = crop || others.length > 0 || !vague(c.quad)
      const nearest = !places.some((p) => standsBefore(p, c))
      const large = crop || !tiny(c.quad, linesOf(c.looked))
      plates.push(this.#plate(c, quad, { whole: crop || whole(c.quad, picture), large, agreed, enough, nearest }))
    }
    return plates
  }

  #plate(c: Candidate, quad: Quad, seen: Pick<Judged, 'whole' | 'large' | 'agreed' | 'enough' | 'nearest'>): PlateRead {
    const { spelled } = c
    const { colours } = this.#slots.model
    const best = c.looked.colours.indexOf(Math.max(...c.looked.colours))
    const colour: PlateColour = c.looked.colours[best]! > 0.5 ? colours[best]! : 'unknown'
    const confidence = spelled.confidence * c.looked.plate
    const doubt = doubtAbout({ ...seen, spelled, confidence, colour, confirmed: c.confirmed }, this.#settings.accept)
    return {
      text: spelled.text,
      country: spelled.pattern.country,
      lines: linesOf(c.looked),
      colour,
      confidence,
      weakest: spelled.weakest,
      accepted: doubt === undefined,
      ...(doubt && { doubt }),
      quad,
      chars: spelled.chars,
    }
  }
}

/** Each place cut out with each of the margins. */
const cuts = (places: readonly { readonly quad: Quad }[], margins: readonly number[]): Cut[] =>
  places.flatMap(({ quad }) => margins.map((margin) => ({ quad, margin })))

/** What it says; null when it is rather no plate of the two countries, or nothing in their grammars. */
const spelledOf = (looked: Looked, least: number): Spelled | null => (looked.plate < least ? null : spell(looked.probs))

const linesOf = (looked: Looked): 1 | 2 => (looked.twoLines > 0.5 ? 2 : 1)

interface Stopwatch {
  ms(): number
  time<T>(job: () => Promise<T>): Promise<T>
}

/** Adds up the milliseconds of several jobs. */
function stopwatch(): Stopwatch {
  let sum = 0
  return {
    ms: () => sum,
    async time<T>(job: () => Promise<T>): Promise<T> {
      const start = performance.now()
      const done = await job()
      sum += performance.now() - start
      return done
    },
  }
}
const round = (x: number): number => Math.round(x * 10) / 10
