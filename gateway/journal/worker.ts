/** The journal's thread: takes batches in order, answers questions between them. */
import { parentPort, workerData } from 'node:worker_threads'
import { toWire } from '../kernel/wire-error.ts'
import { failure } from './failure.ts'
import type { FromWorker, ToWorker, WorkerSettings } from './protocol.ts'
import { openStore, type Store } from './store.ts'

/** How often the disk is looked at while nothing is written. */
const LOOK_MS = 1_000

const settings = workerData as WorkerSettings
const port = parentPort!
const say = (message: FromWorker): void => port.postMessage(message)

function serve(store: Store): void {
  let told = store.space()
  say({ kind: 'open', head: store.head(), bytes: store.bytes(), space: told })
  const look = setInterval(() => {
    store.probe()
    const space = store.space()
    if (space.writable !== told.writable || space.why !== told.why) say({ kind: 'space', space })
    told = space
  }, LOOK_MS)

  port.on('message', (message: ToWorker) => {
    if (message.kind === 'batch') {
      try {
        const head = store.write(message.batch)
        told = store.space()
        say({ kind: 'stored', head, bytes: store.bytes(), space: told })
        store.tidy()
      } catch (error) {
        told = store.space()
        say({ kind: 'refused', error: toWire(failure(error, settings.dir)), space: told })
      }
    } else if (message.kind === 'query') {
      try {
        say({ kind: 'answer', id: message.id, value: store.query(message.name, message.args) })
      } catch (error) {
        say({ kind: 'answer', id: message.id, error: toWire(failure(error, settings.dir)) })
      }
    } else {
      clearInterval(look)
      try {
        store.close()
      } finally {
        say({ kind: 'closed' })
        port.close()
      }
    }
  })
}

try {
  serve(openStore(settings))
} catch (error) {
  say({ kind: 'open-failed', error: toWire(failure(error, settings.dir)) })
  port.close()
}
