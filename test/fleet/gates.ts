/** Some dozen gates in a process of their own, told by their parent when to begin and when to end. */
import { join } from 'node:path'
import type { Log } from '../../gateway/kernel/log.ts'
import { silentLog } from '../../gateway/kernel/log.ts'
import { Gate } from './gate.ts'
import type { FromGates, Start, ToGates } from './messages.ts'
import { Day, OPEN } from './traffic.ts'

/** How often a gate records what has happened since; each time one commit. */
const COMMIT_MS = 250
const REPORT_MS = 500
const MIDNIGHT = Date.parse('2026-11-21T00:00:00+07:00')
const HOUR = 3600_000

interface Busy {
  readonly gate: Gate
  readonly day: Day
}

const busy: Busy[] = []
let over = false
let stopping = false
let reports: NodeJS.Timeout | undefined
const say = (message: FromGates) => process.send?.(message)

const log: Log = {
  ...silentLog,
  error: (fields, message) => process.stderr.write(`${message} ${JSON.stringify(fields)}\n`),
  child: () => log,
}

async function start({ gates, dir, seed, trucks }: Start): Promise<void> {
  for (const settings of gates) {
    const gate = new Gate({ ...settings, dir: join(dir, settings.site), log })
    busy.push({ gate, day: new Day({ seed: `${seed}/${settings.site}`, trucks, day: MIDNIGHT }) })
    await gate.start()
  }
  reports = setInterval(report, REPORT_MS)
  say({ kind: 'ready' })
}

/** From the opening of the gates to the last truck in `ms`. Gates commit one after the other, as they would on machines of their own. */
function go(ms: number): void {
  const began = performance.now()
  const now = () => MIDNIGHT + (OPEN.from + Math.min(1, (performance.now() - began) / ms) * (OPEN.to - OPEN.from)) * HOUR
  let turn = 0
  const next = () => {
    if (stopping) return
    if (busy.every(({ day }) => day.over)) {
      over = true
      report()
      return
    }
    const { gate, day } = busy[turn++ % busy.length]!
    const entries = day.until(now())
    if (entries.length > 0) gate.record(entries)
    setTimeout(next, COMMIT_MS / busy.length)
  }
  next()
}

function report(): void {
  const sum = (of: (gate: Gate) => number) => busy.reduce((n, { gate }) => n + of(gate), 0)
  const cpu = process.cpuUsage()
  say({
    kind: 'progress',
    recorded: sum((g) => g.journal.head().sequence),
    lag: sum((g) => g.lag),
    sent: sum((g) => g.sent),
    connects: sum((g) => g.connects),
    up: sum((g) => (g.why === null ? 1 : 0)),
    why: [...new Set(busy.flatMap(({ gate }) => gate.why ?? []))].slice(0, 3),
    bytes: sum((g) => g.journal.bytes()),
    over,
    heads: Object.fromEntries(busy.map(({ gate }) => [gate.site, gate.journal.head().sequence])),
    cpuS: (cpu.user + cpu.system) / 1e6,
    rss: process.memoryUsage.rss(),
  })
}

async function stop(): Promise<void> {
  stopping = true
  clearInterval(reports)
  await Promise.all(busy.map(({ gate }) => gate.stop()))
  say({ kind: 'stopped' })
  process.disconnect()
  process.exit(0)
}

process.on('message', (message: ToGates) => {
  const work = message.kind === 'start' ? start(message) : message.kind === 'go' ? go(message.ms) : stop()
  Promise.resolve(work).catch((error) => {
    process.stderr.write(`${error}\n`)
    process.exit(1)
  })
})
process.on('disconnect', () => process.exit(1))
