import { expect, test } from 'vitest'
import { coloured } from '../../../gateway/cli/colour.ts'

const terminal = { isTTY: true }
const pipe = {}

test.each([
  ['a terminal', terminal, { TERM: 'xterm' }, true],
  ['a terminal that cannot', terminal, { TERM: 'dumb' }, false],
  ['a terminal, NO_COLOR', terminal, { TERM: 'xterm', NO_COLOR: '1' }, false],
  ['a terminal, empty NO_COLOR', terminal, { TERM: 'xterm', NO_COLOR: '' }, true],
  ['a pipe', pipe, { TERM: 'xterm' }, false],
  ['a pipe on CI', pipe, { TERM: 'xterm', CI: '1' }, false],
  ['a pipe, FORCE_COLOR', pipe, { FORCE_COLOR: '1' }, true],
  ['a terminal, FORCE_COLOR=0', terminal, { TERM: 'xterm', FORCE_COLOR: '0' }, false],
  ['FORCE_COLOR and NO_COLOR', pipe, { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
])('colours on %s', (_, stream, env, expected) => {
  expect(coloured(stream, env)).toBe(expected)
})
