/** A small site that is right, and what the loader says when it is changed. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { explain } from '../../config/explain.ts'
import { ConfigError, type LoadedSite, type LoadOptions, loadSite } from '../../config/load.ts'

export const SITE = `version: 1
site:
  id: pass
  name: { vi: a, zh: b, en: c }
links:
  bus: { kind: serial, path: /dev/ttyUSB0 }
  local: { kind: mqtt }
devices:
  io-1: { driver: modbus-io, link: bus, profile: waveshare-relay-d, unit: 1 }
  io-2: { driver: modbus-io, link: bus, profile: waveshare-relay-d, unit: 2 }
  arm-1: { driver: barrier, kind: pulse, open: io-1.do1, close: io-1.do2, open_limit: io-1.di5, inhibit: [io-1.di2] }
  arm-2: { driver: barrier, kind: pulse, open: io-2.do1, close: io-2.do2, inhibit: [io-2.di2] }
  light-1: { driver: traffic-light, red: io-1.do3, green: io-1.do4 }
  cam-1: { driver: mqtt-camera, link: local, topic: cam/1 }
  cam-2: { driver: mqtt-camera, link: local, topic: cam/2 }
lanes:
  one:
    direction: import
    takes: [loaded]
    sensors: { approach: io-1.di1, presence: io-1.di2 }
    barrier: arm-1
    light: light-1
    cameras: { front: [cam-1] }
  two:
    direction: export
    takes: [empty]
    sensors: { presence: [io-2.di2] }
    barrier: arm-2
    cameras: { rear: [cam-2] }
    timing: { arm_open_ms: 9000 }
rules: [rules.yaml]
`

/** A folder with site.yaml, an empty rules.yaml and `files`; removed when `work` is over. */
export async function inFolder<T>(files: Readonly<Record<string, string | Uint8Array>>, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'luong-config-'))
  try {
    for (const [name, text] of Object.entries({ 'rules.yaml': '', ...files })) await writeFile(join(folder, name), text)
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

export type Told = { lines: string[]; loaded?: LoadedSite }

/** Loads site.yaml among `files`; the lines it is answered with, errors or warnings, without the folder's name. */
export function told(files: Readonly<Record<string, string | Uint8Array>>, options: LoadOptions = { env: {} }): Promise<Told> {
  return inFolder(files, async (folder) => {
    const strip = (text: string) => text.replaceAll(`${folder}/`, '')
    try {
      const loaded = await loadSite(join(folder, 'site.yaml'), options)
      return { lines: loaded.warnings.map((p) => strip(explain(p))), loaded }
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      return { lines: error.problems.map((p) => strip(explain(p))) }
    }
  })
}

/** SITE with `old` replaced once; throws when it is not there. */
export function changed(...swaps: readonly (readonly [old: string, now: string])[]): string {
  return swaps.reduce((text, [old, now]) => {
    if (!text.includes(old)) throw new Error(`not in the site: ${old}`)
    return text.replace(old, () => now)
  }, SITE)
}
