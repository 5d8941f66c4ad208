/** A worker thread that reads pictures one after another. Started by the pool. */
import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { LuongError, messageOf } from '../gateway/kernel/errors.ts'
import type { Failure, FromWorker, ToWorker, WorkerSettings } from './protocol.ts'
import { OnnxPlateReader } from './reader.ts'

/** Nice value of the thread while it reads: where cores are scarce, sensors, relays and the journal come first. */
const NICE = 5

const settings = workerData as WorkerSettings
const port = parentPort!
const say = (message: FromWorker): void => port.postMessage(message)

function failure(error: unknown): Failure {
  const known = error instanceof LuongError ? error : new LuongError('READER_FAILED', messageOf(error))
  return { code: known.code, message: known.message, hint: known.hint }
}

try {
  const reader = await OnnxPlateReader.open(settings.reader, settings.manifest)
  // Only Linux gives a thread a priority of its own (setpriority(2), notes on NPTL); elsewhere it would be the whole process.
  if (process.platform === 'linux') setPriority(NICE)
  port.on('message', (job: ToWorker) => {
    if (job.type === 'end') return port.close()
    reader.read(job.image, job.options).then(
      (result) => say({ type: 'result', id: job.id, result }),
      (error) => say({ type: 'failed', id: job.id, error: failure(error) }),
    )
  })
  say({ type: 'ready' })
} catch (error) {
  say({ type: 'unfit', error: failure(error) })
}
