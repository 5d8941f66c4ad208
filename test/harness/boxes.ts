/** Boxes as programs of their own, each with a data folder and a local broker, that all claim one site at one central broker. */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { stringify } from 'yaml'
import { siteTree, until } from './chaos-site.ts'
import { Collector } from './collector.ts'
import { freePort, type Mosquitto, startMosquitto } from './mosquitto.ts'
import { type Program, startLuong } from './program.ts'

export interface BoxProcess {
  readonly run: Program
  readonly file: string
  readonly http: number
  readonly data: string
}

export interface BoxFile {
  /** Where the site file is written. */
  readonly dir: string
  readonly site: string
  /** URL of the central broker. */
  readonly uplink: string
}

/** A site file; its boards are not there, which hinders nothing here. */
export async function boxFile({ dir, site, uplink }: BoxFile): Promise<{ file: string; http: number }> {
  const http = await freePort()
  const tree = siteTree({
    dir,
    id: site,
    lanes: ['a'],
    bus: { kind: 'tcp', host: '127.0.0.1', port: await freePort() },
    broker: { embedded: { port: 0 } },
    uplink: { url: uplink },
    httpPort: http,
  })
  const file = join(dir, `${http}.yaml`)
  await writeFile(join(dir, 'rules.yaml'), readFileSync('config/rules/basic.yaml'))
  await writeFile(file, stringify({ ...tree, rules: ['rules.yaml'] }))
  return { file, http }
}

/** @param undo gets what ends it */
export async function startBox(o: BoxFile & { readonly data: string; readonly undo: (() => unknown)[] }): Promise<BoxProcess> {
  const { file, http } = await boxFile(o)
  const run = startLuong('run', file, '--data', o.data, '--json')
  o.undo.push(() => run.kill())
  await run.says(/"msg":"ready"/)
  return { run, file, http, data: o.data }
}

/** What /health says is not well. */
export async function problems(b: BoxProcess): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${b.http}/health`)
  return ((await answer.json()) as { problems: string[] }).problems.join('\n')
}

export const connected = (b: BoxProcess) => until('it speaks for the site', async () => !/uplink broker/.test(await problems(b)))
export const says = (b: BoxProcess, what: RegExp) => until(`/health says ${what}`, async () => what.test(await problems(b)), 90_000)
export const stopped = async (b: BoxProcess) => {
  b.run.signal('SIGTERM')
  expect(await b.run.exit).toBe(0)
}

/** A broker of the centre, its collector and a folder, for boxes of one site; all of it ends with `undo`. */
export interface BoxesRig {
  readonly dir: string
  readonly mosquitto: Mosquitto
  readonly centre: Collector
  /** A box that keeps its data in `data`. */
  box(data: string): Promise<BoxProcess>
  /** Something that is recorded and published. */
  mark(id: string): ReturnType<Collector['command']>
  /** Names of the alarms that the centre heard of. */
  alarms(kind: 'raised' | 'cleared'): unknown[]
}

export async function boxesRig(site: string, undo: (() => unknown)[]): Promise<BoxesRig> {
  const dir = await mkdtemp(join(tmpdir(), `luong-${site}-`))
  undo.push(() => rm(dir, { recursive: true, force: true }))
  const mosquitto = await startMosquitto()
  undo.push(() => mosquitto.stop())
  const centre = new Collector({ url: mosquitto.url, site })
  await centre.start()
  undo.push(() => centre.stop())
  return {
    dir,
    mosquitto,
    centre,
    box: (data) => startBox({ dir, data, site, uplink: mosquitto.url, undo }),
    mark: (id) => centre.command({ do: 'close-lane', lane: 'nowhere', id }),
    alarms: (kind) => centre.log.of(`alarm.${kind}`).map((e) => e.data.alarm),
  }
}
