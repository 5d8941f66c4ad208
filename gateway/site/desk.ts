/**
 * The officers' desk: a referred vehicle is taken by an officer by name, and cleared or refused by that officer; what nobody takes, or
 * nobody decides, is escalated. It moves nothing: opening and refusing stay commands to the lane.
 * Everything it knows is in the journal: a restart goes on from there.
 */
import type { Journal } from '../journal/journal.ts'
import type { Zone } from '../journal/zone.ts'
import type { Clock, Timer } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import type { Command } from '../uplink/schema/down.ts'
import { alarmEvent, type EventContext, passageEvent } from './lane-events.ts'
import { type ClockQuality, newPassage, type Passage, subjectOf } from './passage.ts'
import type { Recorder } from './recorder.ts'

export interface DeskOptions {
  /** Minutes until a vehicle that nobody has taken, or that was taken and not decided, is escalated. */
  readonly policy: { readonly take_min: number; readonly decide_min: number }
  readonly recorder: () => Recorder
  readonly clock: Clock
  readonly clockQuality: () => ClockQuality
  readonly zone: Zone
  readonly log: Log
}

interface Case {
  readonly passage: Passage
  /** As it was read, or null. */
  readonly plate: string | null
  by: string | null
  escalated: boolean
  /** Since when it waits to be taken, or, once it is taken, to be decided: wall-clock ms. */
  since: number
  timer: Timer | null
}

/** What is looked at in a stored event. */
interface StoredCase {
  readonly subject?: string
  readonly data: { readonly by?: string; readonly direction: 'import' | 'export'; readonly times: { readonly arrived: string } }
}

const ALARM = 'desk-unattended'
/** A vehicle that is seen again this soon after the restart is the one that stood there; later it may be anybody. */
const RESUMED_MS = 300_000
const MIN = 60_000
const ENDS = /^luong\.passage\.(cleared|refused|redirected|aborted)\.v1$/

export class Desk {
  readonly #o: DeskOptions
  /** The referred vehicle of each lane. */
  readonly #cases = new Map<string, Case>()
  /** Cases that a restart has ended while the vehicle still stood in the lane: it is identified anew, as another passage. */
  /** By lane, with when (monotonic) its passage ended. */
  readonly #resumed = new Map<string, { readonly case: Case; readonly at: number }>()

  constructor(options: DeskOptions) {
    this.#o = options
  }

  /** Cases that an earlier run left open. Before the lanes start; their time goes on. */
  async restore(journal: Pick<Journal, 'deskEvents'>): Promise<void> {
    for (const e of await journal.deskEvents()) {
      const { subject, data } = JSON.parse(e.json) as StoredCase
      const known = this.#cases.get(e.lane ?? '')
      if (e.lane === null || e.passage === null) continue
      if (e.type === 'luong.passage.referred.v1') {
        const arrived = { at: Date.parse(data.times.arrived), mono: this.#o.clock.mono() - Math.max(0, this.#o.clock.now() - e.at) }
        const passage = { ...newPassage(0, e.lane, data.direction, arrived), id: e.passage, historical: true }
        if (known?.passage.id !== e.passage)
          this.#cases.set(e.lane, { passage, plate: subject ?? null, by: null, escalated: false, since: e.at, timer: null })
      } else if (known?.passage.id === e.passage) {
        const taken = e.type === 'luong.passage.taken.v1'
        known.by = taken ? (data.by ?? null) : null
        known.escalated = !taken
        known.since = e.at
      }
    }
    for (const c of this.#cases.values()) if (!c.escalated) this.#wait(c)
  }

  /** Officer who has taken the vehicle in this lane, and whether it was escalated; null: none is referred there. */
  of(lane: string): { readonly by: string | null; readonly escalated: boolean } | null {
    return this.#cases.get(lane) ?? null
  }

  /** In words, which vehicles wait for too long. */
  problems(): string[] {
    return [...this.#cases].flatMap(([lane, { passage, escalated }]) =>
      escalated ? [`lane ${lane}: passage ${passage.id} waits for an officer: alarm ${ALARM}`] : [],
    )
  }

  /** Told of every passage event. @param type `luong.passage.X.v1` */
  passage(type: string, passage: Passage): void {
    if (type === 'luong.passage.referred.v1') this.#open(passage)
    else if (ENDS.test(type)) this.#close(passage, type)
  }

  stop(): void {
    for (const c of this.#cases.values()) c.timer?.cancel()
    this.#cases.clear()
    this.#resumed.clear()
  }

  /** Why this officer may not decide over the vehicle in that lane, or null: another one has taken it. */
  refusal(c: Command): string | null {
    if (c.do !== 'open' && c.do !== 'refuse' && c.do !== 'hold') return null
    const by = this.#cases.get(c.lane)?.by ?? null
    return by === null || by === c.by ? null : `${by} has taken this vehicle: take it over first (take)`
  }

  /** An officer takes the vehicle in a lane, also over from another. Resolves when it is durable: null, or why not. */
  async take(c: Extract<Command, { do: 'take' }>): Promise<string | null> {
    const found = this.#cases.get(c.lane)
    if (!found) return `no referred vehicle waits in lane ${c.lane}`
    if (c.passage !== undefined && c.passage !== found.passage.id)
      return `passage ${c.passage} is not the vehicle that waits in lane ${c.lane} (that is ${found.passage.id})`
    if (found.by === c.by) return `${c.by} has taken it already`
    const why = found.by === null ? c.reason : `taken over from ${found.by}: ${c.reason}`
    const { passage } = found
    const context = this.#context(passage)
    await this.#o
      .recorder()
      .record([
        passageEvent(context, 'taken', passage, { by: c.by, why }),
        ...(found.escalated ? [alarmEvent(context, 'cleared', ALARM, { passage, why: `taken by ${c.by}` })] : []),
      ])
    // It may have left while that was written.
    if (this.#cases.get(c.lane) !== found) return 'the vehicle has left meanwhile'
    found.by = c.by
    found.escalated = false
    found.since = this.#o.clock.now()
    this.#wait(found)
    return null
  }

  #context(p: Passage): EventContext {
    const { zone, clock, clockQuality } = this.#o
    return { lane: p.lane, direction: p.direction, zone, clock: clockQuality(), at: clock.now() }
  }

  #open(passage: Passage): void {
    const known = this.#cases.get(passage.lane)
    // Held by an officer after it was referred: still the same case.
    if (known?.passage.id === passage.id) return
    if (known) this.#close(known.passage, '')
    const plate = subjectOf(passage) ?? null
    const resumed = this.#resumed.get(passage.lane)
    const before = resumed && this.#o.clock.mono() - resumed.at < RESUMED_MS ? resumed.case : undefined
    this.#resumed.delete(passage.lane)
    // Another plate is another vehicle. One that could not be read, then or now, is taken for the one that stood there.
    const same = before !== undefined && (before.plate === null || plate === null || before.plate === plate)
    const { by, since } = same ? before : { by: null, since: this.#o.clock.now() }
    const fresh: Case = { passage, plate, by, escalated: false, since, timer: null }
    this.#cases.set(passage.lane, fresh)
    if (by !== null) {
      const why = `taken before the restart, as passage ${before!.passage.id}`
      this.#record([passageEvent(this.#context(passage), 'taken', passage, { by, why })])
    }
    this.#wait(fresh)
  }

  /** @param type of the event that ended it */
  #close(passage: Passage, type: string): void {
    const found = this.#cases.get(passage.lane)
    if (found?.passage.id !== passage.id) {
      // Whoever came next has gone without the desk: so has the one from before the restart.
      this.#resumed.delete(passage.lane)
      return
    }
    this.#cases.delete(passage.lane)
    found.timer?.cancel()
    if (found.passage.historical && type === 'luong.passage.aborted.v1')
      this.#resumed.set(passage.lane, { case: found, at: this.#o.clock.mono() })
    if (found.escalated) this.#record([alarmEvent(this.#context(passage), 'cleared', ALARM, { passage })])
  }

  /** Until it is escalated, of which part may be over already. */
  #wait(c: Case): void {
    c.timer?.cancel()
    const { take_min, decide_min } = this.#o.policy
    const minutes = c.by === null ? take_min : decide_min
    // A clock that was set back meanwhile must not make it wait longer than from now on.
    const left = Math.min(minutes * MIN, c.since + minutes * MIN - this.#o.clock.now())
    c.timer = this.#o.clock.after(Math.max(0, left), () => this.#escalate(c, minutes))
  }

  #escalate(c: Case, minutes: number): void {
    const why = c.by === null ? `no officer has taken it within ${minutes} min` : `taken by ${c.by} and not decided within ${minutes} min`
    const { passage } = c
    const context = this.#context(passage)
    // Whoever had it has it no more: anybody may take it.
    c.by = null
    c.escalated = true
    c.since = this.#o.clock.now()
    this.#record([passageEvent(context, 'escalated', passage, { why }), alarmEvent(context, 'raised', ALARM, { passage, why })])
  }

  #record(entries: Parameters<Recorder['record']>[0]): void {
    this.#o
      .recorder()
      .record(entries)
      .catch((error: unknown) => this.#o.log.error({ err: messageOf(error) }, 'what became of a referred vehicle was not recorded'))
  }
}
