/** The readers that are compared, behind one function each. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import OcrNode from '@gutenye/ocr-node'
import type sharp from 'sharp'
import { normalisePlate, parsePlate } from '../../../models/grammar/grammar.ts'
import type { PlateRead } from '../../../models/plate.ts'
import { OnnxPlateReader, READER } from '../../../models/reader.ts'
import { passes, type Thresholds } from './calibration.ts'
import type { Photo } from './photos.ts'

/** Milliseconds. */
export interface Times {
  /** From the file to pixels. */
  readonly decode: number
  readonly detect?: number
  readonly read?: number
  /** All but decoding. */
  readonly inference: number
  /** From the file to texts. */
  readonly whole: number
}

export interface Answer {
  /** Best first. */
  readonly texts: readonly string[]
  readonly accepted: boolean
  /** Of the best one. */
  readonly confidence: number
  /** The best one as our reader tells it. */
  readonly plate?: PlateRead
  readonly ms: Times
}

/** The package's types do not come through its exports. */
const Ocr = OcrNode as unknown as {
  create(options: {
    onnxOptions: { intraOpNumThreads: number; interOpNumThreads: number }
  }): Promise<{ detect(path: string): Promise<{ text: string; mean: number }[]> }>
}

export interface Contender {
  readonly name: string
  read(photo: Photo): Promise<Answer>
  close(): Promise<void>
}

/** Our own models. With thresholds looser than those shipped `plate` is accepted by these; the answer, by those shipped, all the same. */
export async function ours(threads: number, thresholds: Thresholds = READER.accept): Promise<Contender> {
  const reader = await OnnxPlateReader.open({ threads, accept: { ...READER.accept, ...thresholds } })
  return {
    name: 'Luồng',
    async read(photo) {
      const since = performance.now()
      const bytes = await readFile(photo.path)
      const opened = performance.now()
      const { plates, ms } = await reader.read(bytes, { crop: photo.crop })
      const whole = performance.now() - since
      const [plate] = plates
      return {
        texts: plates.map((p) => p.text),
        accepted: plate !== undefined && passes(plate, READER.accept),
        confidence: plate?.confidence ?? 0,
        ...(plate && { plate }),
        ms: { decode: opened - since + ms.decode, detect: ms.detect, read: ms.read, inference: ms.detect + ms.read, whole },
      }
    },
    close: () => reader.close(),
  }
}

/**
 * PP-OCR v4 as its npm package gives it: lines of text. What a user would make of it: each line, and each line joined with
 * each other one, that is a plate of either country; sure lines first.
 */
export async function ppOcr(threads: number): Promise<Contender> {
  const ocr = await Ocr.create({ onnxOptions: { intraOpNumThreads: threads, interOpNumThreads: 1 } })
  const decode = packagesDecoder()
  let photos = 0
  return {
    name: 'PP-OCR v4',
    async read(photo) {
      // It decodes the file itself and does not tell how long that took, so it is done once more, alone. By turns before and after,
      // so that neither finds the file in the processor's caches more often.
      const before = photos++ % 2 === 0 ? await timed(() => decode(photo.path)) : undefined
      const { value: lines, ms: whole } = await timed(() => ocr.detect(photo.path).catch(() => []))
      const decoded = (before ?? (await timed(() => decode(photo.path)))).ms
      const clean = lines.map((l) => ({ text: normalisePlate(l.text), mean: l.mean }))
      const pairs = clean.flatMap((a) =>
        clean.filter((b) => b !== a).map((b) => ({ text: a.text + b.text, mean: Math.min(a.mean, b.mean) })),
      )
      const plates = [...clean, ...pairs].filter((l) => parsePlate(l.text)).sort((a, b) => b.mean - a.mean)
      const confidence = plates[0]?.mean ?? 0
      const ms = { decode: decoded, inference: whole - decoded, whole }
      return { texts: plates.map((l) => l.text), accepted: confidence > 0.95, confidence, ms }
    },
    close: async () => undefined,
  }
}

/**
 * The call that the package decodes with (ImageRaw.open in its ImageRaw.js), of its own sharp, which is another version than ours. Decoding a
 * file twice takes as long as the first time: sharp reads it in sequence, which its cache does not keep (measured).
 */
function packagesDecoder(): (path: string) => Promise<unknown> {
  const own = createRequire(createRequire(import.meta.url).resolve('@gutenye/ocr-node'))('sharp') as typeof sharp
  return (path) => own(path).ensureAlpha(1).raw().toBuffer({ resolveWithObject: true })
}

async function timed<T>(job: () => Promise<T>): Promise<{ readonly value: T; readonly ms: number }> {
  const since = performance.now()
  const value = await job()
  return { value, ms: performance.now() - since }
}
