/**
 * Lanes that lead into one place: whose vehicle is let in next. A lane asks when its vehicle may pass; where others are being let in, the
 * vehicle waits until it is called. Who is called is said by turn-order.ts, and is durable before the arm moves.
 */
import type { CallingConfig } from '../../config/schema/calling.ts'
import type { EventEntry } from '../journal/journal.ts'
import type { Zone } from '../journal/zone.ts'
import type { Clock } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import { awaitsTurn } from '../lane/step.ts'
import { passageEvent } from './lane-events.ts'
import type { LaneRunner } from './lane-runner.ts'
import type { ClockQuality, Passage } from './passage.ts'
import { due, nextTurn, type TurnPolicy, type Waiter, without } from './turn-order.ts'
import { hangs, mayDriveIn } from './under-way.ts'

export interface TurnsOptions {
  /** By name. */
  readonly groups: Readonly<Record<string, CallingConfig>>
  readonly runner: (lane: string) => Pick<LaneRunner, 'state' | 'settings' | 'passage'> | undefined
  readonly record: (entries: readonly EventEntry[]) => Promise<unknown>
  readonly clock: Clock
  readonly clockQuality: () => ClockQuality
  readonly zone: Zone
  readonly log: Log
}

interface Group {
  readonly name: string
  readonly config: CallingConfig
  readonly policy: TurnPolicy
  waiting: readonly Waiter[]
  /** Passage by lane: called, and not on its way yet. */
  readonly called: Map<string, string>
}

interface Asking {
  readonly passage: Passage
  /** Monotonic ms. */
  readonly asked: number
  readonly go: () => void
}

const S = 1_000

export class Turns {
  readonly #o: TurnsOptions
  readonly #groups = new Map<string, Group>()
  /** By passage; at most one a lane. */
  readonly #asking = new Map<string, Asking>()
  /** Lanes of which nothing says when their vehicle will be through, and since when, monotonic ms. */
  readonly #hung = new Map<string, number>()

  constructor(options: TurnsOptions) {
    this.#o = options
    for (const [name, config] of Object.entries(options.groups)) {
      const policy = { overtaken: config.overtaken, waitMs: config.wait_s * S }
      const group: Group = { name, config, policy, waiting: [], called: new Map() }
      for (const lane of config.lanes) this.#groups.set(lane, group)
    }
  }

  /**
   * A vehicle may pass.
   * @returns `pass`: it is let in now. `wait`: `go` is called when it is its turn, or never, when it does not wait any more
   */
  ask(passage: Passage, go: () => void): 'pass' | 'wait' {
    const group = this.#groups.get(passage.lane)
    if (!group || group.called.get(passage.lane) === passage.id) return 'pass'
    this.#prune(group)
    const inWay = this.#underWay(group)
    if (group.waiting.length === 0 && inWay.length < group.config.at_once) {
      group.called.set(passage.lane, passage.id)
      return 'pass'
    }
    const first = group.config.first.some((kind) => passage.favour?.[kind])
    const waiter: Waiter = { lane: passage.lane, passage: passage.id, first, since: passage.arrived.mono, overtaken: 0 }
    group.waiting = [...group.waiting, waiter]
    this.#asking.set(passage.id, { passage, asked: this.#o.clock.mono(), go })
    const turn = { group: group.name, first, overtaken: 0, before: [] }
    const why = this.#inWords(inWay)
    this.#record([passageEvent(this.#context(passage), 'queued', passage, { why, turn })])
    return 'wait'
  }

  /** Something is different in a lane, or some seconds have passed: somebody may be called. */
  changed(lane: string): void {
    const group = this.#groups.get(lane)
    if (!group) return
    this.#watch(lane)
    if (group.waiting.length + group.called.size > 0) this.#call(group)
  }

  /** Notes since when a lane hangs. */
  #watch(lane: string): void {
    const runner = this.#o.runner(lane)
    if (!runner || !mayDriveIn(runner) || hangs(runner) === null) this.#hung.delete(lane)
    else if (!this.#hung.has(lane)) this.#hung.set(lane, this.#o.clock.mono())
  }

  /** It has held up the others for as long as it may. */
  #over(lane: string, { config }: Group): boolean {
    const since = this.#hung.get(lane)
    return since !== undefined && this.#o.clock.mono() - since >= config.stuck_s * S
  }

  /** What those in the way do, in words. */
  #inWords(lanes: readonly string[]): string {
    const why = (lane: string) => {
      const runner = this.#o.runner(lane)
      const trouble = runner && hangs(runner)
      return trouble && this.#hung.has(lane) ? `${lane} ${trouble} and may still let a vehicle in` : `${lane} lets a vehicle in`
    }
    return lanes.map(why).join(', ') || 'another lane lets a vehicle in'
  }

  /** What the vehicle in this lane waits for, in words; null: for no turn. */
  why(lane: string): string | null {
    const group = this.#groups.get(lane)
    if (!group?.waiting.some((w) => w.lane === lane)) return null
    return `waits for its turn: ${this.#inWords(this.#underWay(group))}`
  }

  /** Those that have left, were decided over by an officer, or are on their way. */
  #prune(group: Group): void {
    const asks = (lane: string, passage: string) => {
      const runner = this.#o.runner(lane)
      return runner?.passage?.id === passage && (runner.state.phase === 'identifying' || awaitsTurn(runner.state))
    }
    for (const [lane, passage] of [...group.called]) if (!asks(lane, passage)) group.called.delete(lane)
    for (const w of group.waiting) if (!asks(w.lane, w.passage)) this.#asking.delete(w.passage)
    group.waiting = group.waiting.filter((w) => this.#asking.has(w.passage))
  }

  /** Lanes whose vehicle was called, or may be on its way in; those that hang are waited for no longer than the group allows. */
  #underWay(group: Group): string[] {
    return group.config.lanes.filter((lane) => {
      if (group.called.has(lane)) return true
      const runner = this.#o.runner(lane)
      return runner !== undefined && mayDriveIn(runner) && !this.#over(lane, group)
    })
  }

  #call(group: Group): void {
    this.#prune(group)
    while (this.#underWay(group).length < group.config.at_once) {
      const now = this.#o.clock.mono()
      const next = nextTurn(group.waiting, group.policy, now)
      const asking = next && this.#asking.get(next.passage)
      if (!next || !asking) return
      const overtaken = group.waiting.filter((w) => w.since < next.since)
      const stuck = group.config.lanes.filter((lane) => this.#over(lane, group))
      const patience = !next.first && group.waiting.some((w) => w.first) && due(next, group.policy, now)
      group.waiting = without(group.waiting, next)
      group.called.set(next.lane, next.passage)
      this.#asking.delete(next.passage)
      const why = overtaken.length > 0 ? 'goes before others' : patience ? 'has let enough others go before' : 'its turn'
      void this.#letIn(group, next, asking, {
        overtaken,
        why: [why, ...stuck.map((lane) => `${this.#inWords([lane])}: not waited for any longer`)].join('; '),
      })
    }
  }

  async #letIn(group: Group, w: Waiter, asking: Asking, how: { overtaken: readonly Waiter[]; why: string }): Promise<void> {
    const { passage, asked, go } = asking
    const waited_s = Math.round((this.#o.clock.mono() - asked) / 100) / 10
    const turn = { group: group.name, first: w.first, overtaken: w.overtaken, before: how.overtaken.map((o) => o.lane), waited_s }
    passage.turn = turn
    if (await this.#record([passageEvent(this.#context(passage), 'called', passage, { why: how.why, turn })])) {
      go()
      this.#call(group)
      return
    }
    // What cannot be recorded is not done. Nor is it tried again at once: the disk would be asked without end.
    delete passage.turn
    this.#putBack(group, w, asking, how.overtaken)
  }

  /** As if it had not been called: it waits in its place, and the next change calls again. */
  #putBack(group: Group, w: Waiter, asking: Asking, overtaken: readonly Waiter[]): void {
    if (group.called.get(w.lane) === w.passage) group.called.delete(w.lane)
    const passed = new Set(overtaken.map((o) => o.passage))
    const others = group.waiting.map((o) => (passed.has(o.passage) ? { ...o, overtaken: o.overtaken - 1 } : o))
    group.waiting = [...others, w]
    this.#asking.set(w.passage, asking)
    // It may have left meanwhile.
    this.#prune(group)
  }

  #context({ lane, direction }: Passage) {
    const { zone, clock, clockQuality } = this.#o
    return { lane, direction, zone, clock: clockQuality(), at: clock.now() }
  }

  async #record(entries: readonly EventEntry[]): Promise<boolean> {
    try {
      await this.#o.record(entries)
      return true
    } catch (error) {
      this.#o.log.error({ err: messageOf(error) }, 'whose turn it is was not recorded')
      return false
    }
  }
}
