import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { until } from '../harness/chaos-site.ts'
import { EventLog } from '../harness/event-log.ts'
import { luong, type Program, startLuong, startProgram } from '../harness/program.ts'

const programs: Program[] = []
const folders: string[] = []
afterEach(async () => {
  for (const p of programs.splice(0)) await p.kill()
  for (const f of folders.splice(0)) await rm(f, { recursive: true, force: true })
})

/** Feeds what `mosquitto_sub -v` prints into a log of events. */
function hear(subscriber: Program): () => EventLog {
  return () => {
    const log = new EventLog({ root: 'luong/v1', site: 'demo' })
    const lines = subscriber.out().split('\n')
    for (const line of lines.slice(0, -1)) {
      const at = line.indexOf(' ')
      log.take(line.slice(0, at), line.slice(at + 1))
    }
    return log
  }
}

async function demo(...args: string[]): Promise<{ program: Program; dir: string; port: number; heard: () => EventLog }> {
  const dir = await mkdtemp(join(tmpdir(), 'luong-demo-'))
  folders.push(dir)
  const program = startLuong('start', '--mqtt-port', '0', '--http-port', '0', '--data', dir, ...args)
  programs.push(program)
  const [, port] = await program.says(/mosquitto_sub -p (\d+)/)
  const subscriber = startProgram('mosquitto_sub', ['-p', port!, '-q', '1', '-v', '-t', 'luong/v1/demo/#'])
  programs.push(subscriber)
  return { program, dir, port: Number(port), heard: hear(subscriber) }
}

test('the demo as a newcomer starts it: trucks cross all five lanes, mosquitto_sub sees it, Ctrl-C ends it', async () => {
  const { program, dir, heard } = await demo('--speed', '2', '--seed', '1')
  await program.says(/cleared/, 120_000)
  await until(
    'all five lanes see a passage',
    () =>
      new Set(
        heard()
          .of('passage.arrived')
          .map((e) => e.data.lane),
      ).size === 5,
    120_000,
  )
  await until('one is cleared', () => heard().of('passage.cleared').length >= 1, 120_000)
  const before = heard()
  // The subscriber came a moment after the start.
  const first = Math.min(...before.events.map((e) => Number(e.sequence)))
  program.signal('SIGINT')
  expect(await program.exit).toBe(0)
  const log = heard()
  const open = log.of('passage.arrived').length
  expect(log.faults({ from: first, open })).toEqual([])
  expect(log.of('site.stopped')).toHaveLength(1)
  expect(program.err()).not.toMatch(/unexpected|UnhandledPromise|TypeError/)
  expect(program.out()).toMatch(/\d+ passages on \d lanes/)
  const verify = await luong('journal', dir, '--verify')
  expect(verify).toMatchObject({ code: 0 })
  expect(verify.out).toMatch(/whole/)
  // What was published is what is in the journal.
  const shown = await luong('journal', dir, '--json')
  const kept = shown.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(kept.length).toBeGreaterThanOrEqual(log.events.length)
}, 300_000)

test('the demo ends by itself after so many trucks, and says what came of them', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'luong-demo-'))
  folders.push(dir)
  const args = ['--mqtt-port', '0', '--http-port', '0', '--data', dir, '--speed', '20', '--passages', '3', '--seed', '3', '--json']
  const { code, out } = await luong('start', ...args)
  expect(code).toBe(0)
  const lines = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; outcome?: string; times: Record<string, unknown> })
  const ends = lines.filter((l) => /cleared|refused|redirected|aborted/.test(l.type))
  expect(ends).toHaveLength(3)
  for (const end of ends) expect(end.type).toBe(`luong.passage.${end.outcome}.v1`)
  for (const end of ends.filter((e) => e.outcome === 'cleared')) expect(end.times).toHaveProperty('cleared')
  expect((await luong('journal', dir, '--verify')).code).toBe(0)
}, 240_000)

test('the demo of a pair: trucks cross from one half to the other both ways, and both journals hold it', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'luong-demo-'))
  folders.push(dir)
  const args = ['--mqtt-port', '0', '--http-port', '0', '--data', dir, '--speed', '10', '--passages', '2', '--seed', '2']
  const { code, out, err } = await luong('start', '--pair', ...args)
  expect(err).not.toMatch(/unexpected|UnhandledPromise|TypeError/)
  expect(code).toBe(0)
  for (const site of ['huu-nghi', 'youyiguan']) {
    expect(out).toMatch(new RegExp(`^${site}: \\d+ passages on`, 'm'))
    expect(out).toMatch(new RegExp(`${site} .*handed over to the other side`))
    expect((await luong('journal', join(dir, site), '--verify')).code).toBe(0)
  }
  expect(out).toMatch(/has come from the other side/)
  expect(out).toMatch(/\d+ trucks left for the other side, \d+ reached it/)
}, 240_000)
