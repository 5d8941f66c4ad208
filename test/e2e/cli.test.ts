/** Every command with wrong arguments: the exit code says whose mistake it is, the words name what is wrong and what to do. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { luong } from '../harness/chaos-process.ts'
import { plainEnv } from '../harness/plain-env.ts'

let dir = ''
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'luong-cli-'))
  await writeFile(join(dir, 'broken.yaml'), 'version: 1\nsite:\n  id: [oops\n')
  await writeFile(
    join(dir, 'wrong.yaml'),
    [
      'version: 1',
      'site: { id: wrong, name: { vi: a, zh: b, en: c }, timezone: Mars/Base }',
      'links: { bus: { kind: tcp, host: 127.0.0.1, port: 70000 }, local: { kind: mqtt } }',
      'devices:',
      '  io: { driver: modbus-oi, link: bus, profile: waveshare-relay-d }',
      '  cam: { driver: mqtt-camera, link: lokal, topic: x }',
      'lanes:',
      '  a: { direction: import, takes: [loaded], sensors: {}, barrier: arm, cammeras: { front: [cam] } }',
      'rules: [nowhere.yaml]',
      '',
    ].join('\n'),
  )
  await writeFile(join(dir, 'text.jpg'), 'this is no picture')
})
afterAll(() => rm(dir, { recursive: true, force: true }))

/** arguments (DIR is a folder of the test), exit code, words on standard error or output. */
const CASES: readonly [args: string, code: number, words: RegExp][] = [
  ['', 2, /Commands:/],
  ['nonsense', 2, /unknown command 'nonsense'/],
  ['jurnal', 2, /Did you mean journal\?/],
  ['run', 2, /missing required argument 'site'/],
  ['run nowhere.yaml', 1, /nowhere\.yaml:1:1 .*there is no such file/],
  ['run nowhere.yaml --log loud', 2, /--log.*It must be one of debug/],
  ['run DIR/broken.yaml', 1, /broken\.yaml:\d+:\d+/],
  ['run DIR/wrong.yaml --nonsense', 2, /unknown option '--nonsense'/],
  ['check', 2, /missing required argument/],
  ['check DIR/wrong.yaml', 1, /cammeras: unknown key.*did you mean cameras/],
  ['start --passages -1', 2, /--passages.*It must be a whole number from 1/],
  ['start --speed x', 2, /--speed.*It must be a number above 0/],
  ['start extra', 2, /too many arguments/],
  ['simulate', 2, /missing required argument/],
  ['simulate nowhere.yaml', 1, /there is no such file/],
  ['simulate config/sites/demo.yaml', 2, /link bus-import is of kind memory.*\n.*npm start/],
  ['simulate config/sites/loi-mo.yaml', 2, /192\.168\.10\.20:4196, which is not this machine/],
  ['simulate config/sites/demo.yaml --scenario nowhere.yaml', 2, /cannot read the scenario nowhere\.yaml/],
  ['probe', 2, /missing required argument/],
  ['probe config/sites/loi-mo.yaml camra', 2, /has no device camra; it has io, barrier, light, camera/],
  ['read', 2, /missing required argument/],
  ['read /nowhere.jpg', 1, /nowhere\.jpg: cannot be read/],
  ['read DIR/text.jpg', 1, /not a JPEG, PNG or WebP picture/],
  ['journal', 2, /missing required argument 'data-dir'/],
  ['journal /nowhere', 2, /no such folder/],
  ['journal DIR', 2, /there is no journal in it/],
  ['journal DIR --from x', 2, /--from/],
  ['replay DIR', 2, /--passage/],
  ['replay DIR --passage X', 2, /there is no journal in it/],
  ['report', 2, /missing required argument/],
  ['report DIR', 2, /there is no journal in it/],
  ['schema --nonsense', 2, /unknown option/],
  ['backup /nowhere DIR/x.db', 2, /no such folder/],
  ['backup DIR', 2, /missing required argument 'file'/],
  ['restore /nowhere.db DIR/new', 2, /no such file/],
  ['restore package.json DIR/new', 1, /damaged.*\n.*Nothing was restored/],
]

describe('luong with wrong arguments', () => {
  it.concurrent.each(CASES)('luong %s: exit %i', async (args, code, words) => {
    const ran = await luong(
      args
        .split(' ')
        .filter(Boolean)
        .map((a) => a.replace('DIR', dir)),
    )
    expect(`${ran.err}${ran.out}`).toMatch(words)
    expect(ran.code).toBe(code)
    // A person reads no stack.
    expect(ran.err).not.toMatch(/\n {4}at |unexpected error/)
  })

  it('check names every mistake at once, with its place', async () => {
    const { out, err, code } = await luong(['check', join(dir, 'wrong.yaml')])
    expect(code).toBe(1)
    const all = out + err
    for (const words of [
      /:2:\d+ site\.timezone: .*IANA/,
      /:3:\d+ links\.bus\.port/,
      /:5:\d+ devices\.io\.driver: .*modbus-io/,
      /presence/,
      /nowhere\.yaml/,
    ])
      expect(all).toMatch(words)
    expect(all).toMatch(/\d+ errors/)
  })

  it('colours only where it is asked to, when its output is no terminal', async () => {
    const coloured = async (more: Record<string, string>) => {
      const env = plainEnv({ NO_COLOR: '', ...more })
      return (await luong(['check', join(dir, 'wrong.yaml')], 60_000, env)).out.includes('\u001b[')
    }
    expect(await coloured({})).toBe(false)
    expect(await coloured({ CI: '1', TERM: 'xterm-256color' })).toBe(false)
    expect(await coloured({ FORCE_COLOR: '1' })).toBe(true)
    expect(await coloured({ FORCE_COLOR: '1', NO_COLOR: '1' })).toBe(false)
  })

  it('--json is one JSON object a line, also for errors', async () => {
    const failing = [
      ['check', join(dir, 'wrong.yaml')],
      ['run', join(dir, 'wrong.yaml')],
      ['read', '/nowhere.jpg'],
      ['journal', '/nowhere'],
      ['report', '/nowhere'],
      ['replay', '/nowhere', '--passage', 'X'],
      ['simulate', 'config/sites/demo.yaml'],
      ['probe', 'config/sites/loi-mo.yaml', 'camra'],
      ['restore', 'package.json', join(dir, 'new')],
    ]
    for (const args of failing) {
      const { out, code } = await luong([...args, '--json'])
      expect(code, args.join(' ')).toBeGreaterThan(0)
      const lines = out.trimEnd().split('\n')
      expect(lines.length, args.join(' ')).toBeGreaterThan(0)
      for (const line of lines) expect(() => JSON.parse(line) as unknown, `${args.join(' ')}: ${line}`).not.toThrow()
    }
    const run = JSON.parse((await luong(['run', join(dir, 'wrong.yaml'), '--json'])).out) as { error: { problems: { line: number }[] } }
    expect(run.error.problems.length).toBeGreaterThan(4)
  })
})
