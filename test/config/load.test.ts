import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { isLoopback } from '../../config/checks/broker.ts'
import { explain, problemJson, tally } from '../../config/explain.ts'
import { ConfigError, loadSite } from '../../config/load.ts'
import { type Migrations, migrate } from '../../config/migrate.ts'
import { changed, inFolder, SITE, told } from './harness.ts'

const lanesAt = SITE.indexOf('lanes:\n')
const rulesAt = SITE.indexOf('rules:')

describe('include', () => {
  const lanes = SITE.slice(lanesAt, rulesAt)
  const rest = `${SITE.slice(0, lanesAt)}rules: [rules.yaml]\n`
  const including = rest.replace('version: 1', 'version: 1\ninclude: [lanes.yaml]')

  test('a site in two files is the same site', async () => {
    const whole = await told({ 'site.yaml': SITE })
    const split = await told({ 'site.yaml': including, 'lanes.yaml': lanes })
    expect(split.lines).toEqual([])
    expect(split.loaded?.hash).toBe(whole.loaded?.hash)
    expect(split.loaded?.files.map((f) => f.split('/').at(-1))).toEqual(['site.yaml', 'lanes.yaml'])
  })

  test('maps are merged key by key, lists and values replaced, the including file wins', async () => {
    const own = `${including}lanes:\n  two: { takes: [loaded, parcel], timing: { gap_ms: 3000 } }\n`
    const { loaded } = await told({ 'site.yaml': own, 'lanes.yaml': lanes })
    expect(loaded?.site.lanes.two).toMatchObject({
      takes: ['loaded', 'parcel'],
      timing: { gap_ms: 3_000, arm_open_ms: 9_000 },
      barrier: 'arm-2',
    })
    expect(loaded?.site.lanes.one?.takes).toEqual(['loaded'])
  })

  test('a later include wins over an earlier one; an empty key takes nothing away', async () => {
    const own = `${rest.replace('version: 1', 'version: 1\ninclude: [lanes.yaml, more.yaml]')}lanes:\n`
    const { loaded } = await told({ 'site.yaml': own, 'lanes.yaml': lanes, 'more.yaml': 'lanes: { one: { priority: true } }' })
    expect(loaded?.site.lanes.one?.priority).toBe(true)
    expect(Object.keys(loaded?.site.lanes ?? {})).toEqual(['one', 'two'])
  })

  test('a mistake is shown in the file in which it is written', async () => {
    const own = `${including}lanes:\n  two: { timing: { gap_ms: 1 } }\n`
    const { lines } = await told({ 'site.yaml': own, 'lanes.yaml': lanes.replace('direction: import', 'direction: in') })
    expect(lines).toEqual([
      'site.yaml:19:28 lanes.two.timing.gap_ms: must be at least 200 ms, not 1 (200 to 30000 ms; 2500 when left out)',
      'lanes.yaml:3:16 lanes.one.direction: must be one of import, export, not "in"',
    ])
  })

  test('files that include each other are refused', async () => {
    const { lines } = await told({ 'site.yaml': including, 'lanes.yaml': `include: [site.yaml]\n${lanes}` })
    expect(lines).toEqual(['lanes.yaml:1:11 include[0]: includes itself (site.yaml → lanes.yaml → site.yaml)'])
  })

  test('includes without end are cut off', async () => {
    const files = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`f${i}.yaml`, `include: [f${i + 1}.yaml, f${i + 1}.yaml]\n`]))
    const { lines } = await told({ ...files, 'f20.yaml': 'version: 1\n', 'site.yaml': 'include: [f0.yaml]\n' })
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/more than 100 includes \(merge some of the files\)$/)
  })

  test('paths are relative to the file they are written in', () =>
    inFolder(
      { 'site.yaml': rest.replace('version: 1', 'version: 1\ninclude: [sub/lanes.yaml]').replace('rules: [rules.yaml]\n', '') },
      async (folder) => {
        await mkdir(join(folder, 'sub'))
        await writeFile(
          join(folder, 'sub', 'lanes.yaml'),
          `${lanes}rules: [own.yaml]\nuplink: { url: "mqtt://h", password: { file: pw } }\n`,
        )
        await writeFile(join(folder, 'sub', 'own.yaml'), '')
        await writeFile(join(folder, 'sub', 'pw'), 'open sesame\n')
        const loaded = await loadSite(join(folder, 'site.yaml'), { env: {} })
        expect(loaded.rules).toEqual([join(folder, 'sub', 'own.yaml')])
        expect(loaded.site.uplink?.password?.reveal()).toBe('open sesame')
      },
    ))
})

describe('secrets', () => {
  const uplink = (password: string) => changed(['links:\n', `uplink: { url: "mqtt://h", username: u, password: ${password} }\nlinks:\n`])

  test('come from the environment and are never printed', async () => {
    const { loaded } = await told({ 'site.yaml': uplink('{ env: PW }') }, { env: { PW: 'hunter2' } })
    const secret = loaded?.site.uplink?.password
    expect(secret?.reveal()).toBe('hunter2')
    const seen = [
      String(secret),
      `${secret}`,
      JSON.stringify(loaded),
      inspect(loaded, { depth: 9, showHidden: true }),
      JSON.stringify(secret),
      secret?.toString(),
    ]
    for (const text of seen) expect(text).not.toContain('hunter2')
    expect(JSON.stringify({ secret })).toBe('{"secret":"[secret]"}')
    expect(inspect(secret)).toBe('[secret]')
  })

  test('do not change the hash', async () => {
    const a = await told({ 'site.yaml': uplink('{ env: PW }') }, { env: { PW: 'a' } })
    const b = await told({ 'site.yaml': uplink('{ env: PW }') }, { env: { PW: 'b' } })
    expect(a.loaded?.hash).toBe(b.loaded?.hash)
  })

  test('an empty file, and one far too long', async () => {
    const at = 'site.yaml:5:59 uplink.password.file:'
    expect((await told({ 'site.yaml': uplink('{ file: pw }'), pw: '\n' })).lines).toEqual([
      `${at} the file pw is empty (write the secret into it, on one line)`,
    ])
    expect((await told({ 'site.yaml': uplink('{ file: pw }'), pw: 'x'.repeat(5_000) })).lines).toEqual([
      `${at} the file pw is too long for a secret (at most 4096 characters)`,
    ])
  })

  test('are asked for in every broken file too, for links and broker users as well', async () => {
    const text = changed(
      ['local: { kind: mqtt }', 'local: { kind: mqtt, url: "mqtt://h", password: { env: LINK } }'],
      ['links:\n', 'broker: { embedded: { users: [{ name: n, role: page, password: { env: USER_PW } }] } }\nlinks:\n'],
      ['takes: [empty]', 'takes: []'],
    )
    const { lines } = await told({ 'site.yaml': text })
    expect(lines.map((l) => l.split(' (')[0])).toEqual([
      'site.yaml:5:71 broker.embedded.users[0].password.env: the environment variable USER_PW is not set',
      'site.yaml:8:58 links.local.password.env: the environment variable LINK is not set',
      'site.yaml:27:12 lanes.two.takes: needs at least 1 entry',
    ])
  })
})

describe('what is loaded', () => {
  test('has defaults, devices with parsed settings, and cannot be changed', async () => {
    const { loaded } = await told({ 'site.yaml': SITE })
    expect(loaded?.site.broker).toMatchObject({ embedded: { host: '127.0.0.1', port: 1883, users: [], max_payload_kb: 8192 } })
    const io = loaded?.devices.get('io-1')
    expect(io).toMatchObject({ driver: 'modbus-io', settings: { poll_ms: 25, invert: [] } })
    expect(io?.entry.name).toBe('modbus-io')
    expect(() => Object.assign(loaded!.site.lanes.one!.timing, { gap_ms: 1 })).toThrow(TypeError)
    expect(() => loaded!.site.lanes.one!.sensors.presence.push('x')).toThrow(TypeError)
    expect(() => Object.assign(io!.settings as object, { poll_ms: 1 })).toThrow(TypeError)
  })

  test('has a hash over what is in effect, not over how it is written', async () => {
    const hash = async (text: string) => (await told({ 'site.yaml': text })).loaded?.hash
    const first = await hash(SITE)
    expect(first).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(await hash(`# a word\n${SITE}`)).toBe(first)
    expect(await hash(changed(['arm_open_ms: 9000', 'arm_open_ms: 9000, gap_ms: 2500']))).toBe(first)
    expect(await hash(changed(['arm_open_ms: 9000', 'arm_open_ms: 9001']))).not.toBe(first)
    expect(await hash(changed(['unit: 1 }', 'unit: 1, poll_ms: 30 }']))).not.toBe(first)
  })
})

describe('migration', () => {
  const old = changed(['version: 1', 'version: 0'], ['direction: import', 'way: import'], ['direction: export', 'way: export'])
  const renamed = (raw: Readonly<Record<string, unknown>>) => {
    const lanes = Object.entries(raw.lanes as Record<string, { way?: string }>).map(([id, { way, ...lane }]) => [
      id,
      { ...lane, direction: way },
    ])
    return { ...raw, lanes: Object.fromEntries(lanes) }
  }

  test('brings an old file to the present form', async () => {
    const { lines, loaded } = await told({ 'site.yaml': old }, { env: {}, migrations: new Map([[0, renamed]]) })
    expect(lines).toEqual([])
    expect(loaded?.site.version).toBe(1)
    expect(loaded?.site.lanes.two?.direction).toBe('export')
  })

  test('a mistake in an old file is shown at the nearest place that is written', async () => {
    const { lines } = await told({ 'site.yaml': old.replace('way: export', 'way: out') }, { env: {}, migrations: new Map([[0, renamed]]) })
    expect(lines).toEqual(['site.yaml:24:3 lanes.two.direction: must be one of import, export, not "out"'])
  })

  test('goes step by step and leaves alone what it does not know', () => {
    const add = (key: string) => (raw: Readonly<Record<string, unknown>>) => ({ ...raw, [key]: true })
    const steps: Migrations = new Map([
      [1, add('a')],
      [2, add('b')],
    ])
    expect(migrate({ version: 1 }, steps, 3)).toEqual({ version: 3, a: true, b: true })
    expect(migrate({ version: 0 }, steps, 3)).toEqual({ version: 0 })
    expect(migrate({ version: 9 }, steps, 3)).toEqual({ version: 9 })
    expect(migrate({ version: 'x' }, steps, 3)).toEqual({ version: 'x' })
  })
})

describe('what is printed', () => {
  test('a ConfigError carries all problems and its message shows them', () =>
    inFolder({ 'site.yaml': changed(['unit: 1', 'unit: 300'], ['front: [cam-1]', 'front: [cam-9]']) }, async (folder) => {
      const error = await loadSite(join(folder, 'site.yaml')).catch((e: unknown) => e)
      if (!(error instanceof ConfigError)) throw error
      expect(error.code).toBe('CONFIG_INVALID')
      expect(error.problems.map((p) => [p.line, p.column, p.path, p.severity])).toEqual([
        [9, 75, 'devices.io-1.unit', 'error'],
        [23, 24, 'lanes.one.cameras.front[0]', 'error'],
      ])
      expect(error.message.split('\n')).toHaveLength(2)
      expect(error.rules).toEqual([join(folder, 'rules.yaml')])
    }))

  test('colours only when asked', () => {
    const problem = { file: 'f', line: 1, column: 2, path: 'a.b', message: 'm', hint: 'h', severity: 'warning' } as const
    expect(explain(problem)).toBe('f:1:2 warning: a.b: m (h)')
    const coloured = explain(problem, { colour: true })
    expect(coloured).toContain('\u001b[')
    expect(coloured.replaceAll(/\u001b\[\d+m/g, '')).toBe(explain(problem))
    expect(JSON.parse(problemJson(problem))).toEqual(problem)
    expect(tally([problem, { ...problem, severity: 'error' }])).toBe('1 error, 1 warning')
  })
})

test('loopback', () => {
  for (const host of ['localhost', '127.0.0.1', '127.1.2.3', '::1']) expect(isLoopback(host)).toBe(true)
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.evil.example', 'localhost.example']) expect(isLoopback(host)).toBe(false)
})
