import { describe, expect, it } from 'vitest'
import { explain } from '../../../gateway/lane/step.ts'
import { Bench } from './bench.ts'

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
