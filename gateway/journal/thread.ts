/** Starts the journal's thread, asks it questions, ends it. */
import { Worker } from 'node:worker_threads'
import { systemClock, withDeadline } from '../kernel/clock.ts'
import { LuongError } from '../kernel/errors.ts'
import { fromWire } from '../kernel/wire-error.ts'
import { harmlessEnv, workerUrl } from '../kernel/worker-url.ts'
import { failure } from './failure.ts'
import type { FromWorker, QueryName, ToWorker, WorkerSettings } from './protocol.ts'

const OPEN_MS = 60_000
const ANSWER_MS = 30_000
const STOP_MS = 10_000
/** Questions under way; the next is refused. */
const MAX_QUESTIONS = 1_000

/** Batches are short-lived and small: V8's usual room for young objects would only be some more memory. */
const LIMITS = { maxYoungGenerationSizeMb: 4 }

export interface JournalThread {
  post(message: ToWorker): void
  /** Rejects with JOURNAL_UNAVAILABLE when it fails or takes longer than 30 s, QUEUE_FULL when too many are asked at once. */
  ask<T>(name: QueryName, args: readonly (string | number)[]): Promise<T>
  stop(): Promise<void>
}

type Open = FromWorker & { kind: 'open' }

/**
 * Resolves when the journal is open. Later messages that are no answers go to `heard`; `died` is called when the thread ends
 * by itself.
 */
export async function startThread(
  settings: WorkerSettings,
  heard: (message: FromWorker) => void,
  died: (error: LuongError) => void,
): Promise<{ thread: JournalThread; open: Open }> {
  const worker = new Worker(workerUrl(import.meta.url, './worker.js'), {
    workerData: settings,
    env: harmlessEnv(),
    execArgv: [],
    resourceLimits: LIMITS,
  })
  const questions = new Map<number, { resolve(value: unknown): void; reject(error: LuongError): void }>()
  let asked = 0
  let running = false
  let ended: () => void = () => {}
  const gone = new Promise<void>((resolve) => {
    ended = resolve
  })

  const opening = new Promise<Open>((resolve, reject) => {
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'open') resolve(message)
      else if (message.kind === 'open-failed') reject(fromWire(message.error))
      else if (message.kind === 'answer') {
        const question = questions.get(message.id)
        questions.delete(message.id)
        if (message.error === undefined) question?.resolve(message.value)
        else question?.reject(fromWire(message.error))
      } else heard(message)
    })
    const end = (why: string): void => {
      const error = new LuongError('JOURNAL_UNAVAILABLE', `the journal's thread for ${settings.dir} ended: ${why}`, {
        hint: 'Restart the gateway; if it happens again, report it with the log.',
      })
      reject(error)
      for (const q of questions.values()) q.reject(error)
      questions.clear()
      if (running) died(error)
      running = false
      ended()
    }
    worker.on('error', (error) => end(failure(error, settings.dir).message))
    worker.on('exit', (code) => end(`exit code ${code}`))
  })
  const late = () => new LuongError('JOURNAL_UNAVAILABLE', `the journal in ${settings.dir} did not open in ${OPEN_MS / 1000} s`)

  const thread: JournalThread = {
    post: (message) => worker.postMessage(message),
    ask<T>(name: QueryName, args: readonly (string | number)[]): Promise<T> {
      if (questions.size >= MAX_QUESTIONS) {
        return Promise.reject(new LuongError('QUEUE_FULL', `journal: ${MAX_QUESTIONS} questions are waiting`))
      }
      const id = ++asked
      const answer = new Promise<T>((resolve, reject) => {
        questions.set(id, { resolve: resolve as (value: unknown) => void, reject })
      })
      worker.postMessage({ kind: 'query', id, name, args } satisfies ToWorker)
      return withDeadline(systemClock, answer, ANSWER_MS, () => {
        questions.delete(id)
        return new LuongError('JOURNAL_UNAVAILABLE', `the journal in ${settings.dir} did not answer (${name}) in ${ANSWER_MS / 1000} s`)
      })
    },
    async stop() {
      running = false
      worker.postMessage({ kind: 'close' } satisfies ToWorker)
      await withDeadline(systemClock, gone, STOP_MS, () => new Error('late')).catch(() => worker.terminate())
    },
  }

  try {
    const open = await withDeadline(systemClock, opening, OPEN_MS, late)
    running = true
    return { thread, open }
  } catch (error) {
    await worker.terminate()
    throw error
  }
}
