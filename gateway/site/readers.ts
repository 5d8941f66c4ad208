/** The site's plate readers. Their models take longest to load, so they are started before the rest of the program is even read. */
import type { Site } from '../../config/schema/site.ts'
import type { ReaderPool } from '../../models/plate.ts'
import { WorkerReaderPool } from '../../models/pool.ts'
import type { Log } from '../kernel/log.ts'

/** Begins to load the models in threads of their own; `start` of what is returned says how that went. */
export function startReaders({ workers, queue }: Site['plates'], log: Log): ReaderPool {
  const pool = new WorkerReaderPool({ workers, queue, log: log.child({ part: 'plates' }) })
  const ready = pool.start()
  ready.catch(() => {})
  return {
    start: () => ready,
    submit: (key, image, options) => pool.submit(key, image, options),
    stats: () => pool.stats(),
    close: () => pool.close(),
  }
}
