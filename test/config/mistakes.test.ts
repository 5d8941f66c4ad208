import { describe, expect, test } from 'vitest'
import { drivers } from '../../firmware-bridge/registry.ts'
import { changed, SITE, told } from './harness.ts'
import { MISTAKES } from './mistakes.ts'

// A fixed set of drivers: lists of known names in hints must not change when a driver is added.
const names = ['barrier', 'modbus-io', 'mqtt-camera', 'traffic-light', 'xk3190']
const registry = new Map(names.map((name) => [name, drivers.get(name)!]))
const env = { A: 'x', EMPTY: '' }

test('the site without a change is right', async () => {
  const { lines, loaded } = await told({ 'site.yaml': SITE }, { env, registry })
  expect(lines).toEqual([])
  expect(loaded?.site.lanes.one?.timing.dwell_ms).toBe(1_000)
})

describe('each mistake is told with its place, what it is, and what to do', () => {
  test.each(Object.entries(MISTAKES))('%s', async (name, { change, says }) => {
    const { lines, loaded } = await told({ 'site.yaml': changed(...change) }, { env, registry })
    expect(lines).toEqual(says)
    expect(loaded !== undefined).toBe(name.startsWith('warning:'))
    expect(lines.join()).not.toContain('hunter2')
  })
})

test.each([
  ['', 'site.yaml:1:1 is empty (start with `version: 1`)'],
  ['# only words\n', 'site.yaml:1:1 is empty (start with `version: 1`)'],
  ['just text', 'site.yaml:1:1 must hold a map of settings (start with `version: 1`)'],
  ['- a\n- b\n', 'site.yaml:1:1 must hold a map of settings (start with `version: 1`)'],
  [new Uint8Array([0xff, 0xfe, 0x00]), 'site.yaml:1:1 site.yaml cannot be read: it is not UTF-8 text'],
  ['a'.repeat(1_000_001), 'site.yaml:1:1 site.yaml cannot be read: it is larger than 1000000 bytes'],
])('a file that is no site at all', async (text, line) => {
  expect((await told({ 'site.yaml': text })).lines).toEqual([line])
})

test('a site without lanes', async () => {
  const { lines } = await told({ 'site.yaml': `${SITE.slice(0, SITE.indexOf('lanes:'))}lanes: {}\nrules: [rules.yaml]\n` }, { registry })
  expect(lines.filter((l) => l.includes('lanes'))).toEqual(['site.yaml:16:8 lanes: needs at least one lane'])
})

test('a site file that is not there', async () => {
  const { lines } = await told({})
  expect(lines).toEqual(['site.yaml:1:1 site.yaml cannot be read: there is no such file'])
})

test('a bomb of aliases is refused quickly', async () => {
  const levels = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(', ')}]`)
  const { lines } = await told({ 'site.yaml': ['a0: &a0 [x]', ...levels].join('\n') })
  expect(lines).toEqual(['site.yaml:1:1 Excessive alias count indicates a resource exhaustion attack'])
})
