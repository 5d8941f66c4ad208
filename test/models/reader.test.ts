/** The whole reader with its real models, on plates drawn here. */
import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { workerUrl } from '../../gateway/kernel/worker-url.ts'
import { ownReader } from '../harness/own-reader.ts'
import { greyScene, platePicture, plateScene } from '../harness/plate-picture.ts'
import type { PlateLook } from '../sim/draw/plate.ts'

const reader = ownReader()

const looks: readonly PlateLook[] = [
  { text: '24C12345', country: 'vn', colour: 'white', lines: 1 },
  { text: '29H98765', country: 'vn', colour: 'yellow', lines: 1 },
  { text: '24C13579', country: 'vn', colour: 'yellow', lines: 2 },
  { text: '15RM02468', country: 'vn', colour: 'white', lines: 2 },
  { text: '云G13579', country: 'cn', colour: 'blue', lines: 1 },
  { text: '云G24680', country: 'cn', colour: 'yellow', lines: 2 },
]

describe('a plate in a picture', () => {
  it.each(looks)('$text, $colour, $lines line(s): cropped', async (look) => {
    const { plates, ms } = await reader.read(await platePicture(look), { crop: true })
    expect(plates[0]).toMatchObject({ text: look.text, country: look.country, colour: look.colour, lines: look.lines })
    expect(ms.read).toBeGreaterThan(0)
  })

  it.each(looks)('$text, $colour, $lines line(s): in a scene', async (look) => {
    const { plates, width, height, ms } = await reader.read(await plateScene(look, { width: 1920, plate: 330, angle: 4 }))
    expect([width, height]).toEqual([1920, 1080])
    expect(plates[0]).toMatchObject({ text: look.text, country: look.country, lines: look.lines })
    expect(plates[0]!.chars.map((c) => c.char).join('')).toBe(look.text)
    // In pixels of the picture as it came: the plate was put right of and below the middle.
    for (const [x, y] of plates[0]!.quad) {
      expect(x).toBeGreaterThan(1030)
      expect(x).toBeLessThan(1420)
      expect(y).toBeGreaterThan(520)
      expect(y).toBeLessThan(770)
    }
    const [tl, tr, br, bl] = plates[0]!.quad
    expect(tl[0]).toBeLessThan(tr[0])
    expect(tr[1]).toBeLessThan(br[1])
    expect(bl[1]).toBeGreaterThan(tl[1])
    expect(Math.min(ms.decode, ms.detect, ms.read)).toBeGreaterThan(0)
  })

  it.each([-32, -26, -20, 20, 26, 32])('is read from the side, its long edges at %i°, its short ones upright', async (slope) => {
    for (const look of looks) {
      const { plates } = await reader.read(await plateScene(look, { width: 800, plate: 140, slope }))
      expect(plates[0]?.text, look.text).toBe(look.text)
    }
  })

  it('prefers the nearer of two, and gives both', async () => {
    const near = await platePicture(looks[1]!, 300)
    const far = await platePicture(looks[4]!, 120)
    const scene = await greyScene([
      { input: far, left: 200, top: 150 },
      { input: near, left: 700, top: 500 },
    ])
    const { plates } = await reader.read(scene)
    expect(plates.map((p) => p.text)).toEqual([looks[1]!.text, looks[4]!.text])
    expect(plates.map((p) => p.doubt)).toEqual([undefined, 'farther'])
  })

  it('finds none where there is none', async () => {
    const grey = await sharp({ create: { width: 640, height: 360, channels: 3, background: '#56606a' } })
      .jpeg()
      .toBuffer()
    expect((await reader.read(grey)).plates).toEqual([])
    expect((await reader.read(grey, { crop: true })).plates).toEqual([])
  })

  it('is not hurt by a bad picture in between', async () => {
    const good = await platePicture(looks[0]!)
    const all = await Promise.allSettled([
      reader.read(good, { crop: true }),
      reader.read(Buffer.from('text')),
      reader.read(good, { crop: true }),
    ])
    expect(all.map((r) => r.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })
})

it('the runtime writes and sends no telemetry, and stands a long command line', async () => {
  const home = await mkdtemp(join(tmpdir(), 'luong-home-'))
  const script = `const { loadModels } = await import(${JSON.stringify(workerUrl(new URL('../../models/pool.ts', import.meta.url).href, './manifest.js').href)})
const { createSession } = await import(${JSON.stringify(workerUrl(new URL('../../models/pool.ts', import.meta.url).href, './runtime.js').href)})
await createSession((await loadModels()).reader.bytes, 1)
console.log('loaded')`
  const env = { PATH: process.env.PATH, HOME: home, XDG_CACHE_HOME: join(home, 'cache'), TMPDIR: home }
  try {
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', script, 'x'.repeat(60_000)], { env, encoding: 'utf8' })
    expect(out).toBe('loaded\n')
    expect(await readdir(home)).toEqual([])
  } finally {
    await rm(home, { recursive: true, force: true })
  }
})
