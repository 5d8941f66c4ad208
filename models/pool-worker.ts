/** One thread of the pool: gives it pictures, watches over it, starts it again after a crash or a hang. */
import { Worker } from 'node:worker_threads'
import { type Timer, withDeadline } from '../gateway/kernel/clock.ts'
import { LuongError, messageOf } from '../gateway/kernel/errors.ts'
import { harmlessEnv } from '../gateway/kernel/worker-url.ts'
import type { Job, PoolSettings } from './pool.ts'
import type { FromWorker, ToWorker } from './protocol.ts'

/** What a reader allocates outlives no picture; V8's usual room for young objects would only be 20 MB more memory. */
const LIMITS = { maxYoungGenerationSizeMb: 2 }

export class PoolWorker {
  readonly #settings: PoolSettings
  readonly #onFree: () => void
  #job: Job | null = null
  #worker: Worker | null = null
  #isReady = false
  #stopped = false
  /** Of the picture given last; a late answer for an older one is ignored. */
  #id = 0
  #backoff: number
  #deadline: Timer | null = null
  #restart: Timer | null = null

  constructor(settings: PoolSettings, onFree: () => void) {
    this.#settings = settings
    this.#onFree = onFree
    this.#backoff = settings.backoffMs
  }

  get ready(): boolean {
    return this.#isReady
  }
  get free(): boolean {
    return this.#isReady && !this.#job
  }

  /** Resolves when the models are loaded; rejects when they can't be. */
  start(): Promise<void> {
    const { clock, startMs, worker: url, reader } = this.#settings
    return new Promise((resolve, reject) => {
      const worker = new Worker(url, { workerData: reader, env: harmlessEnv(), execArgv: [], resourceLimits: LIMITS })
      this.#worker = worker
      let settled = false
      const fail = (error: LuongError): void => {
        timer.cancel()
        if (!settled) reject(error)
        settled = true
        void this.#lost(worker, error)
      }
      const timer = clock.after(startMs, () => fail(new LuongError('READER_FAILED', `plate reader did not start within ${startMs} ms`)))
      worker.on('message', (message: FromWorker) => {
        if (worker !== this.#worker) return
        if (message.type === 'unfit') return fail(new LuongError(message.error.code, message.error.message, message.error))
        if (message.type !== 'ready') return this.#settle(message)
        timer.cancel()
        settled = true
        this.#isReady = true
        resolve()
        this.#onFree()
      })
      worker.on('error', (e) => fail(new LuongError('READER_FAILED', `plate reader crashed: ${messageOf(e)}`, { cause: e })))
      worker.on('exit', (code) => fail(new LuongError('READER_FAILED', `plate reader ended with code ${code}`)))
    })
  }

  give(job: Job): void {
    const worker = this.#worker
    if (!worker || this.#job) {
      job.reject(new LuongError('READER_FAILED', `${job.key}: the reader is not free`))
      return
    }
    this.#job = job
    const { clock, deadlineMs } = this.#settings
    this.#deadline = clock.after(deadlineMs, () => {
      void this.#lost(worker, new LuongError('READER_FAILED', `plate reader hung: a picture took longer than ${deadlineMs} ms`))
    })
    // A copy made here and handed over: the caller keeps its picture (it is evidence), and dropped pictures cost nothing.
    const image = new Uint8Array(job.image)
    const message: ToWorker = { type: 'read', id: ++this.#id, image, options: job.options }
    worker.postMessage(message, [image.buffer])
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#restart?.cancel()
    const worker = this.#worker
    if (worker) await this.#lost(worker, new LuongError('STOPPED', 'the plate readers are stopping'))
  }

  /**
   * Asks the thread to end, and tears it down only when it does not: torn down while ONNX Runtime is at work or loads its models,
   * it takes the whole process with it (a C++ exception without a catcher as soon as the native call comes back).
   */
  async #end(worker: Worker): Promise<void> {
    // Gone already: crashed or ended by itself.
    if (worker.threadId === -1) return
    const gone = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
    worker.postMessage({ type: 'end' } satisfies ToWorker)
    const { clock, graceMs } = this.#settings
    await withDeadline(clock, gone, graceMs, () => new Error('late')).catch(() => worker.terminate())
  }

  #settle(message: Extract<FromWorker, { id: number }>): void {
    const job = this.#job
    if (!job || message.id !== this.#id) return
    this.#job = null
    this.#deadline?.cancel()
    this.#backoff = this.#settings.backoffMs
    if (message.type === 'result') job.resolve(message.result)
    else job.reject(new LuongError(message.error.code, `${job.key}: ${message.error.message}`, message.error))
    this.#onFree()
  }

  /** Gives up the thread and the picture it had; starts another after a pause. Resolves when the thread has ended; at once for one given up before. */
  #lost(worker: Worker, error: LuongError): Promise<void> {
    if (worker !== this.#worker) return Promise.resolve()
    this.#worker = null
    this.#isReady = false
    this.#deadline?.cancel()
    const ended = this.#end(worker)
    const job = this.#job
    this.#job = null
    job?.reject(new LuongError(error.code, `${job.key}: ${error.message}`, error))
    if (this.#stopped) return ended
    const pause = this.#backoff
    this.#backoff = Math.min(this.#settings.backoffMaxMs, pause * 2)
    this.#settings.log.warn({ code: error.code, pause }, `${error.message}; starting again`)
    this.#restart = this.#settings.clock.after(pause, () => {
      // A failure to start is logged by #lost, which also tries again.
      this.start().catch(() => undefined)
    })
    return ended
  }
}
