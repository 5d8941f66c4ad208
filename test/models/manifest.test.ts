import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadModels, manifestPath } from '../../models/manifest.ts'
import { OnnxPlateReader } from '../../models/reader.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'luong-models-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const NOTHING = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const file = { name: 'x', file: 'x.onnx', sha256: NOTHING, licence: 'Apache-2.0', card: 'x.md' }
const detector = (more: object = {}) => ({ ...file, stride: 8, unit: 32, step: 32, ...more })
const reader = (more: object = {}) => ({
  ...file,
  width: 144,
  height: 48,
  slots: 9,
  alphabet: '-01',
  countries: ['vn'],
  colours: ['white'],
  ...more,
})
async function write(name: string, content: unknown): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}
const refused = (words: RegExp) => expect.objectContaining({ code: 'MODEL_INVALID', message: expect.stringMatching(words) })

describe('the model files', () => {
  it('of this package are whole, and have their cards', async () => {
    const { detector, reader } = await loadModels()
    // What the product promises.
    expect(detector.bytes.length).toBeLessThanOrEqual(2_000_000)
    expect(reader.bytes.length).toBeLessThanOrEqual(4_000_000)
    expect(detector.bytes.length + reader.bytes.length).toBeLessThanOrEqual(8_000_000)
    expect(reader.alphabet).toContain('云')
    expect(reader.alphabet[0]).toBe('-')
    expect(new Set(reader.alphabet).size).toBe(reader.alphabet.length)
    for (const { card, sha256 } of [detector, reader]) expect(await readFile(join(dirname(manifestPath()), card), 'utf8')).toContain(sha256)
  })

  it('are refused by name when one is missing or changed', async () => {
    await writeFile(join(folder, 'x.onnx'), '')
    const gone = await write('gone.json', { version: 2, detector: detector({ file: 'gone.onnx' }), reader: reader() })
    await expect(loadModels(gone)).rejects.toEqual(refused(/gone\.onnx: cannot be read/))
    const changed = await write('changed.json', { version: 2, detector: detector(), reader: reader({ sha256: 'a'.repeat(64) }) })
    await expect(loadModels(changed)).rejects.toEqual(refused(/x\.onnx: sha256 is e3b0c.*changed\.json says aaaa/))
  })

  it('are refused when the manifest is wrong', async () => {
    await expect(loadModels(join(folder, 'none.json'))).rejects.toEqual(refused(/none\.json: cannot be read/))
    await expect(loadModels(await write('text.json', 'text'))).rejects.toEqual(refused(/text\.json/))
    const unknown = await write('unknown.json', { version: 2, detector: detector({ sha: 1 }), reader: reader() })
    await expect(loadModels(unknown)).rejects.toEqual(refused(/unknown\.json: detector.*sha/))
    const old = await write('old.json', { version: 1, detector: detector(), reader: reader() })
    await expect(loadModels(old)).rejects.toEqual(refused(/old\.json: version/))
  })

  it('are refused when they are no models', async () => {
    await writeFile(join(folder, 'x.onnx'), '')
    const empty = await write('empty.json', { version: 2, detector: detector(), reader: reader() })
    await expect(OnnxPlateReader.open({}, empty)).rejects.toEqual(refused(/cannot be loaded/))
  })
})
