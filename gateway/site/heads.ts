/** Signs where the journal stands, every minute in which it grew, for the centre to keep (topic `head`). */
import type { JournalHead } from '../journal/journal.ts'
import { openSeal, type Seal, type SealedHead } from '../journal/seal.ts'
import type { Zone } from '../journal/zone.ts'
import type { Clock } from '../kernel/clock.ts'

const EVERY_MS = 60_000

export interface HeadsOptions {
  readonly dataDir: string
  readonly site: string
  readonly boot: string
  readonly head: () => JournalHead
  /** Who is told. */
  readonly targets: readonly { head(head: SealedHead): void }[]
  readonly clock: Pick<Clock, 'mono' | 'now'>
  readonly zone: Zone
}

export class Heads {
  readonly #o: HeadsOptions
  #seal: Seal | null = null
  #entry = -1
  #signed = Number.NEGATIVE_INFINITY

  constructor(options: HeadsOptions) {
    this.#o = options
  }

  /** @throws LuongError JOURNAL_UNAVAILABLE when the key cannot be used */
  open(): void {
    this.#seal = openSeal(this.#o.dataDir)
  }

  /** Fingerprint of the key; empty before {@link open}. */
  get key(): string {
    return this.#seal?.fingerprint ?? ''
  }

  /** Called every few seconds. */
  tick(): void {
    if (this.#o.clock.mono() - this.#signed >= EVERY_MS) this.sign()
  }

  /** Signs and publishes, unless nothing has come since. */
  sign(): void {
    const { site, boot, head, targets, clock, zone } = this.#o
    const { sequence, entry, hash } = head()
    if (!this.#seal || entry === this.#entry) return
    const sealed = this.#seal.sign({ site, boot, sequence, entry, hash, at: zone.format(clock.now()) })
    for (const target of targets) target.head(sealed)
    this.#entry = entry
    this.#signed = clock.mono()
  }
}
