/**
 * Hours without the centre: the journal holds what a busy gate would have recorded, then the broker is there again, while trucks keep
 * coming. The real journal, publisher and broker; only the hours are simulated.
 */
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sleep, systemClock } from '../../gateway/kernel/clock.ts'
import { until } from './chaos-site.ts'
import { startMosquitto } from './mosquitto.ts'
import { type Audit, StreamRecord } from './stream-record.ts'
import { PER_PASSAGE, trafficEvent } from './traffic-events.ts'
import { BASE, openUplink } from './uplink-rig.ts'

export interface DrillOptions {
  readonly hours: number
  /** Between two trucks, ms. */
  readonly everyMs: number
  /** Between two trucks while it catches up, ms. */
  readonly liveEveryMs: number
  /** Late events a second. */
  readonly latePerSecond?: number
  /** The uplink is killed and started again in mid-way, and the line cut, so often. */
  readonly cuts?: number
}

export interface DrillResult extends Audit {
  /** Events held while the centre was away, and recorded while it caught up. */
  readonly held: number
  readonly live: number
  /** Connected until the last held event had come, s. */
  readonly catchUpS: number
  /** Simulated time away ÷ time to catch up. */
  readonly timesRealTime: number
  /** Append → arrival of each event recorded meanwhile, ms. */
  readonly lateness: readonly number[]
  /** Per lane: how often one of the held, or one of the live events came before an earlier one of its kind, counted at first arrival. */
  readonly disorder: number
  /** Held events whose sequence the retained status did not announce when they came, and live ones that it did. */
  readonly unmarked: number
  readonly journalMb: number
  readonly fillS: number
}

/** Events in one append while the journal is filled. */
const BATCH = 500
const MOST_MS = 30 * 60_000

interface Status {
  readonly historical?: { readonly from: number; readonly to: number }
}

export async function outageDrill(o: DrillOptions): Promise<DrillResult> {
  const dir = await mkdtemp(join(tmpdir(), 'luong-drill-'))
  const broker = await startMosquitto({ config: ['allow_anonymous true', 'max_queued_messages 0'] })
  await broker.kill()
  const options = { dir, url: broker.url, latePerSecond: o.latePerSecond }
  let rig = await openUplink(options)
  const record = new StreamRecord()
  const appended = new Map<number, number>()
  const lateness: number[] = []
  const lanes = new Map<string, number>()
  let [disorder, unmarked, held] = [0, 0, 0]
  /** Recorded before the connection that there is. */
  let before = 0
  let status: Status = {}
  try {
    const filling = performance.now()
    held = Math.round((o.hours * 3600_000) / o.everyMs) * PER_PASSAGE
    before = held
    for (let n = 1; n <= held; n += BATCH) {
      const batch = Array.from({ length: Math.min(BATCH, held - n + 1) }, (_, i) => trafficEvent(n + i, o.everyMs))
      await rig.journal.append(batch)
    }
    const fillS = (performance.now() - filling) / 1000
    const journalMb = rig.journal.stats().bytes / 2 ** 20
    await broker.restart()
    record.onEvent = (sequence, first, topic) => {
      if (!first) return
      const late = sequence <= held
      const key = `${topic} ${late}`
      if ((lanes.get(key) ?? 0) > sequence) disorder++
      lanes.set(key, sequence)
      const { historical } = status
      if (sequence <= before !== (historical !== undefined && sequence <= historical.to)) unmarked++
      const at = appended.get(sequence)
      if (at !== undefined) lateness.push(performance.now() - at)
    }
    record.onOther = (_, text) => {
      status = JSON.parse(text) as Status
    }
    await record.listen(broker.url, [`${BASE.root}/+/lane/+/event`, `${BASE.root}/${BASE.site}/status`])
    await until('the link is there', () => rig.connection.up)
    const began = performance.now()
    let n = held
    const step = (held - 1) / ((o.cuts ?? 0) + 1)
    let cuts = 0
    while (record.complete < held) {
      if (performance.now() - began > MOST_MS) throw new Error(`${record.complete} of ${held} after ${MOST_MS / 60_000} min`)
      // What a truck does, one event after the other.
      for (let i = 0; i < PER_PASSAGE; i++) {
        n++
        appended.set(n, performance.now())
        await rig.journal.append([trafficEvent(n, o.everyMs)])
        await sleep(systemClock, o.liveEveryMs / PER_PASSAGE)
      }
      if (cuts < (o.cuts ?? 0) && record.complete > step * (cuts + 1)) {
        cuts++
        await rig.stop()
        before = n
        rig = await openUplink(options)
      }
    }
    const catchUpS = (performance.now() - began) / 1000
    await until('the live events are all there', () => record.complete >= n)
    const audit = record.audit(n)
    return {
      ...audit,
      held,
      live: n - held,
      catchUpS,
      timesRealTime: (o.hours * 3600) / catchUpS,
      lateness,
      disorder,
      unmarked,
      journalMb,
      fillS,
    }
  } finally {
    await rig.stop()
    await record.stop()
    await broker.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}
