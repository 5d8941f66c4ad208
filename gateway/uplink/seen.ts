/** Which command ids were carried out: durable, so that a command never acts twice, not even over a restart. */
import type { Journal } from '../journal/journal.ts'
import type { Clock } from '../kernel/clock.ts'

/** Longer than any command may stay valid, with room for clocks that are wrong. */
const KEEP_MS = 30 * 24 * 3600_000
const MAX_SEEN = 20_000

export class SeenCommands {
  readonly #journal: Pick<Journal, 'documents' | 'putDocument'>
  readonly #clock: Clock
  /** Id → when, wall-clock ms; oldest first. */
  readonly #seen = new Map<string, number>()
  constructor(journal: Pick<Journal, 'documents' | 'putDocument'>, clock: Clock) {
    this.#journal = journal
    this.#clock = clock
  }
  /** Reads what earlier runs have seen. */
  async load(): Promise<void> {
    const rows = await this.#journal.documents('commands')
    for (const { key, at } of rows.sort((a, b) => a.at - b.at)) this.#seen.set(key, at)
    await this.#forget()
  }
  has(id: string): boolean {
    return this.#seen.has(id)
  }
  /** Resolves when it is durable. Takes effect at once, so that a second copy that arrives meanwhile is recognised. */
  async add(id: string, record: object): Promise<void> {
    this.#seen.set(id, this.#clock.now())
    await this.#journal.putDocument('commands', id, record)
    await this.#forget()
  }
  /** The command was not carried out after all: it may be sent again. */
  cancel(id: string): void {
    this.#seen.delete(id)
  }
  async #forget(): Promise<void> {
    const old = this.#clock.now() - KEEP_MS
    for (const [id, at] of this.#seen) {
      if (at >= old && this.#seen.size <= MAX_SEEN) break
      this.#seen.delete(id)
      await this.#journal.putDocument('commands', id, null)
    }
  }
}
