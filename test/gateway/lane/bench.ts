/** The lane core under test, for tests that tell a story step by step. */
import { expect } from 'vitest'
import type {
  Answer,
  BarrierPosition,
  CommandDo,
  LaneInput,
  LaneSettings,
  SensorRole,
  TimerName,
  Tri,
} from '../../../gateway/lane/model.ts'
import { initial, type LaneState, step } from '../../../gateway/lane/step.ts'

export const FULL: LaneSettings = { approach: true, curtain: true, exit: true, limits: true, idleAspect: 'green' }

/** A lane under test: feeds inputs and keeps what was done, in words. */
export class Bench {
  state: LaneState
  readonly settings: LaneSettings
  #done: string[] = []
  #id = 0
  constructor(settings: LaneSettings = FULL) {
    this.settings = settings
    this.state = initial(settings)
  }
  give(input: LaneInput): this {
    const [next, actions] = step(this.state, input, this.settings)
    this.state = next
    for (const a of actions) {
      if (a.do === 'start-timer' || a.do === 'cancel-timer') continue
      if (a.do === 'signal') this.#done.push(a.aspect)
      else if (a.do !== 'record') this.#done.push('passage' in a ? `${a.do} ${a.passage}` : a.do)
      else {
        const { event } = a
        const of = 'passage' in event && event.passage !== undefined ? ` ${event.passage}` : ''
        const what = 'alarm' in event ? ` ${event.alarm}` : ''
        this.#done.push(`${event.type}${what}${of}`)
      }
    }
    return this
  }
  sensor = (role: SensorRole, value: Tri): this => this.give({ kind: 'sensor', at: 0, role, value })
  arm = (position: BarrierPosition): this => this.give({ kind: 'barrier', at: 0, position })
  timer = (timer: TimerName): this => {
    expect(this.state.timers, `${timer} runs in ${this.state.phase}`).toContain(timer)
    return this.give({ kind: 'timer', at: 0, timer })
  }
  decide = (passage: number, outcome: Answer): this => this.give({ kind: 'decision', at: 0, passage, outcome })
  command = (what: CommandDo, more: Partial<Extract<LaneInput, { kind: 'command' }>> = {}): this =>
    this.give({ kind: 'command', at: 0, id: `c${++this.#id}`, do: what, by: 'An', expired: false, ...more })
  start = (more: Partial<Extract<LaneInput, { kind: 'start' }>> = {}): this =>
    this.give({ kind: 'start', at: 0, unfinished: false, closed: false, direction: 'import', ...more })
  sensors = (values: Partial<Record<SensorRole, Tri>> = {}): this => {
    for (const role of ['approach', 'curtain', 'exit', 'presence'] as const) this.sensor(role, values[role] ?? false)
    return this
  }
  /** What was done since the last time it was asked. */
  done(): string[] {
    return this.#done.splice(0)
  }
  idle(): this {
    this.start().sensors().arm('closed')
    if (this.settings.exit) this.timer('gap')
    expect(this.state.phase).toBe('idle')
    this.done()
    return this
  }
  /** A vehicle comes, may pass, and the arm is open for it. */
  open(no = 1): this {
    this.sensor('approach', true).decide(no, 'pass').arm('moving').arm('open')
    expect(this.state.phase).toBe('passing')
    return this
  }
  /** The vehicle drives from the stop line through the exit; the gap time is not over. */
  through(): this {
    this.sensor('presence', true).sensor('curtain', true).sensor('approach', false).sensor('exit', true)
    return this.sensor('curtain', false).sensor('presence', false)
  }
  closed(): this {
    return this.timer('gap').timer('dwell').arm('moving').arm('closed')
  }
}
