/** Process start → ready: the demo on an empty folder, and again after kill -9 on a folder with a large journal. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { createJournal } from '../../gateway/journal/create.ts'
import type { Entry } from '../../gateway/journal/journal.ts'
import { withFolder } from './lanes-site.ts'
import { type BenchOptions, mb, median, ms, type Report, type Row, spread } from './report.ts'

const LUONG = resolve('dist/gateway/cli/main.js')
/** Clock ticks of /proc/PID/stat a second, on Linux. */
const TICKS = 100

interface Started {
  readonly child: ChildProcess
  readonly wall: number
  /** Of all its threads until then, ms; null where there is no /proc. */
  readonly cpu: number | null
}

export async function start(o: BenchOptions): Promise<Report> {
  const runs = o.number('runs', 5)
  const entries = o.number('entries', 200_000)
  const node = await times(runs, () => bare(['-e', '0']))
  const cold: Started[] = []
  const warm: Started[] = []
  for (let i = 0; i < runs; i++)
    await withFolder(async (dir) => {
      const s = await started(join(dir, 'data'))
      cold.push(s)
      await ended(s.child, 'SIGKILL')
    })
  const bytes = await withFolder(async (dir) => {
    const data = join(dir, 'data')
    const size = await fill(data, entries)
    for (let i = 0; i <= runs; i++) {
      const s = await started(data)
      // The first one only makes the wreck that the next ones start from.
      if (i > 0) warm.push(s)
      await new Promise((done) => setTimeout(done, 1_000))
      await ended(s.child, 'SIGKILL')
    }
    return size
  })
  const walls = (list: readonly Started[]) => list.map((s) => s.wall)
  const cpu = (list: readonly Started[]) => median(list.flatMap((s) => s.cpu ?? []))
  const row = (what: string, list: readonly Started[]): Row => {
    const { p50, max } = spread(walls(list))
    return {
      what,
      value: `median ${ms(p50)}   best ${ms(Math.min(...walls(list)))}   worst ${ms(max)}`,
      note: `${ms(cpu(list))} of CPU; aim ≤ 2 s`,
    }
  }
  return {
    bench: 'start',
    title: `luong start → ready (models loaded, broker, devices and /health up), ${runs} times each`,
    command: `npm run bench -- start --runs ${runs} --entries ${entries}`,
    rows: [
      row('demo, empty folder', cold),
      row(`demo, after kill -9, journal of ${entries} entries (${mb(bytes)})`, warm),
      { what: 'node alone', value: `median ${ms(median(node))}`, note: 'for comparison: starts and ends' },
    ],
    data: { cold: walls(cold), coldCpu: cpu(cold), warm: walls(warm), warmCpu: cpu(warm), node, entries, bytes },
  }
}

async function times(n: number, work: () => Promise<number>): Promise<number[]> {
  const out: number[] = []
  for (let i = 0; i < n; i++) out.push(await work())
  return out
}

async function bare(args: readonly string[]): Promise<number> {
  const since = performance.now()
  const child = spawn(process.execPath, args, { stdio: 'ignore' })
  await new Promise((done) => child.once('exit', done))
  return performance.now() - since
}

async function started(data: string): Promise<Started> {
  const since = performance.now()
  const args = [LUONG, 'start', '--mqtt-port', '0', '--http-port', '0', '--data', data]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  await new Promise<void>((done, failed) => {
    let said = ''
    child.stdout.on('data', (text: Buffer) => {
      said += text
      if (said.includes('/health')) done()
    })
    child.once('exit', (code) => failed(new Error(`luong start ended with ${code}: ${said}`)))
  })
  return { child, wall: performance.now() - since, cpu: await cpuOf(child.pid!) }
}

async function cpuOf(pid: number): Promise<number | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
  if (text === null) return null
  // Fields 14 and 15, after the name in brackets (proc_pid_stat(5)).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  child.removeAllListeners('exit')
  const gone = new Promise((done) => child.once('exit', done))
  child.kill(signal)
  await gone
}

/** A journal as months of traffic leave it. Returns its size in bytes. */
async function fill(dir: string, entries: number): Promise<number> {
  const journal = createJournal({ dir, site: 'demo', minFreeMb: 16 })
  await journal.open()
  const pad = 'x'.repeat(400)
  const at = Date.now() - entries * 1000
  for (let done = 0; done < entries; done += 1_000)
    await journal.append(
      Array.from({ length: Math.min(1_000, entries - done) }, (_, i): Entry => {
        const n = done + i
        const passage = `P${Math.floor(n / 10)}`
        const data = { passage, lane: 'import-1', direction: 'import', pad }
        const type = ['arrived', 'identified', 'decided', 'cleared'][n % 10]
        if (type === undefined) return { kind: 'input', lane: 'import-1', passage, at: at + n * 1000, body: { pad }, actions: [] }
        return { kind: 'event', type: `luong.passage.${type}.v1`, lane: 'import-1', passage, subject: '24C12345', at: at + n * 1000, data }
      }),
    )
  for (let i = 0; i < 2_000; i++)
    void journal.putDocument('declarations', `D${i}`, {
      id: `D${i}`,
      plate: `24C${String(i).padStart(5, '0')}`,
      direction: 'import',
      traffic: 'loaded',
      channel: 'green',
      valid_from: '2026-01-01T00:00:00Z',
      valid_to: '2030-01-01T00:00:00Z',
    })
  journal.setCursor('local', journal.head().sequence)
  const { bytes } = journal.stats()
  await journal.close()
  return bytes
}
