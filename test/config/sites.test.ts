/** The sites that are shipped load with nothing set in the environment, and are what their names promise. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { kindOf } from '../../config/checks/view.ts'
import { type LoadedSite, loadSite } from '../../config/load.ts'
import { inFolder } from './harness.ts'

const folder = fileURLToPath(new URL('../../config/sites/', import.meta.url))
const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'))
const load = (name: string): Promise<LoadedSite> => loadSite(`${folder}${name}.yaml`, { env: {} })
const kinds = (site: LoadedSite) => [...site.devices.values()].map((d) => kindOf(d) ?? 'unknown')
const countOf = (site: LoadedSite, kind: string) => kinds(site).filter((k) => k === kind).length

test.each(names)('%s loads, without a warning', async (name) => {
  const site = await loadSite(`${folder}${name}`, { env: {} })
  expect(site.warnings).toEqual([])
  expect(site.site.site.id).toBe(name.replace('.yaml', ''))
  expect(kinds(site)).not.toContain('unknown')
  const rules = site.rules.map((f) => f.split('/').at(-1))
  expect(rules[0]).toBe('11-detained-vehicles.yaml')
  expect(rules.at(-1)).toBe('everything-agrees.yaml')
})

test.each(names)('%s names its schema for editors', (name) => {
  expect(readFileSync(`${folder}${name}`, 'utf8').split('\n')[0]).toBe(
    '# yaml-language-server: $schema=../../docs/generated/site.schema.json',
  )
})

test('kim-thanh has three import and two export lanes, one for empties with a scale, one agricultural priority', async () => {
  const site = await load('kim-thanh')
  const lanes = Object.entries(site.site.lanes)
  expect(lanes.map(([id, lane]) => [id, lane.direction])).toEqual([
    ['import-1', 'import'],
    ['import-2', 'import'],
    ['import-3', 'import'],
    ['export-1', 'export'],
    ['export-2', 'export'],
  ])
  expect(lanes.filter(([, lane]) => lane.priority).map(([id, lane]) => [id, lane.takes])).toEqual([['import-2', ['agricultural']]])
  expect(lanes.filter(([, lane]) => lane.takes.includes('empty')).map(([id, lane]) => [id, lane.scale])).toEqual([
    ['export-2', 'scale-export-2'],
  ])
  for (const [, lane] of lanes) {
    expect(Object.values(lane.sensors).map((refs) => refs?.length)).toEqual([1, 1, 1, 1])
    expect(lane.cameras.front).toHaveLength(1)
    expect(lane.cameras.rear).toHaveLength(1)
    expect(lane.light).toBeDefined()
  }
  expect(Object.values(site.site.links).map((link) => link.kind)).toEqual([
    'serial',
    'serial',
    'serial',
    'serial',
    'serial',
    'serial',
    'mqtt',
  ])
  // Every kind of reader has its line in a shipped site.
  expect([...site.devices.values()].map((d) => d.driver).filter((d) => ['r200', 'chafon', 'qr-line'].includes(d))).toEqual([
    'r200',
    'qr-line',
    'chafon',
  ])
  expect(countOf(site, 'points')).toBe(5)
})

test('demo has the same lanes and devices as kim-thanh, only quicker, on lines in memory', async () => {
  const [demo, real] = [await load('demo'), await load('kim-thanh')]
  const quicker = Object.entries(real.site.lanes).map(([id, lane]) => [id, { ...lane, timing: { ...lane.timing, gap_ms: 1_500 } }])
  expect(demo.site.lanes).toEqual(Object.fromEntries(quicker))
  const settings = [...real.devices].map(([id, d]) => [
    id,
    d.driver === 'barrier' ? { ...(d.settings as object), travel_ms: 1_500 } : d.settings,
  ])
  expect(new Map([...demo.devices].map(([id, d]) => [id, d.settings]))).toEqual(new Map(settings as [string, unknown][]))
  expect(new Set(Object.values(demo.site.links).map((link) => link.kind))).toEqual(new Set(['memory', 'mqtt']))
  expect(demo.site.broker).toMatchObject({ embedded: { host: '127.0.0.1', users: [] } })
  expect(demo.hash).not.toBe(real.hash)
})

test('loi-mo has one lane with a hold barrier and two sensors, on a device server', async () => {
  const site = await load('loi-mo')
  expect(Object.values(site.site.lanes).map((lane) => Object.keys(lane.sensors))).toEqual([['approach', 'presence']])
  expect(site.devices.get('barrier')?.settings).toMatchObject({ kind: 'hold', travel_ms: 3_000 })
  expect(site.site.links.cabinet).toEqual({ kind: 'tcp', host: '192.168.10.20', port: 4196 })
})

test.each(['kim-thanh', 'loi-mo', 'huu-nghi'])('the examples commented out in %s are right as well', async (name) => {
  const text = readFileSync(`${folder}${name}.yaml`, 'utf8')
  const blocks = [...text.matchAll(/^# (uplink|broker):\n(?:# {2}.*\n)+/gm)].map((m) => m[0].replaceAll(/^# /gm, ''))
  expect(blocks.length).toBeGreaterThan(0)
  const broker = blocks.some((b) => b.startsWith('broker'))
  const rest = broker ? text.replace(/^broker:\n(?: .*\n)+/m, '') : text
  const site = `${rest}\n${blocks.join('')}`
    .replaceAll('shared/', `${folder}shared/`)
    .replaceAll('../rules/', `${folder}../rules/`)
    .replaceAll('/etc/luong/', '')
  const hash = '$scrypt$ln=15,r=8,p=3$LDSfCdmVdqE4Rxb7PXanVQ$3Ra1YGLdXLGeNXy7GdZLOaOBugiXqvQIeZ8SKw3pxXs\n'
  await inFolder({ 'site.yaml': site, 'page-password': 'x\n', 'centre-hash': hash, 'youyiguan-hash': hash }, async (here) => {
    const env = { LUONG_UPLINK_PASSWORD: 'a', LUONG_CAMERAS_PASSWORD: 'b', LUONG_PEER_PASSWORD: 'c' }
    const loaded = await loadSite(`${here}/site.yaml`, { env })
    expect(loaded.site.uplink?.password?.reveal()).toBe('a')
    await expect(loadSite(`${here}/site.yaml`, { env: {} })).rejects.toThrow(/LUONG_UPLINK_PASSWORD is not set/)
  })
})
