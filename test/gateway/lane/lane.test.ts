import { describe, expect, it } from 'vitest'
import { explain, reloadable } from '../../../gateway/lane/step.ts'
import { Bench, FULL } from './bench.ts'

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
