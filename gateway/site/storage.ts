/** What the site keeps on disk: journal, the recorder before it, and pictures. */
import { resolve } from 'node:path'
import type { Site } from '../../config/schema/site.ts'
import { createJournal } from '../journal/create.ts'
import { createEvidence, type Evidence } from '../journal/evidence.ts'
import type { Entry, Journal } from '../journal/journal.ts'
import { type Clock, systemClock, withDeadline } from '../kernel/clock.ts'
import { LuongError, messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import { Recorder } from './recorder.ts'

/** A picture is worth waiting for, but no vehicle waits longer than this for a disk. */
const KEEP_MS = 1_000
const STOP_RECORD_MS = 3_000

export class Storage {
  readonly journal: Journal
  readonly recorder: Recorder
  readonly evidence: Evidence
  readonly #log: Log
  #open = false

  constructor(site: Site, dataDir: string, clock: Clock, log: Log, onRecord: (entries: readonly Entry[]) => void) {
    const dir = resolve(dataDir)
    const { timezone } = site.site
    this.#log = log
    this.journal = createJournal({ dir, site: site.site.id, timezone, clock, minFreeMb: site.data.min_free_mb })
    this.recorder = new Recorder({ journal: this.journal, clock, log, onRecord })
    this.evidence = createEvidence({
      dir,
      quotaMb: site.data.evidence_quota_mb,
      days: site.data.evidence_days,
      clock,
      log,
      timezone,
    })
  }

  async open(): Promise<void> {
    await this.journal.open()
    this.#open = true
    this.evidence.start()
  }

  /** Keeps a picture; null when it can't be kept in time. */
  async keep(passage: string, name: string, image: Uint8Array): Promise<{ path: string; sha256: string } | null> {
    try {
      const late = () => new LuongError('JOURNAL_UNAVAILABLE', 'the picture took too long to be written')
      const { path, sha256 } = await withDeadline(systemClock, this.evidence.put(passage, name, image), KEEP_MS, late)
      return { path, sha256 }
    } catch (error) {
      this.#log.warn({ passage, name, err: messageOf(error) }, 'a picture was not kept')
      return null
    }
  }

  /** Why no new vehicle may be let through, or null. */
  inhibited(): string | null {
    if (this.recorder.refused !== null) return this.recorder.refused
    const { writable, why } = this.journal.stats()
    return writable ? null : (why ?? 'the journal cannot be written')
  }

  /** Waits for what is under way, within bounds, and frees the folder. */
  async close(): Promise<void> {
    if (!this.#open) return
    await this.evidence.stop()
    await this.recorder.close(STOP_RECORD_MS)
    await this.journal.close()
  }
}
