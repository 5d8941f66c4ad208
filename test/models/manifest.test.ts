import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadModels, manifestPath } from '../../models/manifest.ts'
import { OnnxPlateReader } from '../../models/reader.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'luong-models-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const NOTHING = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const entry = (more: object) => ({ name: 'x', file: 'x.onnx', sha256: NOTHING, licence: 'Apache-2.0', made: 'here', ...more })
async function write(name: string, content: unknown): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}
const refused = (words: RegExp) => expect.objectContaining({ code: 'MODEL_INVALID', message: expect.stringMatching(words) })

describe('the model files', () => {
  it('of this package are whole', async () => {
    const models = await loadModels()
    expect(models.detector.length).toBeGreaterThan(1_000_000)
    expect(models.recogniser.length).toBeGreaterThan(1_000_000)
    expect(models.alphabet).toContain('云')
    expect(manifestPath()).toMatch(/models.plates.manifest\.json$/)
  })

  it('are refused by name when one is missing, changed or not installed', async () => {
    await writeFile(join(folder, 'x.onnx'), '')
    const gone = await write('gone.json', {
      version: 1,
      detector: entry({ file: 'gone.onnx' }),
      recogniser: entry({}),
      alphabet: entry({}),
    })
    await expect(loadModels(gone)).rejects.toEqual(refused(/gone\.onnx: cannot be read/))
    const changed = await write('changed.json', {
      version: 1,
      detector: entry({}),
      recogniser: entry({ sha256: 'a'.repeat(64) }),
      alphabet: entry({}),
    })
    await expect(loadModels(changed)).rejects.toEqual(refused(/x\.onnx: sha256 is e3b0c.*changed\.json says aaaa/))
    const foreign = await write('foreign.json', {
      version: 1,
      detector: entry({ package: 'no-such-package' }),
      recogniser: entry({}),
      alphabet: entry({}),
    })
    await expect(loadModels(foreign)).rejects.toEqual(refused(/no-such-package is not installed/))
  })

  it('are refused when the manifest is wrong', async () => {
    await expect(loadModels(join(folder, 'none.json'))).rejects.toEqual(refused(/none\.json: cannot be read/))
    await expect(loadModels(await write('text.json', 'text'))).rejects.toEqual(refused(/text\.json/))
    const unknown = await write('unknown.json', { version: 1, detector: entry({ sha: 1 }), recogniser: entry({}), alphabet: entry({}) })
    await expect(loadModels(unknown)).rejects.toEqual(refused(/unknown\.json: detector.*sha/))
  })

  it('are refused when they are no models', async () => {
    const empty = await write('empty.json', { version: 1, detector: entry({}), recogniser: entry({}), alphabet: entry({}) })
    await expect(OnnxPlateReader.open({}, empty)).rejects.toEqual(refused(/cannot be loaded/))
  })
})
