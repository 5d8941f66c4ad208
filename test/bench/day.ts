/**
 * A day of 1,000 passages on five lanes, as fast as it goes: once with a reader that knows the plates, which shows all the rest, and a
 * part of it with drawn pictures and the real reader.
 */

import type { ReaderPool } from '../../models/plate.ts'
import { WorkerReaderPool } from '../../models/pool.ts'
import { LabelPool, labelPainter } from '../harness/chaos-site.ts'
import { withFolder } from './lanes-site.ts'
import type { BenchOptions, Report, Row } from './report.ts'
import { type VirtualDay, virtualDay } from './virtual-site.ts'

const DAY_S = 86_400
const LANES = 5

export async function day(o: BenchOptions): Promise<Report> {
  const passages = o.number('passages', 1_000)
  const read = Math.min(passages, o.number('read', 60))
  const every = (DAY_S * LANES) / passages
  const cpu = process.cpuUsage()
  const known = await withFolder((dir) => virtualDay({ dir, passages, every, pool: new LabelPool(), painter: labelPainter }))
  const used = process.cpuUsage(cpu)
  const busy = (used.user + used.system) / 1e6
  const pool = new TimedPool(new WorkerReaderPool())
  const real = await withFolder((dir) => virtualDay({ dir, passages: read, every, pool }))
  const speed = (d: VirtualDay) => (d.hours * 3600) / d.seconds
  // A whole day read for real: the quiet hours pass as in the first run, each passage costs what it cost in the second.
  const perPassage = real.seconds / real.arrived
  const rows: Row[] = [
    { what: 'a day, plates known', value: `${speed(known).toFixed(0)} × real time`, note: 'aim ≥ 100' },
    {
      what: '  trucks',
      value: `${known.arrived} came, ${known.passed} passed, ${known.disasters} hit`,
      note: `${known.hours.toFixed(1)} h in ${known.seconds.toFixed(0)} s`,
    },
    { what: '  passages', value: `${(known.arrived / known.seconds).toFixed(1)}/s`, note: `${known.events} events, each durable` },
    { what: '  CPU', value: `${(busy / known.seconds).toFixed(2)} cores` },
    {
      what: 'with drawing and reading',
      value: `${speed(real).toFixed(0)} × real time`,
      note: `${real.arrived} passages, ${real.hours.toFixed(1)} h in ${real.seconds.toFixed(0)} s`,
    },
    {
      what: '  one passage',
      value: `${perPassage.toFixed(2)} s`,
      note: `${(pool.pictures / real.arrived).toFixed(1)} pictures, reading ${((100 * pool.ms) / 1000 / real.seconds).toFixed(0)} % of the time`,
    },
    { what: '  one picture', value: `${(pool.ms / Math.max(1, pool.pictures)).toFixed(0)} ms`, note: 'decode, detect and read' },
  ]
  return {
    bench: 'day',
    title: `${passages} passages in a day on five lanes, virtual clock, one process`,
    command: `npm run bench -- day --passages ${passages}`,
    rows,
    data: {
      known,
      speed: speed(known),
      cores: busy / known.seconds,
      real,
      realSpeed: speed(real),
      pictures: pool.pictures,
      readMs: pool.ms,
    },
  }
}

/** Adds up the time of reading. */
class TimedPool implements ReaderPool {
  readonly #pool: ReaderPool
  ms = 0
  pictures = 0
  constructor(pool: ReaderPool) {
    this.#pool = pool
  }
  start = () => this.#pool.start()
  close = () => this.#pool.close()
  stats = () => this.#pool.stats()
  submit: ReaderPool['submit'] = async (...args) => {
    const result = await this.#pool.submit(...args)
    this.ms += result.ms.decode + result.ms.detect + result.ms.read
    this.pictures++
    return result
  }
}
