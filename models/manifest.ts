/** The model files: where they are, that they are the ones they should be, and what their outputs mean. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { LuongError, messageOf } from '../gateway/kernel/errors.ts'
import { packageRoot } from '../gateway/kernel/package-root.ts'

const file = {
  name: z.string(),
  /** Beside the manifest. */
  file: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  licence: z.string(),
  /** Its model card, beside the manifest. */
  card: z.string(),
}
const positive = z.int().positive()
const detector = z.strictObject({ ...file, stride: positive, unit: z.number().positive(), step: positive })
const reader = z.strictObject({
  ...file,
  width: positive,
  height: positive,
  slots: positive,
  /** One string, class 0 first. */
  alphabet: z.string().min(2),
  countries: z.array(z.string()).min(1),
  colours: z.array(z.enum(['white', 'yellow', 'blue', 'green', 'red', 'black'])).min(1),
})
const manifest = z.strictObject({ version: z.literal(2), detector, reader })
type Manifest = z.output<typeof manifest>

export interface PlateModels {
  readonly detector: Manifest['detector'] & { readonly bytes: Uint8Array }
  readonly reader: Omit<Manifest['reader'], 'alphabet'> & { readonly bytes: Uint8Array; readonly alphabet: readonly string[] }
}

/** `models/plates/manifest.json` of this package, whether run from source or from `dist/`. */
export function manifestPath(): string {
  return join(packageRoot, 'models', 'plates', 'manifest.json')
}

/** Reads and checks all model files. Rejects with MODEL_INVALID that names the file and what is wrong with it. */
export async function loadModels(path: string = manifestPath()): Promise<PlateModels> {
  const parsed = await readManifest(path)
  const [detectorBytes, readerBytes] = await Promise.all([checked(path, parsed.detector), checked(path, parsed.reader)])
  return {
    detector: { ...parsed.detector, bytes: detectorBytes },
    reader: { ...parsed.reader, bytes: readerBytes, alphabet: [...parsed.reader.alphabet] },
  }
}

async function readManifest(path: string): Promise<Manifest> {
  let raw: unknown
  try {
    raw = JSON.parse(await readFile(path, 'utf8'))
  } catch (cause) {
    throw new LuongError('MODEL_INVALID', `${path}: cannot be read: ${messageOf(cause)}`, { cause })
  }
  const result = manifest.safeParse(raw)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  throw new LuongError('MODEL_INVALID', `${path}: ${issue?.path.join('.')}: ${issue?.message}`)
}

async function checked(path: string, item: { readonly file: string; readonly sha256: string }): Promise<Buffer> {
  const file = join(dirname(path), item.file)
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new LuongError('MODEL_INVALID', `${file}: cannot be read: ${messageOf(cause)}`, { cause })
  })
  const found = createHash('sha256').update(bytes).digest('hex')
  if (found === item.sha256) return bytes
  throw new LuongError('MODEL_INVALID', `${file}: sha256 is ${found}, ${path} says ${item.sha256}`)
}
