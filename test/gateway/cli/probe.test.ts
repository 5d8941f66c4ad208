import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Command } from 'commander'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { buildSim, type SimDevices } from '../../../firmware-bridge/build-sim.ts'
import { openSimLines, type SimLines } from '../../../firmware-bridge/transport/sim-line.ts'
import { probe } from '../../../gateway/cli/probe.ts'
import { systemClock } from '../../../gateway/kernel/clock.ts'
import { silentLog } from '../../../gateway/kernel/log.ts'
import { parseDevices } from '../../contract/rig.ts'

let dir = ''
let lines: SimLines
let sims: SimDevices
let printed = ''

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'luong-probe-'))
  lines = await openSimLines({ bus: { kind: 'tcp', host: '127.0.0.1', port: 0 } }, silentLog)
  const devices = parseDevices({ io: { driver: 'modbus-io', link: 'bus', profile: 'waveshare-relay-d' } })
  sims = await buildSim({ links: { bus: { kind: 'memory' } }, devices, clock: systemClock, log: silentLog, lineFor: lines.lineFor })
  sims.start()
  printed = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += text
    return true
  })
})
afterEach(async () => {
  vi.restoreAllMocks()
  process.exitCode = 0
  await sims.stop()
  await lines.stop()
  await rm(dir, { recursive: true, force: true })
})

async function run(...args: string[]): Promise<void> {
  const site = join(dir, 'site.yaml')
  const port = lines.where.get('bus')!.split(':')[1]
  await writeFile(
    site,
    `version: 1
site: { id: probe-test, name: { vi: a, zh: b, en: c } }
links: { bus: { kind: tcp, host: 127.0.0.1, port: ${port} } }
devices:
  io: { driver: modbus-io, link: bus, profile: waveshare-relay-d }
  barrier: { driver: barrier, kind: hold, open: io.do1, inhibit: [io.di2] }
lanes:
  one: { direction: import, takes: [loaded], sensors: { presence: io.di2 }, barrier: barrier }
rules: [${resolve('config/rules/basic.yaml')}]
`,
  )
  const program = new Command('luong').exitOverride()
  probe(program)
  await program.parseAsync(['node', 'luong', 'probe', site, ...args])
}

it('shows what each device says, one JSON object a line, and moves nothing', async () => {
  const moves: boolean[] = []
  sims.get('io').terminals!.onOutput('do1', (on) => moves.push(on))
  await run('--json', '--listen', '20')
  const results = printed
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(results.map((r) => [r.device, r.ok])).toEqual([
    ['io', true],
    ['barrier', true],
  ])
  expect(results[0].facts).toContainEqual({ what: 'firmware', value: '2.00' })
  expect(process.exitCode ?? 0).toBe(0)
  expect(moves).toEqual([])
})

it('says why a device does not answer and fails', async () => {
  sims.get('io').fault!('silent')
  await run('io', '--listen', '2')
  expect(printed).toContain('does not answer')
  expect(printed).toContain('io (unit 1) did not answer within 200 ms')
  expect(process.exitCode).toBe(1)
})

it('names the devices when asked for one that is not there', async () => {
  await expect(run('nix')).rejects.toMatchObject({
    code: 'BAD_USAGE',
    message: expect.stringContaining('no device nix; it has io, barrier'),
  })
  await expect(run('io', '--listen', 'soon')).rejects.toMatchObject({ code: 'BAD_USAGE' })
})
