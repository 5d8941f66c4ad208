import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command, CommanderError } from 'commander'
import { afterEach, expect, test, vi } from 'vitest'
import { check } from '../../../gateway/cli/check.ts'
import { schema } from '../../../gateway/cli/schema.ts'
import { changed, inFolder, SITE } from '../../config/harness.ts'

const DEMO = fileURLToPath(new URL('../../../config/sites/demo.yaml', import.meta.url))
const BASIC = fileURLToPath(new URL('../../../config/rules/basic.yaml', import.meta.url))

afterEach(() => {
  process.exitCode = 0
  vi.restoreAllMocks()
})

/** Runs a command line in this process. */
async function luong(...args: string[]): Promise<{ code: number; out: string }> {
  const program = new Command('luong').exitOverride().configureOutput({ writeErr: () => undefined })
  check(program)
  schema(program)
  for (const c of program.commands) c.exitOverride().configureOutput({ writeErr: () => undefined })
  let out = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text)
    return true
  })
  process.exitCode = 0
  await program.parseAsync(['node', 'luong', ...args])
  const plain = out.replaceAll(/\u001b\[\d+m/g, '')
  return { code: Number(process.exitCode), out: plain }
}

test('a site that is right is summed up', async () => {
  const { code, out } = await luong('check', DEMO)
  expect(code).toBe(0)
  expect(out).toMatch(/^site +demo: Demo gate · Cửa khẩu mô phỏng · 模拟口岸$/m)
  expect(out).toMatch(/import-2 +import: agricultural \(2 cameras, tag reader, code scanner, priority\)$/m)
  expect(out).toMatch(/^calling +import-yard: import-1, import-2, import-3: 1 at a time, perishable and marked before others$/m)
  expect(out).toMatch(/export-2 +export: empty \(2 cameras, weighbridge\)$/m)
  expect(out).toMatch(/^devices +5 boards, 5 barriers, 5 traffic lights, 10 cameras, 1 weighbridge, 2 tag readers, 1 code scanner$/m)
  expect(out).toMatch(/^rules +\d+ rules, \d+ examples as expected$/m)
  expect(out).toMatch(/demo\.yaml is right\n$/)
})

test('--json ends with one object that sums it up', async () => {
  const { code, out } = await luong('check', '--json', DEMO)
  const lines = out
    .trim()
    .split('\n')
    .map((l) => JSON.parse(l) as Record<string, unknown>)
  expect(code).toBe(0)
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatchObject({ ok: true, site: 'demo', devices: 29, links: 7 })
  expect(lines[0]?.lanes).toEqual(['import-1', 'import-2', 'import-3', 'export-1', 'export-2'])
})

test('mistakes in the site and in its rules are told together, exit code 1', () =>
  inFolder({ 'site.yaml': changed(['unit: 1', 'unit: 300']), 'rules.yaml': 'version: 1\nrulez: []\n' }, async (folder) => {
    const { code, out } = await luong('check', join(folder, 'site.yaml'))
    expect(code).toBe(1)
    expect(out).toContain('site.yaml:9:75 devices.io-1.unit: must be at most 255, not 300 (1 to 255)\n')
    expect(out).toMatch(/rules\.yaml:2:1 .*rulez/)
    expect(out).toMatch(/site\.yaml: \d errors\n$/)
    const json = (await luong('check', join(folder, 'site.yaml'), '--json')).out
      .trim()
      .split('\n')
      .map((l) => JSON.parse(l) as object)
    expect(json[0]).toMatchObject({ severity: 'error', line: 9, column: 75, path: 'devices.io-1.unit' })
    expect(json.at(-1)).toMatchObject({ ok: false })
  }))

test('an example that does not come out as expected fails', () =>
  inFolder({ 'site.yaml': SITE }, async (folder) => {
    const rules = `version: 1
rules:
  - id: everybody
    when: 'true'
    then: pass
    reasons: { vi: a, zh: b, en: c }
    examples: [{ name: nobody, expect: refuse }]
`
    await writeFile(join(folder, 'rules.yaml'), rules)
    const { code, out } = await luong('check', join(folder, 'site.yaml'))
    expect(code).toBe(1)
    expect(out).toMatch(/rules\.yaml:7:\d+ .*example "nobody" expects refuse by everybody, but everybody says pass/)
  }))

test('warnings are told and do not fail', () =>
  inFolder({ 'site.yaml': changed(['rules.yaml', BASIC], ['  local:', '  spare: { kind: memory }\n  local:']) }, async (folder) => {
    const { code, out } = await luong('check', join(folder, 'site.yaml'))
    expect(code).toBe(0)
    expect(out).toContain('site.yaml:7:3 warning: links.spare: is not used')
    expect(out).toMatch(/site\.yaml is right, 1 warning\n$/)
  }))

test('a file that is not there is a clear error', async () => {
  const { code, out } = await luong('check', 'nowhere.yaml')
  expect(code).toBe(1)
  expect(out).toBe('nowhere.yaml:1:1 nowhere.yaml cannot be read: there is no such file\nnowhere.yaml: 1 error\n')
})

test.each([[['check']], [['check', 'a.yaml', '--colour']], [['check', 'a.yaml', 'b.yaml']], [['schema', '--tropics']]])(
  'bad usage %j is refused by the command line itself',
  async (args) => {
    await expect(luong(...args)).rejects.toBeInstanceOf(CommanderError)
  },
)

test('schema prints JSON Schema, and AsyncAPI of the topics', async () => {
  const site = JSON.parse((await luong('schema')).out) as Record<string, unknown>
  expect(site.$schema).toBe('http://json-schema.org/draft-07/schema#')
  expect(site.required).toContain('lanes')
  const topics = JSON.parse((await luong('schema', '--topics')).out) as { asyncapi: string; channels: Record<string, { address: string }> }
  expect(topics.asyncapi).toBe('3.0.0')
  expect(topics.channels.event?.address).toBe('luong/v1/{site}/lane/{lane}/event')
})
