/** This box among others: what it signs, and whether it is the only one that speaks for its site. Alarms tell of a second one. */

import { accessOf, type BrokerAccess } from '../../firmware-bridge/transport/access.ts'
import { CONTINUATIONS, type Continuation, continuation } from '../journal/continue.ts'
import type { Journal } from '../journal/journal.ts'
import { genuine } from '../journal/seal.ts'
import { systemClock } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import { withoutSkipped } from '../uplink/skipped.ts'
import { claimOf, type Held, Sole } from '../uplink/sole.ts'
import { TOPICS, type TopicBase, topic } from '../uplink/topics.ts'
import { Heads, type HeadsOptions } from './heads.ts'
import type { Target, TargetOptions } from './links.ts'
import type { ClockQuality } from './passage.ts'
import type { Recorder } from './recorder.ts'
import { type Due, SiteAlarms } from './site-alarms.ts'

const CODES = ['second-box', 'journal-behind'] as const
type BoxAlarm = (typeof CODES)[number]
/** A second box that was not heard for so long is not there any more: it says so at least every half minute. */
const SILENT_MS = 120_000
/** Runs of this box that are remembered. */
const RUNS = 200
const BOOTS = 'boots'
/** The box that was there before this one, as an earlier run knew. */
const STRANGER = ['box', 'stranger'] as const

export interface BoxOptions extends Omit<HeadsOptions, 'head'>, TopicBase {
  readonly journal: () => Journal
  readonly recorder: () => Recorder
  readonly clockQuality: () => ClockQuality
  readonly log: Log
}

type Way = Pick<TargetOptions, 'target' | 'connection'>

export class Box {
  readonly #o: BoxOptions
  readonly #heads: Heads
  readonly #alarms = new SiteAlarms<BoxAlarm>(CODES)
  /** Runs of this program with this journal: what they once asked is no second box. */
  #runs: ReadonlySet<string> = new Set()
  #continued: readonly Continuation[] = []
  #sole: Sole | null = null
  #access: BrokerAccess = {}
  #ending = false
  #remembered: Held | null = null
  #centre: Target['connection'] | null = null
  #stranger: { readonly why: string; readonly heard: number } | null = null

  readonly #head = () => this.#o.journal().head()

  constructor(options: BoxOptions) {
    this.#o = options
    this.#heads = new Heads({ ...options, head: this.#head })
  }

  /** @throws LuongError JOURNAL_UNAVAILABLE when the key cannot be used */
  async open(): Promise<void> {
    const { boot } = this.#o
    const journal = this.#o.journal()
    this.#heads.open()
    const runs = (await journal.documents(BOOTS)).sort((a, b) => a.at - b.at).map(({ key }) => key)
    for (const old of runs.splice(0, Math.max(0, runs.length - RUNS))) await journal.putDocument(BOOTS, old, null)
    await journal.putDocument(BOOTS, boot, {})
    this.#runs = new Set([...runs, boot])
    this.#continued = await continuations(journal)
    this.#alarms.restore(await journal.siteAlarms())
    const [collection, key] = STRANGER
    this.#remembered = ((await journal.documents(collection)).find((d) => d.key === key)?.value as Held | undefined) ?? null
  }

  /** The journal as it is published. */
  source(): ReturnType<typeof withoutSkipped> {
    return withoutSkipped(this.#o.journal(), this.#continued)
  }

  /** How a connection is to be made: the one to the centre looks first whether this box may speak. */
  before({ target, connection }: Way): Pick<TargetOptions, 'clientId' | 'connection'> {
    const { root, site, boot, zone, clock, log } = this.#o
    const clientId = `luong-${site}-${target}`
    if (target !== 'uplink') return { clientId, connection }
    const hashOf = (entry: number) => this.#o.journal().hashOf(entry)
    const continued = this.#continued.at(-1)?.sequence ?? null
    const [key, head, stamp] = [this.#heads.key, this.#head, () => zone.format(clock.now())]
    const known = { remembered: this.#remembered, remember: (held: Held | null) => this.#remember(held) }
    this.#access = accessOf(connection)
    this.#sole = new Sole({
      root,
      site,
      boot,
      key,
      head,
      hashOf,
      continued,
      genuine,
      stamp,
      connection,
      clientId,
      ...known,
      clock: systemClock,
      log,
    })
    return { clientId, connection: { ...connection, admit: this.#sole.admit } }
  }

  #remember(held: Held | null): void {
    this.#o
      .journal()
      .putDocument(...STRANGER, held)
      .catch((error: unknown) => this.#o.log.error({ err: messageOf(error) }, 'it was not kept whether another box was there first'))
  }

  /**
   * Looks for another box before any lane opens. Settles at once where there is no centre, within 3 s where it is not reached, and within 10 s
   * always: a site must work without it.
   */
  async look(): Promise<void> {
    if (this.#ending || !this.#sole || (await this.#sole.first(this.#access))) return
    this.#o.log.warn({}, 'not known yet whether another box speaks for this site; the lanes do not wait for it any longer')
  }

  /** Ends a look that is under way. Settles within a few seconds. */
  async stop(): Promise<void> {
    this.#ending = true
    await this.#sole?.stop()
  }

  /** Hears a second box on the way to the centre, and answers it. */
  listen(target: Pick<Target, 'name' | 'connection' | 'present'>): void {
    const { boot, log } = this.#o
    if (target.name !== 'uplink') return
    this.#centre = target.connection
    target.connection.subscribe(topic(TOPICS.claim, this.#o), (message) => {
      const said = claimOf(message, boot)
      if (!said || this.#runs.has(said.boot)) return
      if (said.state === 'asks') target.present().catch((error) => log.debug({ err: messageOf(error) }, 'a second box was not answered'))
      const why = `another box claims this site: boot ${said.boot}, key ${said.key}, sequence ${said.sequence}${said.why ? `; it says: ${said.why}` : ''}`
      this.#stranger = said.state === 'settled' ? null : { why, heard: this.#o.clock.mono() }
    })
  }

  /** Called every few seconds. */
  tick(): void {
    this.#heads.tick()
    const { clock, clockQuality, log } = this.#o
    // Nobody is heard over a link that is down: only silence on one that is up says that it has gone.
    if (this.#stranger && this.#centre?.up !== true) this.#stranger = { ...this.#stranger, heard: clock.mono() }
    if (this.#stranger && clock.mono() - this.#stranger.heard > SILENT_MS) this.#stranger = null
    const entries = this.#alarms.change(this.#due(), clock.now(), clockQuality())
    for (const { type, data } of entries) log.error({ alarm: data.alarm, why: data.why }, type)
    if (entries.length === 0) return
    this.#o
      .recorder()
      .record(entries)
      .catch((error: unknown) => log.error({ err: messageOf(error) }, 'an alarm was not recorded'))
  }

  #due(): Due<BoxAlarm>[] {
    const held = this.#sole?.held
    const due: Due<BoxAlarm>[] = held ? [{ alarm: held.kind, why: held.why }] : []
    if (this.#stranger && held?.kind !== 'second-box') due.push({ alarm: 'second-box', why: this.#stranger.why })
    return due
  }

  /** Signs where the journal stands, unless nothing has come since. */
  sign(): void {
    this.#heads.sign()
  }

  /** Why no vehicle may be let through: another box was there first, and may move the same arms. Null: go on. */
  inhibited(): string | null {
    return this.#sole?.stranger ? (this.#sole.held?.why ?? null) : null
  }

  /** What is not well, in words. */
  problems(): string[] {
    return this.#due().map(({ alarm, why }) => `site: alarm ${alarm}: ${why}`)
  }
}

/** Where the journal went on above numbers that are lost, in order. */
async function continuations(journal: Journal): Promise<Continuation[]> {
  const noted = (await journal.documents(CONTINUATIONS)).map(({ key }) => Number(key)).sort((a, b) => a - b)
  const events = await Promise.all(noted.map(async (sequence) => (await journal.events(sequence - 1, 1))[0]))
  return events.flatMap((e) => {
    const found = e && continuation({ ...e, id: 0 }, (JSON.parse(e.json) as { data?: unknown }).data)
    return found ? [found] : []
  })
}
