/** Plate reading in worker threads behind bounded queues, so that the main thread stays free and no camera can flood it. */
import './no-telemetry.ts'
import { type Clock, systemClock, type Timer } from '../gateway/kernel/clock.ts'
import { LuongError } from '../gateway/kernel/errors.ts'
import { type Log, silentLog } from '../gateway/kernel/log.ts'
import { workerUrl } from '../gateway/kernel/worker-url.ts'
import type { PoolStats, ReaderPool, ReadOptions, ReadResult } from './plate.ts'
import { PoolWorker } from './pool-worker.ts'
import type { WorkerSettings } from './protocol.ts'

export interface PoolSettings {
  /** Worker threads; each takes one core while it reads. */
  readonly workers: number
  /** Pictures waiting per key; a newer one drops the oldest of its key. */
  readonly queue: number
  /** A picture not read in this time after its turn came is given up and its worker replaced; also the longest wait for a turn, ms. */
  readonly deadlineMs: number
  /** Time for a worker to load its models, ms. */
  readonly startMs: number
  /** Time for a thread to finish what it does before it is torn down, ms. */
  readonly graceMs: number
  /** First pause before a crashed worker is started again; doubles up to `backoffMaxMs`, ms. */
  readonly backoffMs: number
  readonly backoffMaxMs: number
  readonly reader: WorkerSettings
  /** Time of threads, not of lanes: the machine's own clock unless a test says otherwise. */
  readonly clock: Clock
  readonly log: Log
  readonly worker: URL
}

const DEFAULTS: PoolSettings = {
  workers: 1,
  queue: 2,
  deadlineMs: 30_000,
  startMs: 60_000,
  graceMs: 10_000,
  backoffMs: 200,
  backoffMaxMs: 10_000,
  reader: { reader: {} },
  clock: systemClock,
  log: silentLog,
  worker: workerUrl(import.meta.url, './worker.js'),
}

/** A picture on its way; settles exactly once. */
export interface Job {
  readonly key: string
  readonly image: Uint8Array
  readonly options: ReadOptions
  readonly since: number
  resolve(result: ReadResult): void
  reject(error: LuongError): void
}

interface Waiting extends Job {
  readonly timer: Timer
}

export class WorkerReaderPool implements ReaderPool {
  readonly #settings: PoolSettings
  readonly #queues = new Map<string, Waiting[]>()
  readonly #workers: PoolWorker[] = []
  readonly #waits = new Recent(500)
  readonly #totals = new Recent(500)
  #done = 0
  #dropped = 0
  #failed = 0
  #state: 'new' | 'running' | 'closed' = 'new'

  constructor(settings: Partial<PoolSettings> = {}) {
    this.#settings = { ...DEFAULTS, ...settings }
  }

  /** Resolves when every worker has loaded its models. Rejects with MODEL_INVALID or READER_FAILED, and is closed then. */
  async start(): Promise<void> {
    if (this.#state !== 'new') throw new LuongError('STOPPED', 'the plate reader pool was started before')
    this.#state = 'running'
    for (let i = 0; i < this.#settings.workers; i++) this.#workers.push(new PoolWorker(this.#settings, () => this.#feed()))
    try {
      await Promise.all(this.#workers.map((w) => w.start()))
    } catch (error) {
      await this.close()
      throw error
    }
  }

  submit(key: string, image: Uint8Array, options: ReadOptions = {}): Promise<ReadResult> {
    if (this.#state === 'closed') return Promise.reject(new LuongError('STOPPED', `picture of ${key}: the plate readers are stopped`))
    return new Promise((resolve, reject) => {
      const { clock, deadlineMs } = this.#settings
      const since = clock.mono()
      const late = (): void => this.#tooLate(key, job)
      const job: Waiting = {
        key,
        image,
        options,
        since,
        timer: clock.after(deadlineMs, late),
        resolve: (result) => {
          this.#done++
          this.#totals.add(clock.mono() - since)
          resolve(result)
        },
        reject: (error) => {
          if (error.code !== 'QUEUE_FULL' && error.code !== 'STOPPED') this.#failed++
          reject(error)
        },
      }
      this.#enqueue(job)
      this.#feed()
    })
  }

  stats(): PoolStats {
    let queued = 0
    for (const queue of this.#queues.values()) queued += queue.length
    return {
      workers: this.#workers.filter((w) => w.ready).length,
      queued,
      done: this.#done,
      dropped: this.#dropped,
      failed: this.#failed,
      wait: this.#waits.percentiles(),
      total: this.#totals.percentiles(),
    }
  }

  /** Rejects everything that waits or runs with STOPPED and ends the threads. */
  async close(): Promise<void> {
    this.#state = 'closed'
    for (const queue of this.#queues.values()) {
      for (const job of queue) {
        job.timer.cancel()
        job.reject(new LuongError('STOPPED', `picture of ${job.key}: the plate readers are stopping`))
      }
    }
    this.#queues.clear()
    await Promise.all(this.#workers.map((w) => w.stop()))
  }

  #enqueue(job: Waiting): void {
    const queue = this.#queues.get(job.key) ?? []
    this.#queues.set(job.key, queue)
    queue.push(job)
    while (queue.length > this.#settings.queue + (this.#workers.some((w) => w.free) ? 1 : 0)) {
      const oldest = queue.shift()!
      oldest.timer.cancel()
      this.#dropped++
      oldest.reject(new LuongError('QUEUE_FULL', `picture of ${job.key}: dropped for a newer one`))
    }
  }

  #tooLate(key: string, job: Waiting): void {
    const queue = this.#queues.get(key)
    const at = queue?.indexOf(job) ?? -1
    if (!queue || at < 0) return
    queue.splice(at, 1)
    if (queue.length === 0) this.#queues.delete(key)
    job.reject(new LuongError('READER_FAILED', `picture of ${key}: no reader was free within ${this.#settings.deadlineMs} ms`))
  }

  /** Gives free workers the pictures that wait longest. */
  #feed(): void {
    for (;;) {
      const worker = this.#workers.find((w) => w.free)
      const job = worker && this.#next()
      if (!worker || !job) return
      job.timer.cancel()
      this.#waits.add(this.#settings.clock.mono() - job.since)
      worker.give(job)
    }
  }

  #next(): Waiting | undefined {
    let best: Waiting[] | undefined
    for (const queue of this.#queues.values()) if (!best || queue[0]!.since < best[0]!.since) best = queue
    const job = best?.shift()
    if (job && best?.length === 0) this.#queues.delete(job.key)
    return job
  }
}

/** The last `size` values. */
class Recent {
  readonly #size: number
  readonly #values: number[] = []
  #at = 0
  constructor(size: number) {
    this.#size = size
  }
  add(value: number): void {
    this.#values[this.#at] = value
    this.#at = (this.#at + 1) % this.#size
  }
  /** Nearest rank; 0 while empty. */
  percentiles(): { p50: number; p99: number } {
    const sorted = [...this.#values].sort((a, b) => a - b)
    const at = (q: number): number => sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0
    return { p50: at(0.5), p99: at(0.99) }
  }
}
