import { describe, expect, test } from 'vitest'
import { drivers } from '../../firmware-bridge/registry.ts'
import { changed, SITE, told } from './harness.ts'
import { MISTAKES } from './mistakes.ts'
import { FILE_MISTAKES } from './mistakes-files.ts'

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
  test.each(Object.entries({ ...MISTAKES, ...FILE_MISTAKES }))('%s', async (name, { change, says }) => {
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

describe('readers', () => {
  const READER = '  uhf: { driver: r200, link: spare }\n'
  const site = (links: string, devices: string, lane: string) =>
    changed(['links:\n', `links:\n${links}`], ['lanes:\n', `${devices}lanes:\n`], ['    barrier: arm-1', `    barrier: arm-1\n    ${lane}`])
  const SPARE = '  spare: { kind: tcp, host: reader, port: 4001 }\n'
  test.each<[string, string, string, string, string | null]>([
    ['a tag reader on a line of its own', SPARE, READER, 'tag: uhf', null],
    ['a tag reader where a scanner belongs', SPARE, READER, 'code: uhf', 'uhf is a tag reader (r200), not a code scanner'],
    ['a board where a tag reader belongs', SPARE, READER, 'tag: io-1', 'io-1 is a board (modbus-io), not a tag reader'],
    [
      'a tag reader on a bus',
      '',
      '  uhf: { driver: r200, link: bus }\n',
      'tag: uhf',
      'link bus already carries io-1 (modbus-io); r200 needs',
    ],
    ['a scanner on MQTT', '  spare: { kind: mqtt }\n', '  qr: { driver: qr-line, link: spare }\n', 'code: qr', 'qr-line'],
    ['a tag reader that is not there', SPARE, READER, 'tag: uhv', 'there is no device "uhv" (did you mean uhf?)'],
  ])('%s', async (_, links, devices, lane, says) => {
    const { lines, loaded } = await told({ 'site.yaml': site(links, devices, lane) }, { env })
    if (says === null) expect(loaded?.site.lanes.one?.tag).toBe('uhf')
    else expect(lines.join('\n')).toContain(says)
  })

  test('one reader for two lanes is refused: its tags must not speak for the neighbour', async () => {
    const text = site(SPARE, READER, 'tag: uhf').replace('    barrier: arm-2', '    barrier: arm-2\n    tag: uhf')
    const { lines } = await told({ 'site.yaml': text }, { env })
    expect(lines.join('\n')).toContain('uhf already belongs to lane one')
  })
})
