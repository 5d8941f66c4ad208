/**
 * The same events through several ways to the centre, each killed with SIGKILL in mid-stream and started again, counted at the centre by a
 * subscriber that writes down everything: once on a good line, once with the line away around each kill, and once unpaced without kills.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sleep, systemClock } from '../../../gateway/kernel/clock.ts'
import { FaultProxy } from '../../harness/fault-proxy.ts'
import { startMosquitto } from '../../harness/mosquitto.ts'
import { type Audit, StreamRecord } from '../../harness/stream-record.ts'
import { rng } from '../../sim/random.ts'
import type { BenchOptions, Report, Row } from '../report.ts'
import { CARRIERS, type Carrier } from './carriers.ts'

/** Fed and not yet taken. */
const OPEN = 64
/** Events a second where the feed is paced. */
const PACE = 2_000
const AWAY_BEFORE = 0.7
const AWAY_AFTER_MS = 300
/** Nothing has come for so long: nothing will. */
const IDLE_MS = 6_000

export interface Scene {
  readonly total: number
  /** Events a second; 0: as fast as they are taken. */
  readonly pace: number
  /** Numbers of events at which it is killed. */
  readonly kills: readonly number[]
  /** The line to the centre is away from some time before each kill until after it. */
  readonly away: boolean
}
export interface Outcome extends Audit {
  readonly perSecond: number
  readonly kills: number
}

/** Seeded, in mid-stream. */
export function killMoments(total: number, kills: number, seed: number): number[] {
  const random = rng('kills', seed)
  return Array.from({ length: kills }, () => Math.round(total * (0.05 + 0.9 * random()))).sort((a, b) => a - b)
}

export async function runCarrier(make: (port: number, root: string, url: string) => Carrier, scene: Scene): Promise<Outcome> {
  const root = await mkdtemp(join(tmpdir(), 'luong-side-'))
  const centre = await startMosquitto({ config: ['allow_anonymous true', 'max_queued_messages 0', 'set_tcp_nodelay true'] })
  const line = new FaultProxy(centre.port)
  await line.start()
  const record = new StreamRecord()
  await record.listen(centre.url)
  const carrier = make(line.port, root, line.url)
  try {
    const began = await feed(carrier, line, scene)
    let before = -1
    while (record.size < scene.total && record.size !== before) {
      before = record.size
      for (let waited = 0; waited < IDLE_MS && record.size < scene.total; waited += 50) await sleep(systemClock, 50)
    }
    const seconds = (record.lastAt - began) / 1000
    return { ...record.audit(scene.total), perSecond: record.size / seconds, kills: scene.kills.length }
  } finally {
    await carrier.stop()
    await record.stop()
    await line.stop()
    await centre.stop()
    await rm(root, { recursive: true, force: true })
  }
}

/** Feeds all, with the kills. Returns when it began. */
async function feed(carrier: Carrier, line: FaultProxy, { total, pace, kills, away }: Scene): Promise<number> {
  const open = new Set<number>()
  /** All up to here were taken. */
  let done = 0
  let next = 1
  await carrier.start((n) => {
    open.delete(n)
    done = Math.max(done, n)
  })
  const left = [...kills]
  const began = performance.now()
  let [since, at] = [began, 0]
  while (done < total || open.size > 0) {
    const due = pace === 0 ? Number.POSITIVE_INFINITY : at + ((performance.now() - since) / 1000) * pace
    while (next <= total && open.size < OPEN && next <= due) {
      open.add(next)
      carrier.feed(next++)
    }
    const kill = left[0]
    if (away && kill !== undefined && done >= kill - AWAY_BEFORE * pace) line.away(true)
    if (kill !== undefined && done >= kill) {
      left.shift()
      await carrier.kill()
      const known = await carrier.restart()
      next = known ?? done + 1
      done = next - 1
      open.clear()
      if (away) systemClock.after(AWAY_AFTER_MS, () => line.away(false))
      ;[since, at] = [performance.now(), done]
    }
    await sleep(systemClock, 1)
  }
  return began
}

const words = (o: Outcome) => `${o.lost} lost, ${o.duplicated} duplicated (${o.changed} changed), ${o.outOfOrder} out of order`

export async function uplink(o: BenchOptions): Promise<Report> {
  const [total, kills, seed] = [o.number('events', 20_000), o.number('kills', 8), o.number('seed', 1)]
  const moments = killMoments(total, kills, seed)
  const scenes: Record<string, Scene> = {
    'killed in mid-stream': { total, pace: PACE, kills: moments, away: false },
    'killed while the line is away': { total, pace: PACE, kills: moments, away: true },
    'not killed, as fast as it goes': { total, pace: 0, kills: [], away: false },
  }
  const rows: Row[] = []
  const data: Record<string, Record<string, Outcome>> = {}
  for (const [scene, how] of Object.entries(scenes)) {
    for (const [name, make] of Object.entries(CARRIERS)) {
      const outcome = await runCarrier(make, how)
      data[scene] = { ...data[scene], [name]: outcome }
      rows.push({ what: `${scene}: ${name}`, value: words(outcome), note: `${outcome.perSecond.toFixed(0)} events/s` })
      process.stderr.write(`${scene}: ${name}: ${words(outcome)}, ${outcome.perSecond.toFixed(0)} events/s\n`)
    }
  }
  return {
    bench: 'uplink',
    title: `${total} events to the centre, ${kills} × SIGKILL, paced at ${PACE} events/s where killed`,
    command: `npm run bench -- uplink --events ${total} --kills ${kills} --seed ${seed}`,
    rows,
    data,
  }
}
