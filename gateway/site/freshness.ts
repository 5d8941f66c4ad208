/** How old the lists are: when the platform was last heard, and what that means for the lanes. */
import { type ContactState, LISTS_STATE, type ListsState, later, listsState } from '../declarations/state.ts'
import type { Journal } from '../journal/journal.ts'
import type { Clock } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'

/** The site's policy, from its file. */
export interface ListsPolicy {
  /** Older lists let nobody pass, hours. */
  readonly max_age_h: number
  /** link: a connection to the central broker that stands is contact; message: only what arrives is. */
  readonly fresh_by: 'link' | 'message'
}

export interface Freshness {
  /** Last time something in the lists changed, wall-clock ms; null: never. */
  readonly newest: number | null
  /** Last contact with the platform, wall-clock ms; null: never. */
  readonly contact: number | null
  /** Since the last contact, hours; null: never, or a contact in the future: then the clock was wrong and nothing is known. */
  readonly age_h: number | null
  readonly max_age_h: number
  readonly stale: boolean
}

const HOUR = 3_600_000
/** A clock this far ahead of ours is still believed; what it says counts as now. */
const AHEAD_MS = 15 * 60_000
/** A site that never had contact is given so long after its start to hear something before anybody is told. */
const SETTLE_MS = 10_000
/** How often the last contact is stored while it stands. */
const SAVE_MS = 60_000

export interface FreshnessOptions {
  readonly policy: ListsPolicy
  readonly journal: () => Pick<Journal, 'documents' | 'putDocument'>
  /** Whether the connection to the central broker stands; null: there is none. */
  readonly link: () => boolean | null
  readonly clock: Clock
  readonly log: Log
}

export class ListFreshness {
  readonly #o: FreshnessOptions
  policy: ListsPolicy
  #contact: number | null = null
  #newest: number | null = null
  #saved: ContactState & { readonly at: number } = { contact: null, newest: null, at: Number.NEGATIVE_INFINITY }
  #told = false
  readonly #since: number

  constructor(options: FreshnessOptions) {
    this.#o = options
    this.policy = options.policy
    this.#since = options.clock.mono()
  }

  /** What earlier runs knew. */
  async load(): Promise<ListsState> {
    const known = listsState(await this.#o.journal().documents(LISTS_STATE))
    this.#contact = later(this.#contact, known.contact)
    this.#newest = later(this.#newest, known.newest)
    this.#saved = { ...this.#saved, contact: known.contact, newest: known.newest }
    return known
  }

  /** Word from the platform, as of `at` by its clock, at most now by ours. False: further ahead than a clock may be. */
  heard(at: number = this.#o.clock.now()): boolean {
    const now = this.#o.clock.now()
    if (at > now + AHEAD_MS) return false
    this.#note(Math.min(at, now))
    // A power cut must not make a site forget what it has just heard.
    if (this.#contact! - (this.#saved.contact ?? Number.NEGATIVE_INFINITY) >= SAVE_MS) this.save().catch(() => {})
    return true
  }

  #note(at: number): void {
    this.#contact = later(this.#known(this.#contact), at)
  }

  /** Something in the lists changed. */
  changed(): void {
    this.#newest = this.#o.clock.now()
  }

  /** A time in the future is none: the clock was wrong when it was written. */
  #known(at: number | null): number | null {
    return at !== null && at > this.#o.clock.now() + AHEAD_MS ? null : at
  }

  read(): Freshness {
    const now = this.#o.clock.now()
    if (this.policy.fresh_by === 'link' && this.#o.link() === true) this.#note(now)
    const contact = this.#known(this.#contact)
    const age_h = contact === null ? null : Math.max(0, now - contact) / HOUR
    const { max_age_h } = this.policy
    return { newest: this.#newest, contact, age_h, max_age_h, stale: age_h === null || age_h > max_age_h }
  }

  /** Called every few seconds: says when the lists become too old and when they are not any more, and stores the last contact. */
  tick(): void {
    const now = this.read()
    const settling = now.contact === null && this.#o.clock.mono() - this.#since < SETTLE_MS
    if (now.stale !== this.#told && !settling) {
      this.#told = now.stale
      const about = { contact: now.contact === null ? 'never' : new Date(now.contact).toISOString(), max_age_h: now.max_age_h }
      if (now.stale) this.#o.log.warn(about, 'the lists are too old: lanes refer what they would let pass')
      else this.#o.log.info(about, 'the lists are up to date again')
    }
    if (this.#o.clock.mono() - this.#saved.at >= SAVE_MS) this.save().catch(() => {})
  }

  /** Stores the last contact when it is another one. */
  async save(): Promise<void> {
    const { contact, newest } = this.read()
    if (contact === this.#saved.contact && newest === this.#saved.newest) return
    this.#saved = { contact, newest, at: this.#o.clock.mono() }
    await this.#o
      .journal()
      .putDocument(LISTS_STATE, 'contact', { contact, newest })
      .catch((error: unknown) => this.#o.log.warn({ err: messageOf(error) }, 'the time of the last contact was not stored'))
  }
}
