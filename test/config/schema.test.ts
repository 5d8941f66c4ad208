import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { configDocs, writeConfigDocs } from '../../config/docs.ts'
import { type JsonNode, siteJsonSchema } from '../../config/json-schema.ts'
import { knownKeys, nodesAt, settings } from '../../config/schema-walk.ts'
import { drivers } from '../../firmware-bridge/registry.ts'
import { inFolder } from './harness.ts'

const schema = siteJsonSchema(drivers)
const all = [...settings(schema)]
const safe = Number.MAX_SAFE_INTEGER

/** Every alternative a value may be written as. */
const forms = (node: JsonNode): JsonNode[] => (node.anyOf ?? node.oneOf)?.flatMap(forms) ?? [node]

test('the walk sees settings at every depth', () => {
  const paths = new Set(all.map((s) => s.path))
  for (const path of [
    'version',
    'site.name.vi',
    'broker.embedded.users[].password.env',
    'broker.external.url',
    'links.<serial>.baud',
    'links.<mqtt>.password.file',
    'devices.<modbus-io>.poll_ms',
    'devices.<barrier>.inhibit',
    'lanes.<lane>.sensors.presence',
    'lanes.<lane>.timing.gap_ms',
    'lanes.<lane>.simulation.exit_m',
  ])
    expect(paths).toContain(path)
})

describe('every setting', () => {
  test('has a title and a description', () => {
    const bare = all.filter(({ node }) => !node.title || !node.description)
    expect(bare.map((s) => s.path)).toEqual([])
  })

  test('that is a number has bounds', () => {
    const boundless = all.filter(({ node }) =>
      forms(node).some(
        (f) =>
          /^(integer|number)$/.test(f.type ?? '') &&
          f.const === undefined &&
          f.enum === undefined &&
          ((f.minimum ?? -safe) <= -safe || (f.maximum ?? safe) >= safe),
      ),
    )
    expect(boundless.map((s) => s.path)).toEqual([])
  })

  test('of the site itself that is text or a list has bounds', () => {
    const own = all.filter((s) => !s.path.startsWith('devices.'))
    const boundless = own.filter(({ node }) =>
      forms(node).some(
        (f) =>
          (f.type === 'array' && f.maxItems === undefined) ||
          (f.type === 'string' && [f.maxLength, f.pattern, f.enum, f.const].every((b) => b === undefined)),
      ),
    )
    expect(boundless.map((s) => s.path)).toEqual([])
  })

  test('that is a duration says its unit', () => {
    expect(all.filter((s) => s.path.endsWith('_ms') && s.node.unit !== 'ms').map((s) => s.path)).toEqual([])
  })
})

test('unknown keys are refused everywhere', () => {
  const open: string[] = []
  const visit = (node: JsonNode, path: string) => {
    for (const form of forms(node)) {
      if (form.type === 'object' && form.properties && form.additionalProperties !== false) open.push(path)
      for (const [key, inner] of Object.entries(form.properties ?? {})) visit(inner, `${path}.${key}`)
      if (typeof form.additionalProperties === 'object') visit(form.additionalProperties, `${path}.*`)
      if (form.items) visit(form.items, `${path}[]`)
    }
  }
  visit(schema, '')
  expect(open).toEqual([])
})

test('an editor sees the keys of the driver that is written', () => {
  const data = { devices: { a: { driver: 'barrier' }, b: { driver: 'modbus-io' }, c: {} } }
  expect(knownKeys(schema, ['devices', 'a'], data)).toContain('inhibit')
  expect(knownKeys(schema, ['devices', 'a'], data)).not.toContain('profile')
  expect(knownKeys(schema, ['devices', 'b'], data)).toContain('profile')
  expect(knownKeys(schema, ['devices', 'c'], data)).toContain('driver')
  expect(nodesAt(schema, ['nothing', 'here'], data)).toEqual([])
})

test('keys with a default are not required, keys without are', () => {
  const lane = nodesAt(schema, ['lanes', 'x'], {})[0]
  expect(lane?.required).toEqual(['direction', 'takes', 'sensors', 'barrier'])
  expect(schema.required).toEqual(['version', 'site', 'links', 'devices', 'lanes', 'rules'])
})

test.each(Object.entries(configDocs()))('docs/generated/%s is up to date (npm run docs)', (name, text) => {
  expect(readFileSync(new URL(`../../docs/generated/${name}`, import.meta.url), 'utf8')).toBe(text)
})

test('the docs are written into a folder that need not be there', () =>
  inFolder({}, async (folder) => {
    await writeConfigDocs(join(folder, 'new', 'docs'))
    for (const [name, text] of Object.entries(configDocs())) expect(readFileSync(join(folder, 'new', 'docs', name), 'utf8')).toBe(text)
  }))
