/** `luong read` as a process, as scripts use it. */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { workerUrl } from '../../../gateway/kernel/worker-url.ts'
import { plainEnv } from '../../harness/plain-env.ts'
import { platePicture, plateScene } from '../../harness/plate-picture.ts'

const main = fileURLToPath(workerUrl(new URL('../../../gateway/cli/read.ts', import.meta.url).href, './main.js'))
const root = fileURLToPath(new URL('../../../', import.meta.url))
interface Answer {
  readonly file: string
  readonly plates: readonly { text: string; [key: string]: unknown }[]
  readonly ms?: unknown
  readonly error?: { code: string; message: string; hint: string }
}
interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}
let folder: string
function luong(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [main, ...args], { cwd: root, maxBuffer: 1 << 26, env: plainEnv() }, (_, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    )
  })
}
const lines = (text: string): Answer[] =>
  text
    .trim()
    .split('\n')
    .map((l) => JSON.parse(l) as Answer)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'luong-read-'))
  await mkdir(join(folder, 'night'))
  const vn = { text: '24C12345', country: 'vn', colour: 'white', lines: 1 } as const
  const cn = { text: '云G13579', country: 'cn', colour: 'blue', lines: 1 } as const
  await writeFile(join(folder, 'b.jpg'), await plateScene(vn))
  await writeFile(join(folder, 'a.png'), await platePicture(vn))
  await writeFile(join(folder, 'night', 'c.JPG'), await plateScene(cn))
  await writeFile(join(folder, 'notes.txt'), 'not a picture, not looked at')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('luong read', () => {
  it('--json: one line a picture, sorted, with exactly the promised fields', async () => {
    const { code, out, err } = await luong('read', '--json', folder)
    expect(err).toBe('')
    expect(code).toBe(0)
    const answers = lines(out)
    expect(answers.map((a) => [a.file, a.plates[0]?.text])).toEqual([
      [join(folder, 'a.png'), '24C12345'],
      [join(folder, 'b.jpg'), '24C12345'],
      [join(folder, 'night', 'c.JPG'), '云G13579'],
    ])
    for (const answer of answers) {
      expect(Object.keys(answer)).toEqual(['file', 'plates', 'ms'])
      expect(Object.keys(answer.ms as object)).toEqual(['decode', 'detect', 'read'])
      const plate = answer.plates[0]!
      expect(Object.keys(plate)).toEqual(['text', 'country', 'lines', 'colour', 'confidence', 'weakest', 'accepted', 'quad'])
      expect(plate.quad).toHaveLength(4)
    }
  })

  it('--crop reads the whole picture as a plate', async () => {
    const { code, out } = await luong('read', '--json', '--crop', '--threads', '2', join(folder, 'a.png'))
    expect(code).toBe(0)
    expect(lines(out)).toMatchObject([{ file: join(folder, 'a.png'), plates: [{ text: '24C12345' }], ms: { detect: 0 } }])
  })

  it('goes on after bad pictures, names each, and exits 1', async () => {
    const text = join(folder, 'text.jpg')
    await writeFile(text, 'hello')
    const none = join(folder, 'none.jpg')
    const { code, out, err } = await luong('read', '--json', text, none, join(folder, 'a.png'))
    await rm(text)
    expect(code).toBe(1)
    expect(lines(out)).toMatchObject([
      { file: text, error: { code: 'IMAGE_INVALID', message: expect.stringMatching(/^not a JPEG/), hint: expect.any(String) }, plates: [] },
      { file: none, error: { code: 'IMAGE_INVALID', message: expect.stringMatching(/ENOENT/) }, plates: [] },
      { file: join(folder, 'a.png'), plates: [{ text: '24C12345' }] },
    ])
    expect(err).toContain(`${text}: not a JPEG`)
    expect(err).toContain(`${none}: cannot be read`)
  })

  it('speaks to people', async () => {
    const { code, out } = await luong('read', join(folder, 'b.jpg'))
    expect(code).toBe(0)
    expect(out).toMatch(
      /b\.jpg {2}24C12345 {2}(sure|unsure) \(\d+\.\d %, weakest sign \d+\.\d %(; [^)]+)?\) {2}vn white, 1 line {2}\d+ ms\n/,
    )
  })

  it('refuses a wrong number of threads', async () => {
    const { code, err } = await luong('read', '--threads', 'many', join(folder, 'b.jpg'))
    expect(code).toBe(2)
    expect(err).toContain('whole number from 1 to 64')
  })
})
