/** One thread of the pool: gives it pictures, watches over it, starts it again after a crash or a hang. */
import { Worker } from 'node:worker_threads'
import type { Timer } from '../gateway/kernel/clock.ts'
import { LuongError, messageOf } from '../gateway/kernel/errors.ts'
import type { Job, PoolSettings } from './pool.ts'
import type { FromWorker, ToWorker } from './protocol.ts'

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
      const worker = new Worker(url, { workerData: reader, execArgv: [] })
      this.#worker = worker
      let settled = false
      const fail = (error: LuongError): void => {
        timer.cancel()
        if (!settled) reject(error)
        settled = true
        this.#lost(worker, error)
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
      this.#lost(worker, new LuongError('READER_FAILED', `plate reader hung: a picture took longer than ${deadlineMs} ms`))
    })
    // A copy made here and handed over: the caller keeps its picture (it is evidence), and dropped pictures cost nothing.
    const image = new Uint8Array(job.image)
    const message: ToWorker = { id: ++this.#id, image, options: job.options }
    worker.postMessage(message, [image.buffer])
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#restart?.cancel()
    const worker = this.#worker
    if (worker) this.#lost(worker, new LuongError('STOPPED', 'the plate readers are stopping'))
    await worker?.terminate()
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

  /** Gives up the thread and the pictures it had; starts another after a pause. Does nothing for a thread given up before. */
  #lost(worker: Worker, error: LuongError): void {
    if (worker !== this.#worker) return
    this.#worker = null
    this.#isReady = false
    this.#deadline?.cancel()
    void worker.terminate()
    const job = this.#job
    this.#job = null
    job?.reject(new LuongError(error.code, `${job.key}: ${error.message}`, error))
    if (this.#stopped) return
    const pause = this.#backoff
    this.#backoff = Math.min(this.#settings.backoffMaxMs, pause * 2)
    this.#settings.log.warn({ code: error.code, pause }, `${error.message}; starting again`)
    this.#restart = this.#settings.clock.after(pause, () => {
      // A failure to start is logged by #lost, which also tries again.
      this.start().catch(() => undefined)
    })
  }
}
