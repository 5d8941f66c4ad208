import { describe, expect, it } from 'vitest'
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
import { explain, initial, type LaneState, reloadable, step } from '../../../gateway/lane/step.ts'

const FULL: LaneSettings = { approach: true, curtain: true, exit: true, limits: true, idleAspect: 'green' }

/** A lane under test: feeds inputs and keeps what was done, in words. */
class Bench {
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

describe('an ordinary passage', () => {
  it('goes from arrival to cleared, with the signal green only until it drives in', () => {
    const lane = new Bench().idle()
    expect(lane.sensor('approach', true).done()).toEqual(['arrived 1', 'identify 1', 'red'])
    expect(lane.decide(1, 'pass').done()).toEqual(['open 1'])
    expect(lane.arm('moving').arm('open').done()).toEqual(['green'])
    expect(lane.sensor('presence', true).done()).toEqual(['red'])
    expect(lane.sensor('curtain', true).sensor('approach', false).sensor('exit', true).sensor('curtain', false).done()).toEqual([])
    expect(lane.sensor('presence', false).timer('gap').done()).toEqual(['cleared 1', 'release 1'])
    expect(lane.timer('dwell').done()).toEqual(['close'])
    expect(lane.arm('moving').arm('closed').done()).toEqual(['green'])
    expect(lane.state.phase).toBe('idle')
    expect(reloadable(lane.state)).toBe(true)
  })

  it('takes the gap between tractor and trailer for the same vehicle', () => {
    const lane = new Bench({ ...FULL, curtain: false }).idle().open()
    lane.sensor('presence', true).sensor('exit', true).sensor('presence', false)
    expect(lane.state.timers).toContain('gap')
    lane.sensor('presence', true)
    expect(lane.state.timers).not.toContain('gap')
    expect(lane.sensor('presence', false).timer('gap').done()).toContain('cleared 1')
  })

  it('opens for nobody but the vehicle that was asked for, while it is asked for', () => {
    const lane = new Bench().idle()
    lane.decide(1, 'pass').sensor('approach', true).decide(2, 'pass').decide(0, 'pass')
    expect(lane.done()).not.toContain('open 1')
    lane.sensor('approach', false).timer('gap')
    expect(lane.done()).toContain('aborted 1')
    expect(lane.decide(1, 'pass').done()).toEqual([])
  })

  it('gives the next vehicle at the stop line its own passage, after the arm is down', () => {
    const lane = new Bench().idle().open().through().sensor('approach', true)
    lane.done()
    expect(lane.closed().done()).toEqual(['cleared 1', 'release 1', 'close', 'arrived 2', 'identify 2'])
  })

  it('shows the officer who does not decide: refer after the time is up, never open', () => {
    const lane = new Bench().idle().sensor('approach', true)
    lane.done()
    expect(lane.timer('identify').done()).toEqual(['release 1', 'referred 1'])
    expect(lane.decide(1, 'pass').done()).toEqual([])
    expect(explain(lane.state)).toEqual({ phase: 'waiting', waitingFor: 'an officer, or the vehicle to back out (referred)' })
  })

  it.each([
    ['refuse', 'refused 1'],
    ['redirect', 'redirected 1'],
    ['refer', 'aborted 1'],
  ] as const)('ends %s when the vehicle has left', (outcome, end) => {
    const lane = new Bench().idle().sensor('approach', true).decide(1, outcome)
    lane.done()
    expect(lane.sensor('approach', false).timer('gap').done()).toEqual([end, 'release 1', 'green'])
  })
})

describe('what goes wrong on the road', () => {
  it('a tailgater gets its own number, an alarm, no authorisation, and the arm stays open for it', () => {
    const lane = new Bench().idle().open().through()
    lane.done()
    // Seen by the curtain within the gap time.
    expect(lane.sensor('presence', true).sensor('curtain', true).done()).toEqual([
      'cleared 1',
      'release 1',
      'arrived 2',
      'referred 2',
      'alarm-raised tailgating 2',
    ])
    expect(lane.state.phase).toBe('clearing')
    expect(lane.state.timers).not.toContain('dwell')
    lane.sensor('exit', false).sensor('exit', true).sensor('curtain', false).sensor('presence', false)
    expect(lane.closed().done()).toEqual(['aborted 2', 'release 2', 'alarm-cleared tailgating', 'close', 'green'])
  })

  it('a vehicle under the closing arm reopens it at once, and so does an unknown sensor', () => {
    for (const [role, value] of [
      ['presence', true],
      ['curtain', true],
      ['presence', null],
      ['curtain', null],
    ] as const) {
      const lane = new Bench().idle().open().through().timer('gap').timer('dwell').arm('moving')
      lane.done()
      expect(lane.sensor(role, value).done()[0]).toBe('reopen')
      expect(lane.state.phase).toBe('clearing')
    }
  })

  it('a second tailgater within the gap time is counted, though the exit loop had no edge for the first', () => {
    const lane = new Bench().idle().open().through().sensor('presence', true).sensor('curtain', true)
    // The first tailgater reaches the exit loop before the truck ahead has left it.
    lane.sensor('curtain', false).sensor('presence', false).sensor('exit', false).sensor('presence', true)
    lane.done()
    expect(lane.sensor('curtain', true).done()).toContain('alarm-raised tailgating 3')
  })

  it('backing out from under the arm voids the authorisation', () => {
    const lane = new Bench().idle().open().sensor('presence', true).sensor('curtain', true).sensor('curtain', false)
    lane.sensor('presence', false).done()
    expect(lane.closed().done()).toEqual(['aborted 1', 'release 1', 'close', 'arrived 2', 'identify 2'])
  })

  it('leaving the stop line before driving in voids it too, and nobody inherits it', () => {
    const lane = new Bench().idle().open().sensor('approach', false)
    lane.timer('gap')
    expect(lane.done()).toContain('aborted 1')
    expect(lane.sensor('approach', true).sensor('presence', true).done()).toContain('alarm-raised tailgating 2')
  })

  it('who waits for its turn and is out of sight for a moment does not pass: it may be another vehicle by now', () => {
    const swaps: ((lane: Bench) => unknown)[] = [
      (lane) => lane.sensor('approach', false).sensor('approach', true),
      (lane) => lane.sensor('approach', null).sensor('approach', true),
    ]
    for (const swap of swaps) {
      const lane = new Bench().idle()
      lane.sensor('approach', true).decide(1, 'wait')
      expect(explain(lane.state).waitingFor).toBe('its turn to be called')
      swap(lane)
      lane.decide(1, 'pass')
      expect(lane.done()).toContain('referred 1')
      expect(lane.state).toMatchObject({ phase: 'waiting', want: 'closed' })
    }
    const lane = new Bench().idle()
    expect(lane.sensor('approach', true).decide(1, 'wait').decide(1, 'pass').done()).toContain('open 1')
  })

  it('an authorisation that is not used lapses', () => {
    const lane = new Bench().idle().open()
    lane.done()
    expect(lane.timer('authorised').done()).toEqual(['referred 1', 'red'])
    expect(lane.timer('dwell').arm('moving').arm('closed').done()).toEqual(['close'])
    expect(lane.state.phase).toBe('waiting')
  })

  it('the wrong way: alarm, red, no passage and no opening, until it is gone', () => {
    const lane = new Bench().idle()
    expect(lane.sensor('exit', true).done()).toEqual(['red', 'alarm-raised wrong-way'])
    lane.sensor('approach', true).command('open')
    expect(lane.done()).toEqual(['command-rejected'])
    expect(lane.sensor('exit', false).timer('gap').done()).toEqual(['arrived 1', 'identify 1', 'alarm-cleared wrong-way'])
  })

  it('presence before approach is the wrong way too', () => {
    expect(new Bench().idle().sensor('presence', true).done()).toContain('alarm-raised wrong-way')
  })

  it('a trailer leaving over the exit loop is not a vehicle from the wrong side', () => {
    const lane = new Bench().idle().open().through().closed()
    lane.done()
    lane.sensor('exit', false).sensor('exit', true).sensor('exit', false)
    expect(lane.timer('gap').done()).toEqual([])
    expect(lane.sensor('exit', true).done()).toContain('alarm-raised wrong-way')
  })

  it('an abandoned vehicle is an alarm until it goes', () => {
    const lane = new Bench().idle().sensor('approach', true).decide(1, 'refer')
    expect(lane.timer('abandoned').done()).toContain('alarm-raised abandoned-vehicle 1')
    expect(lane.sensor('approach', false).timer('gap').done()).toContain('alarm-cleared abandoned-vehicle')
  })
})

describe('the arm', () => {
  it('that does not open is stopped: fault, alarm; an officer closes and the lane recovers', () => {
    const lane = new Bench().idle().sensor('approach', true).decide(1, 'pass').arm('moving')
    lane.done()
    expect(lane.timer('arm-open').done()).toEqual(['stop', 'referred 1', 'fault', 'alarm-raised stuck-arm 1'])
    expect(lane.command('open').done()).toEqual(['command-rejected'])
    expect(lane.command('close').done()).toEqual(['command-accepted', 'close'])
    expect(lane.arm('closed').done()).toEqual(['recovered', 'alarm-cleared stuck-arm'])
    expect(lane.state.phase).toBe('waiting')
  })

  it('that is forced open is a fault until it is down again', () => {
    const lane = new Bench().idle()
    expect(lane.arm('moving').done()).toEqual(['fault', 'red', 'alarm-raised forced-arm'])
    expect(lane.arm('open').done()).toEqual([])
    expect(lane.arm('moving').arm('closed').done()).toEqual(['recovered', 'green', 'alarm-cleared forced-arm'])
  })

  it('whose open command fails is tried again a limited number of times', () => {
    const lane = new Bench().idle().sensor('approach', true).decide(1, 'pass')
    lane.done()
    const fail = { kind: 'failed', at: 0, action: 'open', why: 'link down' } as const
    expect(lane.give(fail).timer('retry').done()).toEqual(['open 1'])
    expect(lane.give(fail).timer('retry').done()).toEqual(['open 1'])
    expect(lane.give(fail).done()).toEqual(['referred 1', 'fault', 'alarm-raised command-failed 1'])
  })

  it('is not opened again for a vehicle whose authorisation was taken back meanwhile', () => {
    const lane = new Bench().idle().sensor('approach', true).decide(1, 'pass')
    lane.give({ kind: 'failed', at: 0, action: 'open', why: 'link down' }).done()
    expect(lane.command('hold').done()).toEqual(['command-accepted', 'referred 1'])
    expect(lane.state).toMatchObject({ phase: 'waiting', motion: false, paused: false })
  })

  it('turned round by its own safety circuit is tried again after the dwell, then it is a fault', () => {
    const lane = new Bench().idle().open().through().timer('gap')
    lane.done()
    for (let n = 0; n < 2; n++) expect(lane.timer('dwell').arm('moving').arm('open').done()).toEqual(['close'])
    expect(lane.timer('dwell').arm('moving').arm('open').done()).toEqual(['close', 'fault', 'alarm-raised stuck-arm'])
  })

  it('never closes while presence or curtain is on or unknown', () => {
    for (const value of [true, null]) {
      for (const role of ['presence', 'curtain'] as const) {
        const lane = new Bench().idle().open().through().timer('gap').sensor(role, value)
        expect(lane.state.timers).not.toContain('dwell')
        lane.done()
        expect(lane.command('close').done()).toEqual(['command-rejected'])
      }
    }
  })
})

describe('start', () => {
  it('moves nothing, whatever is found', () => {
    for (const arm of ['open', 'closed', 'moving', 'unknown'] as const) {
      for (const presence of [true, false]) {
        const lane = new Bench().start({ unfinished: true, opened: true }).arm(arm).sensors({ presence })
        expect(lane.done().filter((x) => /^(open|close|reopen|stop)( |$)/.test(x))).toEqual([])
      }
    }
  })

  it('a truck under the open arm: the arm stays, the truck is accounted to its passage, then the arm closes', () => {
    const lane = new Bench().start({ unfinished: true, opened: true }).arm('open').sensors({ presence: true, curtain: true })
    expect(lane.state.phase).toBe('passing')
    expect(lane.done()).toEqual(['red', 'alarm-raised vehicle-under-arm 0'])
    lane.sensor('exit', true).sensor('curtain', false).sensor('presence', false)
    expect(lane.closed().done()).toEqual(['cleared 0', 'release 0', 'alarm-cleared vehicle-under-arm', 'close', 'green'])
  })

  it('a truck under the open arm of which nothing is known is a passage without authorisation', () => {
    const lane = new Bench().start({ unfinished: true }).arm('open').sensors({ presence: true })
    expect(lane.done()).toEqual(['red', 'aborted 0', 'arrived 1', 'referred 1', 'alarm-raised vehicle-under-arm 1'])
    expect(lane.state.phase).toBe('clearing')
  })

  it('a truck at the closed arm waits for an officer', () => {
    const lane = new Bench().start().arm('closed').sensors({ presence: true })
    expect(lane.state.phase).toBe('waiting')
    lane.done()
    expect(lane.command('open').done()).toEqual(['command-accepted', 'open 1'])
  })

  it('an open arm and nobody there: alarm, and it closes only by command', () => {
    const lane = new Bench().start({ unfinished: true }).arm('open').sensors()
    expect(lane.done()).toEqual(['red', 'aborted 0', 'fault', 'alarm-raised forced-arm'])
    expect(lane.state.timers).toEqual([])
    expect(lane.command('close').done()).toEqual(['command-accepted', 'close'])
  })

  it('says so when a device does not answer', () => {
    const lane = new Bench().start().arm('closed').sensor('presence', false)
    lane.done()
    expect(lane.timer('identify').done()).toEqual(['alarm-raised sensor-unknown'])
    expect(explain(lane.state).waitingFor).toBe('the sensors approach, curtain, exit to report')
  })

  it('stays out of service when it was', () => {
    const lane = new Bench().start({ closed: true }).arm('closed').sensors()
    expect(lane.state.phase).toBe('closed')
    expect(lane.command('open-lane').done()).toEqual(expect.arrayContaining(['command-accepted', 'opened', 'green']))
  })
})

describe('commands', () => {
  it('are answered once, expired and repeated ones with a rejection', () => {
    const lane = new Bench().idle()
    expect(lane.command('open', { expired: true }).done()).toEqual(['command-rejected'])
    expect(lane.command('close-lane', { id: 'x' }).done()).toContain('command-accepted')
    expect(lane.command('open-lane', { id: 'x' }).done()).toEqual(['command-rejected'])
    expect(lane.state.phase).toBe('closed')
  })

  it('open with nobody seen is for the next vehicle, and lapses', () => {
    const lane = new Bench().idle()
    expect(lane.command('open').done()).toEqual(['command-accepted', 'arrived 1', 'open 1', 'red'])
    lane.arm('moving').arm('open').done()
    expect(lane.timer('authorised').done()).toEqual(['aborted 1', 'release 1', 'red'])
  })

  it('open for a vehicle that is gone is rejected', () => {
    const lane = new Bench().idle().sensor('approach', true).decide(1, 'refer')
    lane.done()
    expect(lane.command('open', { passage: 7 }).done()).toEqual(['command-rejected'])
    expect(lane.command('open', { passage: 1 }).done()).toEqual(['command-accepted', 'open 1'])
  })

  it('nothing opens while a sensor is unknown', () => {
    const lane = new Bench().idle().sensor('approach', true).sensor('exit', null)
    expect(lane.decide(1, 'pass').done()).toContain('referred 1')
    expect(lane.command('open').done()).toEqual(['command-rejected'])
    expect(lane.sensor('exit', false).done()).toEqual(['alarm-cleared sensor-unknown'])
    expect(lane.command('open').done()).toContain('open 1')
  })

  it('close-lane waits until the lane is empty, then nobody is let in', () => {
    const lane = new Bench().idle().open()
    lane.done()
    expect(lane.command('close-lane').done()).toEqual(['command-accepted'])
    expect(lane.through().sensor('approach', true).closed().done()).toContain('closed')
    expect(lane.state).toMatchObject({ phase: 'closed', vehicle: null })
  })

  it('the direction changes only in an empty lane', () => {
    const lane = new Bench().idle().sensor('approach', true)
    lane.done()
    expect(lane.command('set-direction', { direction: 'export' }).done()).toEqual(['command-rejected'])
    lane.sensor('approach', false).timer('gap').done()
    expect(lane.command('set-direction', { direction: 'export' }).done()).toEqual(['command-accepted'])
    expect(lane.state.direction).toBe('export')
    lane.give({ kind: 'plan', at: 0, closed: false, direction: 'import' })
    expect(lane.state.direction).toBe('import')
  })

  it('hold keeps an authorised vehicle that has not driven in', () => {
    const lane = new Bench().idle().open()
    lane.done()
    expect(lane.command('hold').done()).toEqual(['command-accepted', 'referred 1', 'red'])
    expect(lane.timer('dwell').done()).toEqual(['close'])
  })
})

it('the state is frozen plain data that survives JSON', () => {
  const lane = new Bench().idle().open().sensor('presence', true)
  expect(JSON.parse(JSON.stringify(lane.state))).toEqual(lane.state)
  for (const part of [lane.state, lane.state.vehicle, lane.state.sensors, lane.state.plan, lane.state.timers, lane.state.alarms]) {
    expect(Object.isFrozen(part)).toBe(true)
  }
})
