/**
 * Lane plans: opens, closes and turns lanes by schedule or command. A change is made only when it is safe; until then it waits, at most
 * as long as the site file says, and is told: waiting, done or given up, with the reason. What moves arms is the lane core alone: this
 * only says which plan it shall take when its lane is empty.
 */
import type { LanePlanConfig } from '../../config/schema/plan.ts'
import type { EventEntry, Journal } from '../journal/journal.ts'
import type { Zone } from '../journal/zone.ts'
import { type Clock, type Timer, withDeadline } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import type { Direction } from '../lane/model.ts'
import { explain, turnable } from '../lane/step.ts'
import type { LaneRunner } from './lane-runner.ts'
import type { ClockQuality } from './passage.ts'
import { planInForce } from './plan-schedule.ts'

/** The other half of a smart gate, where a lane leads into one of its lanes. */
export interface TurnAgreement {
  /** Null: agreed; else why not, in words. It may take as long as it likes: the lane waits a bounded time and takes silence for no. */
  mayTurn(lane: string, direction: Direction): Promise<string | null>
}

/** A lane under a plan. */
export interface PlannedLane {
  readonly runner: Pick<LaneRunner, 'state' | 'settings' | 'plan'>
  /** Its direction by the site file. */
  readonly direction: Direction
  /** A limit switch says when its arm is closed. */
  readonly limit: boolean
}

export interface LanePlansOptions {
  readonly config: LanePlanConfig | undefined
  readonly lanes: () => ReadonlyMap<string, PlannedLane>
  readonly agreement: TurnAgreement | null
  /** Remembers over restarts which switch was made; null the first time. */
  readonly load: () => Promise<string | null>
  readonly save: (since: string) => Promise<void>
  readonly record: (entries: readonly EventEntry[]) => Promise<unknown>
  readonly clock: Clock
  readonly clockQuality: () => ClockQuality
  readonly zone: Zone
  readonly log: Log
  /** Something that the lane's state tells is different. */
  readonly changed: (lane: string) => void
}

/** Keeps the last switch in the journal. */
export function storedSwitch(journal: () => Pick<Journal, 'documents' | 'putDocument'>): Pick<LanePlansOptions, 'load' | 'save'> {
  const collection = 'lane-plan-switch'
  return {
    async load() {
      const [found] = await journal().documents(collection)
      return typeof found?.value === 'string' ? found.value : null
    },
    save: (since) => journal().putDocument(collection, 'last', since),
  }
}

interface Wanted {
  readonly closed: boolean
  readonly direction: Direction
}

interface Change {
  readonly plan: string
  readonly want: Wanted
  readonly before: Wanted
  readonly by: string
  /** Monotonic ms. */
  readonly until: number
  /** Why it waits; null: not looked at yet. */
  why: string | null
  told: boolean
  /** The other side's word, and until when it holds or is not asked for again. */
  word: { readonly why: string | null; readonly until: number } | null
  asking: boolean
}

const PENDING_MS = 1_000
const QUIET_MS = 15_000
/** The other side answers in this time, or the answer is no. */
export const AGREE_MS = 10_000
/** An agreement older than this is asked for again, and so is a refusal. */
const WORD_MS = 30_000

export class LanePlans {
  readonly #o: LanePlansOptions
  readonly #changes = new Map<string, Change>()
  #config: LanePlanConfig | undefined
  #plan: string | null = null
  /** The switch that was made last, and the one that is being made. */
  #since: string | null = null
  #making: string | null = null
  #timer: Timer | null = null
  #stopped = false

  constructor(options: LanePlansOptions) {
    this.#o = options
    this.#config = options.config
  }

  async start(): Promise<void> {
    this.#since = await this.#o.load()
    this.#again()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  /** Another site file: from the next switch on. */
  exchange(config: LanePlanConfig | undefined): void {
    this.#config = config
  }

  /** Why there can be no such plan, or null. */
  refusal(plan: string): string | null {
    const names = Object.keys(this.#config?.plans ?? {})
    return names.includes(plan)
      ? null
      : `there is no plan ${plan}; ${names.length > 0 ? `there are ${names.join(', ')}` : 'this site has none'}`
  }

  /** Puts a plan in force that {@link refusal} has nothing against. */
  set(plan: string, by: string): void {
    this.#want(plan, by)
    this.#again()
  }

  #want(plan: string, by: string): void {
    const lanes = this.#config?.plans[plan]
    if (!lanes) return
    this.#plan = plan
    for (const [id, lane] of this.#o.lanes()) {
      const want = { closed: lanes[id]?.open === false, direction: lanes[id]?.direction ?? lane.direction }
      this.#changes.delete(id)
      const { plan: before } = lane.runner.state
      if (before.closed === want.closed && before.direction === want.direction) continue
      const until = this.#o.clock.mono() + (this.#config?.wait_s ?? 0) * 1000
      this.#changes.set(id, { plan, want, before, by, until, why: null, told: false, word: null, asking: false })
    }
  }

  /** An officer has commanded the lane: what was planned for it is over until the next switch. */
  overruled(id: string, by: string): void {
    const change = this.#changes.get(id)
    const lane = this.#o.lanes().get(id)
    if (!change || !lane) return
    // It was shut only to be turned: what the officer did not say stays as it was.
    const { runner } = lane
    if (runner.state.direction !== change.before.direction) runner.plan(change.before.closed, runner.state.direction)
    this.#end(id, change, 'given-up', `overruled by ${by}`)
  }

  /** Asked before a command turns a lane: why it may not, or null. Settles within {@link AGREE_MS}. */
  async mayTurn(lane: string, direction: Direction): Promise<string | null> {
    if (this.#o.lanes().get(lane)?.limit === false) return `no limit switch says when the arm of lane ${lane} is closed`
    const { agreement, clock } = this.#o
    if (!agreement) return null
    try {
      const why = await withDeadline(clock, agreement.mayTurn(lane, direction), AGREE_MS, () => new Error('it does not answer'))
      return why === null ? null : `the other side does not agree: ${why}`
    } catch (error) {
      return `the other side does not agree: ${messageOf(error)}`
    }
  }

  /** For the lane's state: the plan in force, and what a change waits for. */
  about(lane: string): { name: string; waiting?: string } | undefined {
    if (this.#plan === null) return undefined
    const why = this.#changes.get(lane)?.why
    return { name: this.#plan, ...(why ? { waiting: why.slice(0, 300) } : {}) }
  }

  #again(): void {
    if (this.#stopped) return
    this.#timer?.cancel()
    this.#schedule()
    for (const [lane, change] of [...this.#changes]) this.#advance(lane, change)
    this.#settle()
    const wait = this.#changes.size > 0 ? PENDING_MS : QUIET_MS
    if (this.#changes.size > 0 || (this.#config?.schedule.length ?? 0) > 0) this.#timer = this.#o.clock.after(wait, () => this.#again())
  }

  /** Puts the plan in force that the schedule says, once for each switch. A clock that is known to be wrong switches nothing. */
  #schedule(): void {
    const due = planInForce(this.#config?.schedule ?? [], this.#o.zone, this.#o.clock.now())
    if (!due || this.#o.clockQuality().synced === false) return
    if (due.since === this.#since || due.since === this.#making) {
      this.#plan ??= due.plan
      return
    }
    this.#making = due.since
    this.#o.log.info({ plan: due.plan, since: due.since }, 'the lane plan changes')
    this.#want(due.plan, 'schedule')
  }

  /** A switch is made when each of its changes is done or given up: one that a crash interrupts is made at the next start. */
  #settle(): void {
    if (this.#making === null || this.#changes.size > 0) return
    this.#since = this.#making
    this.#making = null
    this.#o
      .save(this.#since)
      .catch((error: unknown) => this.#o.log.warn({ err: messageOf(error) }, 'the switch of the plan was not stored'))
  }

  #advance(id: string, change: Change): void {
    const lane = this.#o.lanes().get(id)
    if (!lane) {
      this.#changes.delete(id)
      return
    }
    const { runner } = lane
    const { want, before } = change
    const turned = runner.state.direction === want.direction
    if (turned) runner.plan(want.closed, want.direction)
    // Nobody is let in any more while it waits to turn.
    else if (!runner.state.plan.closed) runner.plan(true, runner.state.direction)
    const why = turned ? waitsFor(lane) : this.#inTheWay(id, lane, change)
    if (turned && (runner.state.phase === 'closed') === want.closed) this.#end(id, change, 'done')
    else if (why === null) runner.plan(true, want.direction)
    else if (this.#o.clock.mono() >= change.until) {
      runner.plan(before.closed, runner.state.direction)
      this.#end(id, change, 'given-up', `not safe within ${this.#config?.wait_s ?? 0} s: ${why}`)
    } else this.#waits(id, change, why)
  }

  /** The interlock: the lane is out of service and empty, its arm shut by its switch, and the other side agrees (null). Else why not. */
  #inTheWay(id: string, lane: PlannedLane, change: Change): string | null {
    const { state, settings } = lane.runner
    if (!lane.limit) return `no limit switch says when the arm of lane ${id} is closed`
    if (state.phase !== 'closed' || state.arm !== 'closed' || !turnable(state, settings)) return waitsFor(lane)
    if (!this.#o.agreement) return null
    if (change.word && this.#o.clock.mono() < change.word.until) return change.word.why
    if (!change.asking) {
      change.asking = true
      void this.mayTurn(id, change.want.direction).then((why) => {
        change.asking = false
        change.word = { why, until: this.#o.clock.mono() + WORD_MS }
      })
    }
    return change.word?.why ?? 'the other side has not answered yet'
  }

  #waits(id: string, change: Change, why: string): void {
    const changed = change.why !== why
    change.why = why
    if (changed) this.#o.changed(id)
    if (change.told) return
    change.told = true
    this.#tell(id, change, 'waiting', why)
  }

  #end(id: string, change: Change, how: 'done' | 'given-up', why?: string): void {
    this.#changes.delete(id)
    this.#tell(id, change, how, why)
    this.#o.changed(id)
  }

  #tell(id: string, { plan, want, by }: Change, change: 'waiting' | 'done' | 'given-up', why?: string): void {
    const { log, clock, clockQuality } = this.#o
    const about = { lane: id, plan, direction: want.direction, closed: want.closed, change, by: by.slice(0, 120) }
    if (change === 'given-up') log.warn({ ...about, why }, 'a change of the lane plan was given up')
    const data = { ...about, ...(why ? { why: why.slice(0, 500) } : {}), clock: clockQuality(), historical: false }
    this.#o
      .record([{ kind: 'event', type: 'luong.lane.plan.v1', lane: id, subject: plan, at: clock.now(), data }])
      .catch((error: unknown) => {
        log.error({ lane: id, err: messageOf(error) }, 'a change of the lane plan was not recorded')
      })
  }
}

/** What keeps the lane from changing, as a person would say it. */
function waitsFor({ runner: { state } }: PlannedLane): string {
  if (state.vehicle) return `a vehicle is in the lane; it waits for ${explain(state).waitingFor}`
  if (state.phase === 'idle' || state.phase === 'closed') {
    const seen = Object.entries(state.sensors).flatMap(([role, value]) =>
      value === false ? [] : [`${role} ${value ? 'occupied' : 'unknown'}`],
    )
    if (seen.length > 0) return `the lane is not known to be empty: ${seen.join(', ')}`
    if (state.arm !== 'closed') return `the arm is not known to be closed (${state.arm})`
  }
  return `the lane is ${state.phase}; it waits for ${explain(state).waitingFor}`
}
