/**
 * The shell around one lane's pure core: brings it what happens, does what it says, and writes both down. It decides
 * nothing about motion itself; it only adds reasons not to move.
 */
import type { Entry, InputEntry } from '../journal/journal.ts'
import { messageOf } from '../kernel/errors.ts'
import {
  type Answer,
  type Aspect,
  type BarrierPosition,
  type Direction,
  type LaneAction,
  type LaneInput,
  type LaneSettings,
  type SensorRole,
  type TimerName,
  type Tri,
  UNFINISHED,
} from '../lane/model.ts'
import { awaitsTurn, initial, type LaneState, reloadable, step } from '../lane/step.ts'
import { decideDurably } from './decider.ts'
import type { Findings } from './identifier.ts'
import { alarmEvent, type EventContext, eventOf } from './lane-events.ts'
import type { LanePolicy, LaneRunnerOptions } from './lane-options.ts'
import { LightKeeper } from './light.ts'
import { newPassage, type Passage } from './passage.ts'
import { type CommandAnswer, type LaneCommand, PendingCommands, refusal } from './pending-commands.ts'
import { NamedTimers } from './timers.ts'

/** The rules are asked at the latest at this share of the identify time-out, so that they, not the time-out, give the reasons. */
const ASK_AT = 0.8

export class LaneRunner {
  readonly id: string
  readonly #o: LaneRunnerOptions
  #state: LaneState
  #policy: LanePolicy
  #nextPolicy: LanePolicy | null = null
  readonly #inputs: LaneInput[] = []
  #stepping = false
  readonly #timers: NamedTimers<TimerName>
  readonly #passages = new Map<number, Passage>()
  readonly #commands = new PendingCommands()
  readonly #alarms = new Set<string>()
  readonly #lamp: LightKeeper
  #fault: string | null = null
  #stopped = false
  #held = false

  constructor(options: LaneRunnerOptions) {
    this.id = options.id
    this.#o = options
    this.#state = initial(options.settings)
    this.#policy = options.policy
    this.#lamp = new LightKeeper(options.signal, options.clock)
    this.#timers = new NamedTimers(options.clock, (timer) => this.#dispatch({ kind: 'timer', at: options.clock.mono(), timer }))
  }

  get state(): LaneState {
    return this.#state
  }
  get direction(): Direction {
    return this.#state.direction
  }
  get settings(): LaneSettings {
    return this.#o.settings
  }
  get policy(): LanePolicy {
    return this.#policy
  }
  get alarms(): readonly string[] {
    return [...this.#alarms]
  }
  get light(): Aspect | null {
    return this.#lamp.wanted
  }
  /** Why the lane is in fault. */
  get fault(): string | null {
    return this.#fault
  }
  /** The vehicle in the lane, or null. */
  get passage(): Passage | null {
    const { vehicle } = this.#state
    return vehicle === null ? null : (this.#passages.get(vehicle.no) ?? null)
  }

  /** Exchanges rules, times and traffic as soon as no vehicle is in the lane and nothing moves; at once when that is now. */
  exchange(policy: LanePolicy): void {
    this.#nextPolicy = policy
    this.#adopt()
  }

  #adopt(): void {
    if (!this.#nextPolicy || !reloadable(this.#state)) return
    this.#policy = this.#nextPolicy
    this.#nextPolicy = null
    this.#o.log.info({ lane: this.id, rules: this.#policy.rules.hash }, 'new settings in force')
  }

  /** True while a vehicle that was let in is not through yet, or the arm moves. */
  get busy(): boolean {
    const { phase, motion } = this.#state
    return motion || phase === 'opening' || phase === 'passing' || phase === 'clearing' || phase === 'closing'
  }

  /** No more decisions: who arrives now waits for the next start of the program. */
  hold(): void {
    this.#held = true
  }

  /** First input: what the journal knows from before. Nothing moves by it. */
  start(before: { unfinished: Passage | null; opened: boolean; closed: boolean; direction: Direction }): void {
    if (before.unfinished) this.#passages.set(UNFINISHED, before.unfinished)
    void this.#record([this.#entry({ kind: 'settings', settings: this.#o.settings }, [])])
    const { opened, closed, direction } = before
    this.#dispatch({ kind: 'start', at: this.#o.clock.mono(), unfinished: before.unfinished !== null, opened, closed, direction })
  }

  sensor(role: SensorRole, value: Tri, at: number): void {
    this.#dispatch({ kind: 'sensor', at, role, value })
  }

  barrier(position: BarrierPosition, at: number): void {
    const live = this.passage
    if (position === 'open' && live && this.#state.phase === 'opening') live.opened ??= this.#stamp()
    this.#dispatch({ kind: 'barrier', at, position })
  }

  plan(closed: boolean, direction: Direction): void {
    this.#dispatch({ kind: 'plan', at: this.#o.clock.mono(), closed, direction })
  }

  /** An officer's or the centre's command; who and why must be durable already. Settles when the core has answered. */
  command(c: LaneCommand): Promise<CommandAnswer> {
    if (this.#stopped) return Promise.resolve({ ok: false, error: 'the gateway is stopping' })
    const answer = this.#commands.add(c)
    const live = this.passage
    const { lists, clock, inhibited } = this.#o
    const why = refusal(c, this.id, live, { lists, now: clock.now(), inhibited: inhibited() })
    if (why !== null) this.#reject(c, why)
    else if (c.do === 'set-direction' && c.direction && this.#o.mayTurn) {
      // The core is asked last: by then somebody may have come.
      void this.#o.mayTurn(c.direction).then((not) => (not === null ? this.#give(c, live) : this.#reject(c, not)))
    } else this.#give(c, live)
    return answer
  }

  #reject(c: LaneCommand, why: string): void {
    const entries: Entry[] = []
    this.#note({ type: 'command-rejected', id: c.id, why }, entries)
    void this.#record(entries)
  }

  #give(c: LaneCommand, live: Passage | null): void {
    this.#dispatch({
      kind: 'command',
      at: this.#o.clock.mono(),
      id: c.id,
      do: c.do,
      by: c.by,
      expired: c.expired,
      ...(live && c.passage !== undefined ? { passage: live.no } : {}),
      ...(c.direction ? { direction: c.direction } : {}),
    })
  }

  /** Stops timers and pictures. Outputs stay as they are: stopping moves nothing. */
  stop(): void {
    this.#stopped = true
    this.#timers.stop()
    this.#lamp.stop()
    this.#o.identifier.stop()
    this.#commands.answerAll('the gateway is stopping')
  }

  #stamp() {
    return { at: this.#o.clock.now(), mono: this.#o.clock.mono() }
  }

  #context(): EventContext {
    return { lane: this.id, direction: this.#state.direction, zone: this.#o.zone, clock: this.#o.clockQuality(), at: this.#o.clock.now() }
  }

  #entry(body: unknown, actions: readonly unknown[], passage?: string): InputEntry {
    return { kind: 'input', lane: this.id, ...(passage === undefined ? {} : { passage }), at: this.#o.clock.now(), body, actions }
  }

  #record(entries: readonly Entry[]): Promise<unknown> {
    return this.#o.recorder.record(entries).catch((error: unknown) => {
      this.#o.log.error({ lane: this.id, err: messageOf(error) }, 'not recorded')
      return null
    })
  }

  /** One input at a time, in order, also when an action brings the next one at once. */
  #dispatch(input: LaneInput): void {
    if (this.#stopped) return
    this.#inputs.push(input)
    if (this.#stepping) return
    this.#stepping = true
    try {
      for (let next = this.#inputs.shift(); next; next = this.#inputs.shift())
        try {
          this.#step(next)
        } catch (error) {
          // A fault of the program: said loudly, and the inputs behind it still count.
          this.#o.log.error({ lane: this.id, input: next.kind, err: messageOf(error) }, 'a step of the lane failed')
        }
    } finally {
      this.#stepping = false
    }
    this.#adopt()
    this.#o.onChange(this)
  }

  #step(input: LaneInput): void {
    const before = this.#state
    const [after, actions] = step(before, input, this.#o.settings)
    this.#state = after
    const owner = before.vehicle === null ? undefined : this.#passages.get(before.vehicle.no)?.id
    for (const a of actions)
      if (a.do === 'record' && a.event.type === 'arrived' && !this.#passages.has(a.event.passage))
        this.#passages.set(a.event.passage, newPassage(a.event.passage, this.id, this.#state.direction, this.#stamp()))
    const arrived = after.vehicle !== null && after.vehicle.no !== before.vehicle?.no ? this.#passages.get(after.vehicle.no)?.id : undefined
    const entries: Entry[] = []
    // A replay of one passage begins at its checkpoint: the state before its first input, or after the input that ended the one before.
    if (arrived && owner === undefined)
      entries.push(this.#entry({ kind: 'checkpoint', state: before, settings: this.#o.settings }, [], arrived))
    entries.push(this.#entry(input, actions, owner ?? arrived))
    if (arrived && owner !== undefined)
      entries.push(this.#entry({ kind: 'checkpoint', state: after, settings: this.#o.settings }, [], arrived))
    for (const a of actions) if (a.do === 'record') this.#note(a.event, entries)
    void this.#record(entries)
    for (const a of actions) this.#act(a, input)
  }

  #note(e: Extract<LaneAction, { do: 'record' }>['event'], entries: Entry[]): void {
    const ends = e.type === 'cleared' || e.type === 'aborted' || e.type === 'refused' || e.type === 'redirected'
    const live = 'passage' in e && e.passage !== undefined ? this.#passages.get(e.passage) : undefined
    if (ends && live) live.ended = this.#stamp()
    if (e.type === 'alarm-raised') this.#alarms.add(e.alarm)
    if (e.type === 'alarm-cleared') this.#alarms.delete(e.alarm)
    if (e.type === 'fault') this.#fault = e.why
    if (e.type === 'recovered') this.#fault = null
    const event = eventOf(
      this.#context(),
      e,
      (no) => this.#passages.get(no),
      (id) => this.#commands.note(id),
    )
    if (event) entries.push(event)
    if (live && event?.type.startsWith('luong.passage.')) this.#o.onPassage?.(event.type, live)
    if (e.type === 'command-accepted') {
      const opener = this.#commands.note(e.id)
      if (opener?.do === 'open' && this.passage) this.passage.by = opener.by
      this.#commands.answer(e.id, null)
    } else if (e.type === 'command-rejected') this.#commands.answer(e.id, e.why)
    if (ends && live) {
      this.#o.log.info({ lane: this.id, passage: live.id, outcome: e.type, rule: live.decision?.rule }, 'passage ended')
      this.#forget(live, entries)
    }
  }

  #forget(p: Passage, entries: Entry[]): void {
    this.#passages.delete(p.no)
    if (p.decision?.alarm && this.#alarms.delete(p.decision.alarm))
      entries.push(alarmEvent(this.#context(), 'cleared', p.decision.alarm, { passage: p }))
  }

  #act(a: LaneAction, input: LaneInput): void {
    const deadline = this.#o.clock.mono() + this.#policy.ttlMs
    switch (a.do) {
      case 'open':
        this.#command(
          'open',
          this.#o.barrier.open({ deadline, guard: () => this.#state.phase === 'opening' && this.#state.vehicle?.no === a.passage }),
        )
        break
      case 'reopen':
        this.#command('open', this.#o.barrier.open({ deadline }))
        break
      case 'close':
        this.#command('close', this.#o.barrier.close({ deadline, guard: () => this.#state.phase === 'closing' }))
        break
      case 'stop':
        if (this.#o.barrier.stop) this.#command('stop', this.#o.barrier.stop({ deadline }))
        break
      case 'signal':
        this.#lamp.show(a.aspect, this.#policy.ttlMs)
        break
      case 'identify':
        this.#identify(a.passage)
        break
      case 'release':
        this.#o.identifier.end()
        break
      case 'start-timer':
        this.#timers.start(a.timer, this.#policy.timings[a.timer])
        break
      case 'cancel-timer':
        this.#timers.cancel(a.timer)
        break
      case 'record':
        break
      default:
        a satisfies never
        this.#o.log.error({ lane: this.id, action: a, input }, 'the lane core asked for something unknown')
    }
  }

  #command(action: 'open' | 'close' | 'stop', work: Promise<void>): void {
    // Not tracked: a command waits its turn on the bus by this very clock, which would then stand still for it.
    work.catch((error: unknown) => {
      const why = messageOf(error)
      this.#o.log.warn({ lane: this.id, action, err: why }, 'a barrier command was not carried out')
      this.#dispatch({ kind: 'failed', at: this.#o.clock.mono(), action, why })
    })
  }

  #identify(no: number): void {
    this.#o.identifier.begin(this.#policy.timings.identify * ASK_AT, (findings) => {
      const p = this.#passages.get(no)
      if (!p || p.decided || this.#stopped || this.#held) return
      this.#decide(p, findings).catch((error: unknown) => {
        this.#o.log.error(
          { lane: this.id, passage: p.id, err: messageOf(error) },
          'no decision could be made: the vehicle will be referred',
        )
      })
    })
  }

  /** Asks the rules; the decision goes into the core only when it is durable. */
  async #decide(p: Passage, findings: Findings): Promise<void> {
    const { decision, review } = await decideDurably(p, {
      ...this.#o,
      findings,
      lane: { ...this.#policy.facts, direction: this.direction },
      rules: this.#policy.rules,
      age: this.#o.freshness,
      context: () => this.#context(),
      alarms: this.#alarms,
    })
    const answer = (outcome: Answer) => this.#dispatch({ kind: 'decision', at: this.#o.clock.mono(), passage: p.no, outcome })
    // In one go with the answer: what is withdrawn, or listed, from then on comes too late for this vehicle.
    const go = () => {
      if (this.#held || !this.#awaited(p)) return
      const refer = review()
      if (refer) void this.#changed(p, refer()).then(() => answer('refer'))
      else answer(decision.outcome)
    }
    if (decision.outcome === 'pass' && this.#awaited(p) && this.#o.turns?.ask(p, go) === 'wait') answer('wait')
    else go()
  }

  /** The core waits for an answer about this vehicle. */
  #awaited(p: Passage): boolean {
    return this.#state.vehicle?.no === p.no && (this.#state.phase === 'identifying' || awaitsTurn(this.#state))
  }

  /** Declarations or lists are not any more what the vehicle was let pass on. */
  async #changed(p: Passage, recorded: Promise<void>): Promise<void> {
    try {
      await recorded
      this.#o.log.info(
        { lane: this.id, passage: p.id, rule: p.decision?.rule },
        'declarations or lists have changed: the vehicle is referred',
      )
    } catch (error) {
      this.#o.log.error({ lane: this.id, passage: p.id, err: messageOf(error) }, 'not recorded')
    }
  }
}
