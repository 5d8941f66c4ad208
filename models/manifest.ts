/** The model files: where they are, and that they are the ones they should be. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { LuongError, messageOf } from '../gateway/kernel/errors.ts'
import { packageRoot } from '../gateway/kernel/package-root.ts'

const entry = z.strictObject({
  name: z.string(),
  /** A module of the package that holds the file; absent: the file lies beside the manifest. */
  package: z.string().optional(),
  file: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  licence: z.string(),
  made: z.string(),
})
const manifest = z.strictObject({ version: z.literal(1), detector: entry, recogniser: entry, alphabet: entry })
type Entry = z.output<typeof entry>

export interface PlateModels {
  readonly detector: Uint8Array
  readonly recogniser: Uint8Array
  /** Characters of the recogniser's classes 1, 2, …; class 0 is the CTC blank. */
  readonly alphabet: readonly string[]
}

/** `models/plates/manifest.json` of this package, whether run from source or from `dist/`. */
export function manifestPath(): string {
  return join(packageRoot, 'models', 'plates', 'manifest.json')
}

/** Reads and checks all model files. Rejects with MODEL_INVALID that names the file and what is wrong with it. */
export async function loadModels(path: string = manifestPath()): Promise<PlateModels> {
  const parsed = await readManifest(path)
  const [detector, recogniser, alphabet] = await Promise.all([
    checked(path, parsed.detector),
    checked(path, parsed.recogniser),
    checked(path, parsed.alphabet),
  ])
  return {
    detector,
    recogniser,
    alphabet: [
      ...alphabet
        .toString('utf8')
        .replace(/\r?\n$/, '')
        .split(/\r?\n/),
      ' ',
    ],
  }
}

async function readManifest(path: string): Promise<z.output<typeof manifest>> {
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

async function checked(path: string, item: Entry): Promise<Buffer> {
  const file = join(item.package ? packageFolder(path, item.package) : dirname(path), item.file)
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new LuongError('MODEL_INVALID', `${file}: cannot be read: ${messageOf(cause)}`, { cause })
  })
  const found = createHash('sha256').update(bytes).digest('hex')
  if (found === item.sha256) return bytes
  throw new LuongError('MODEL_INVALID', `${file}: sha256 is ${found}, ${path} says ${item.sha256}`)
}

function packageFolder(path: string, name: string): string {
  try {
    return dirname(createRequire(import.meta.url).resolve(name))
  } catch (cause) {
    throw new LuongError('MODEL_INVALID', `${path}: package of ${name} is not installed`, { cause })
  }
}
