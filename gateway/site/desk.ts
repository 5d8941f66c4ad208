/**
 * The officers' desk: a referred vehicle is taken by an officer by name, and cleared or refused by that officer; what nobody takes, or
 * nobody decides, is escalated. It moves nothing: opening and refusing stay commands to the lane.
 */
import type { Zone } from '../journal/zone.ts'
import type { Clock, Timer } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import type { Command } from '../uplink/schema/down.ts'
import { alarmEvent, type EventContext, passageEvent } from './lane-events.ts'
import type { ClockQuality, Passage } from './passage.ts'
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
  by: string | null
  escalated: boolean
  timer: Timer | null
}

const ALARM = 'desk-unattended'
const MIN = 60_000
const ENDS = /^luong\.passage\.(cleared|refused|redirected|aborted)\.v1$/

export class Desk {
  readonly #o: DeskOptions
  /** The referred vehicle of each lane. */
  readonly #cases = new Map<string, Case>()

  constructor(options: DeskOptions) {
    this.#o = options
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
    else if (ENDS.test(type)) this.#close(passage)
  }

  stop(): void {
    for (const c of this.#cases.values()) c.timer?.cancel()
    this.#cases.clear()
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
    this.#wait(found, this.#o.policy.decide_min)
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
    if (known) this.#close(known.passage)
    const fresh: Case = { passage, by: null, escalated: false, timer: null }
    this.#cases.set(passage.lane, fresh)
    this.#wait(fresh, this.#o.policy.take_min)
  }

  #close(passage: Passage): void {
    const found = this.#cases.get(passage.lane)
    if (found?.passage.id !== passage.id) return
    this.#cases.delete(passage.lane)
    found.timer?.cancel()
    if (found.escalated) this.#record([alarmEvent(this.#context(passage), 'cleared', ALARM, { passage })])
  }

  #wait(c: Case, minutes: number): void {
    c.timer?.cancel()
    c.timer = this.#o.clock.after(minutes * MIN, () => this.#escalate(c, minutes))
  }

  #escalate(c: Case, minutes: number): void {
    const why = c.by === null ? `no officer has taken it within ${minutes} min` : `taken by ${c.by} and not decided within ${minutes} min`
    const { passage } = c
    const context = this.#context(passage)
    // Whoever had it has it no more: anybody may take it.
    c.by = null
    c.escalated = true
    this.#record([passageEvent(context, 'escalated', passage, { why }), alarmEvent(context, 'raised', ALARM, { passage, why })])
  }

  #record(entries: Parameters<Recorder['record']>[0]): void {
    this.#o
      .recorder()
      .record(entries)
      .catch((error: unknown) => this.#o.log.error({ err: messageOf(error) }, 'what became of a referred vehicle was not recorded'))
  }
}
