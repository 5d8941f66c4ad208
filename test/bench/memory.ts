/**
 * Memory after 10,000 passages against after 1,000. The whole site runs (journal, broker, evidence), with the simulated world in the same
 * process; a real reader is loaded and warm beside it, and the passages' plates come from a reader that knows them. Garbage
 * is collected before each look (node --expose-gc).
 */
import { WorkerReaderPool } from '../../models/pool.ts'
import { LabelPool, labelPainter } from '../harness/chaos-site.ts'
import { frame, still } from '../sim/draw/picture.ts'
import { withFolder } from './lanes-site.ts'
import { type BenchOptions, mb, type Report, type Row } from './report.ts'
import { virtualDay } from './virtual-site.ts'

const EVERY_S = 20

interface Look {
  readonly passages: number
  readonly heap: number
  readonly external: number
  readonly rss: number
}

const words = (l: Look) => `heap ${mb(l.heap)}   outside it ${mb(l.external)}   RSS ${mb(l.rss)}`

export async function memory(o: BenchOptions): Promise<Report> {
  const passages = o.number('passages', 10_000)
  const collect = (globalThis as { gc?: () => void }).gc
  if (!collect) throw new Error('memory needs node --expose-gc; npm run bench gives it')
  const at = new Set([0.01, 0.1, 0.25, 0.5, 0.75, 1].map((part) => Math.round(part * passages)))
  const looks: Look[] = []
  const reader = new WorkerReaderPool()
  await reader.start()
  const picture = await still(
    { plate: { text: '24C12345', country: 'vn', colour: 'yellow', lines: 1 }, side: 'front', night: false },
    'memory',
  )
  for (let i = 0; i < 20; i++) await reader.submit('warm', await frame(picture, `memory ${i}`))
  const look = async (left: number) => {
    if (!at.has(left)) return
    for (let i = 0; i < 3; i++) {
      collect()
      await new Promise((done) => setTimeout(done, 50))
    }
    const { heapUsed, external, rss } = process.memoryUsage()
    looks.push({ passages: left, heap: heapUsed, external, rss })
    // A long run: what is known so far is said at once.
    process.stderr.write(`after ${left} passages: ${words(looks.at(-1)!)}\n`)
  }
  const day = await withFolder((dir) =>
    virtualDay({ dir, passages, every: EVERY_S, pool: new LabelPool(), painter: labelPainter, onLeft: look }),
  )
  await reader.close()
  const [first, last] = [looks.find((l) => l.passages >= passages / 10) ?? looks[0]!, looks.at(-1)!]
  const growth = last.rss / first.rss - 1
  const rows: Row[] = [
    ...looks.map((l) => ({ what: `after ${l.passages} passages`, value: words(l) })),
    {
      what: `from ${first.passages} to ${last.passages}`,
      value: `${growth >= 0 ? '+' : ''}${(100 * growth).toFixed(0)} % RSS`,
      note: 'aim: flat, ≤ 350 MB',
    },
    { what: 'run', value: `${day.arrived} trucks, ${day.hours.toFixed(1)} h in ${day.seconds.toFixed(0)} s` },
  ]
  return {
    bench: 'memory',
    title: 'memory of gateway, reader and simulated world in one process, after forced garbage collection',
    command: `npm run bench -- memory --passages ${passages}`,
    rows,
    data: { looks, day },
  }
}
