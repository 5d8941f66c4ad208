import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { siteTree, type Tree, until } from '../harness/chaos-site.ts'
import { Collector } from '../harness/collector.ts'
import type { Event } from '../harness/event-log.ts'
import { freePort, startMosquitto } from '../harness/mosquitto.ts'
import { luong, type Program, startLuong } from '../harness/program.ts'

const undo: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

const RULES = 'config/rules/basic.yaml'
const NOBODY = `version: 1
rules:
  - id: gate-closed-today
    title: Nobody passes today
    source: a test
    when: 'true'
    then: refer
    reasons: { vi: 'Hôm nay {plate} chờ', zh: '今天 {plate} 等候', en: 'Today {plate} waits' }
    examples: [{ name: anybody, given: {}, expect: refer }]
`

interface Pair {
  readonly dir: string
  readonly rules: string
  readonly run: Program
  readonly simulate: Program
  readonly centre: Collector
}

/** `luong run` beside `luong simulate` of the same one-lane site, with Mosquitto between them and the centre. */
async function pair(bus: (dir: string) => Promise<Tree>, ...args: string[]): Promise<Pair> {
  const dir = await mkdtemp(join(tmpdir(), 'luong-pair-'))
  undo.push(() => rm(dir, { recursive: true, force: true }))
  const mosquitto = await startMosquitto()
  undo.push(() => mosquitto.stop())
  const rules = join(dir, 'rules.yaml')
  await writeFile(rules, await readFile(RULES))
  const tree = siteTree({ dir, id: 'pair', lanes: ['a'], bus: await bus(dir), broker: { external: { url: mosquitto.url } } })
  const file = join(dir, 'site.yaml')
  await writeFile(file, stringify({ ...tree, rules: ['rules.yaml'] }))
  const centre = new Collector({ url: mosquitto.url, site: 'pair' })
  await centre.start()
  undo.push(() => centre.stop())
  const simulate = startLuong('simulate', file, '--seed', '5', '--speed', '2', ...args)
  undo.push(() => simulate.kill())
  await simulate.says(/virtual hardware for 1 lanes/)
  const run = startLuong('run', file, '--data', join(dir, 'data'), '--json')
  undo.push(() => run.kill())
  await run.says(/"msg":"ready"/)
  return { dir, rules, run, simulate, centre }
}

const cleared = (p: Pair): Event[] => p.centre.log.of('passage.cleared')

/** SIGTERM, and what must be true afterwards. */
async function ends(p: Pair): Promise<void> {
  p.run.signal('SIGTERM')
  expect(await p.run.exit).toBe(0)
  expect(p.run.err()).toMatch(/"msg":"stopped"/)
  await until('the stop is heard', () => p.centre.log.of('site.stopped').length === 1)
  await until('the site is offline', () => p.centre.log.status?.online === false)
  expect(p.centre.log.faults({ open: 1 })).toEqual([])
  expect(p.centre.log.status).toMatchObject({ site: 'pair' })
  p.simulate.signal('SIGTERM')
  expect(await p.simulate.exit).toBe(0)
  expect(p.simulate.out()).not.toMatch(/hit/i)
  expect((await luong('journal', join(p.dir, 'data'), '--verify')).code).toBe(0)
}

test('over TCP: trucks are cleared; rules are exchanged by SIGHUP, bad ones are refused', async () => {
  const p = await pair(async () => ({ kind: 'tcp', host: '127.0.0.1', port: await freePort() }), '--every', '15')
  await until('a truck is cleared', () => cleared(p).length >= 1, 120_000)
  const before = cleared(p)[0]!.data.decision as { config?: string; rule: string }

  // A bad file changes nothing and says where and why.
  await writeFile(p.rules, (await readFile(RULES, 'utf8')).replace('when: lists.detained', 'when: lists.detaned'))
  p.run.signal('SIGHUP')
  const [line] = await p.run.says(/.*the files were not taken.*/)
  expect(line).toMatch(/rules\.yaml:\d+:\d+/)
  expect(line).toMatch(/detaned/)
  const count = p.centre.log.of('passage.decided').length
  await until('the next truck is decided', () => p.centre.log.of('passage.decided').length > count, 120_000)
  expect(p.centre.log.of('passage.decided').at(-1)!.data.decision).toMatchObject({ config: before.config })

  // A good one holds from the next vehicle on.
  await writeFile(p.rules, NOBODY)
  p.run.signal('SIGHUP')
  await p.run.says(/configuration read again/)
  const newRule = () => p.centre.log.of('passage.decided').filter((e) => e.data.decision?.rule === 'gate-closed-today')
  await until('a truck is decided by the new rules', () => newRule().length > 0, 120_000)
  expect(newRule()[0]!.data.decision).toMatchObject({ outcome: 'refer' })
  expect(newRule()[0]!.data.decision).not.toMatchObject({ config: before.config })
  await ends(p)
}, 400_000)

test('over a pseudo-terminal: the same bytes on a serial port', async () => {
  const p = await pair(async (dir) => ({ kind: 'serial', path: join(dir, 'tty-bus'), baud: 115_200 }), '--every', '15')
  expect(existsSync(join(p.dir, 'tty-bus'))).toBe(true)
  await until('two trucks are cleared', () => cleared(p).length >= 2, 180_000)
  expect(p.centre.log.states.get('a')).toMatchObject({ direction: 'import' })
  await ends(p)
}, 300_000)
