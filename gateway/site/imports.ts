/** Files of declarations that `luong declarations import` has left in the data folder. */
import { type Spool, waiting } from '../declarations/spool.ts'
import type { Declaration } from '../identity/declaration.ts'
import type { DeclarationIndex } from '../identity/declarations.ts'
import type { Journal } from '../journal/journal.ts'
import { type Clock, systemClock, type Timer } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import type { ListFreshness } from './freshness.ts'

export interface ImportsOptions {
  readonly dataDir: string
  readonly journal: () => Pick<Journal, 'importDocuments'>
  readonly declarations: DeclarationIndex
  readonly freshness: Pick<ListFreshness, 'heard' | 'changed'>
  /** The site's; how often the folder is looked at is real time. */
  readonly clock: Clock
  readonly log: Log
}

const LOOK_MS = 1_000
/** Declarations that are put in force in one turn of the event loop. */
const AT_ONCE = 500

export class Imports {
  readonly #o: ImportsOptions
  #timer: Timer | null = null
  #work: Promise<void> = Promise.resolve()
  #stopped = false
  #complaint = ''

  constructor(options: ImportsOptions) {
    this.#o = options
  }

  /** Takes what is there, now; then looks every second. */
  async start(): Promise<void> {
    await this.#look()
    this.#again()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await this.#work
  }

  #again(): void {
    if (this.#stopped) return
    this.#timer = systemClock.after(LOOK_MS, () => {
      this.#work = this.#look().finally(() => this.#again())
    })
  }

  async #look(): Promise<void> {
    const { dataDir, log } = this.#o
    try {
      for (const { spool, claimed } of await waiting(dataDir, Date.now())) {
        if (this.#stopped) return
        if (claimed || (await spool.claim())) await this.#take(spool)
      }
      this.#complaint = ''
    } catch (error) {
      const why = messageOf(error)
      if (why !== this.#complaint) log.error({ err: why }, 'the folder of imports cannot be read')
      this.#complaint = why
    }
  }

  async #take(spool: Spool): Promise<void> {
    const { journal, declarations, freshness, clock, log } = this.#o
    const taken: Declaration[] = []
    try {
      const { count, file, replace } = await spool.apply(journal(), clock.now(), { taken: (d) => taken.push(d) })
      // Durable: from here on it holds.
      await this.#inForce(taken, replace ? [...declarations.ids()] : [])
      freshness.heard()
      freshness.changed()
      await spool.finish({ ok: true, count })
      log.info({ file, count, replace, declarations: declarations.size }, 'declarations imported')
    } catch (error) {
      log.error({ err: messageOf(error) }, 'an import was refused; nothing of it was taken')
      await spool.finish({ ok: false, error: messageOf(error) })
    }
  }

  async #inForce(taken: readonly Declaration[], before: readonly string[]): Promise<void> {
    const { declarations } = this.#o
    for (let i = 0; i < taken.length; i++) {
      declarations.put(taken[i]!)
      if (i % AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    if (before.length === 0) return
    const stay = new Set(taken.map((d) => d.id))
    for (const id of before) if (!stay.has(id)) declarations.delete(id)
  }
}
