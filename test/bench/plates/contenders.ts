/** The readers that are compared, behind one function each. */
import OcrNode from '@gutenye/ocr-node'
import { normalisePlate, parsePlate } from '../../../models/grammar/grammar.ts'
import { OnnxPlateReader } from '../../../models/reader.ts'
import type { Photo } from './photos.ts'

export interface Answer {
  /** Best first. */
  readonly texts: readonly string[]
  readonly accepted: boolean
  /** Of the best one. */
  readonly confidence: number
  /** Detection and reading, without decoding the picture, ms. */
  readonly ms: number
  /** All of it. */
  readonly whole: number
}

/** The package's types do not come through its exports. */
const Ocr = OcrNode as unknown as {
  create(options: {
    onnxOptions: { intraOpNumThreads: number; interOpNumThreads: number }
  }): Promise<{ detect(path: string): Promise<{ text: string; mean: number }[]> }>
}

export interface Contender {
  readonly name: string
  read(photo: Photo, bytes: Uint8Array): Promise<Answer>
  close(): Promise<void>
}

/** Our own models. */
export async function ours(threads: number): Promise<Contender> {
  const reader = await OnnxPlateReader.open({ threads })
  return {
    name: 'Luồng',
    async read(photo, bytes) {
      const since = performance.now()
      const { plates, ms } = await reader.read(bytes, { crop: photo.crop })
      const whole = performance.now() - since
      return {
        texts: plates.map((p) => p.text),
        accepted: plates[0]?.accepted ?? false,
        confidence: plates[0]?.confidence ?? 0,
        ms: ms.detect + ms.read,
        whole,
      }
    },
    close: () => reader.close(),
  }
}

/**
 * PP-OCR v4 as its npm package gives it: lines of text. What a user would make of it: each line, and each line joined with
 * each other one, that is a plate of either country; sure lines first. It decodes the picture itself, so its time is the whole.
 */
export async function ppOcr(threads: number): Promise<Contender> {
  const ocr = await Ocr.create({ onnxOptions: { intraOpNumThreads: threads, interOpNumThreads: 1 } })
  return {
    name: 'PP-OCR v4',
    async read(photo) {
      const since = performance.now()
      const lines = await ocr.detect(photo.path).catch(() => [])
      const whole = performance.now() - since
      const clean = lines.map((l) => ({ text: normalisePlate(l.text), mean: l.mean }))
      const pairs = clean.flatMap((a) =>
        clean.filter((b) => b !== a).map((b) => ({ text: a.text + b.text, mean: Math.min(a.mean, b.mean) })),
      )
      const plates = [...clean, ...pairs].filter((l) => parsePlate(l.text)).sort((a, b) => b.mean - a.mean)
      const confidence = plates[0]?.mean ?? 0
      return { texts: plates.map((l) => l.text), accepted: confidence > 0.95, confidence, ms: whole, whole }
    },
    close: async () => undefined,
  }
}
