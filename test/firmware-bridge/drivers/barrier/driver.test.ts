import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { settings } from '../../../../firmware-bridge/drivers/barrier/schema.ts'
import { makeRig, outcome, type Rig } from '../../../contract/rig.ts'
import { BOARD, barrierSettings, HOLD, withoutGaps } from '../rigs.ts'
import { make, rigs } from './make.ts'

/** Gives the bus something to wait for, so that what comes next has to queue. */
const busy = (rig: Rig) => {
  rig.sims.get('io').fault!('late')
  rig.devices
    .output('io.do8')
    .set(false, { deadline: rig.clock.mono() + 1_000 })
    .catch(() => {})
}
/** Write requests on the wire for the barrier's own relays. */
const writes = (rig: Rig) => rig.sent.filter((frame) => /^bus 01(05|06|0f|10)/.test(frame) && !frame.startsWith('bus 01050007'))

describe('on a board whose points are inverted', () => {
  test('normally closed limit switches tell where the arm is', async () => {
    const { rig, barrier, positions, run, arm } = await make({}, { invert: ['di1', 'di2'] })
    expect(rig.sims.get('io').terminals!.output('do1')).toBe(false)
    expect(await run('open')).toBe('ok')
    await rig.clock.advance(6_000)
    expect(arm.opening).toBe(1)
    expect(await run('close')).toBe('ok')
    await rig.clock.advance(6_000)
    expect(arm.opening).toBe(0)
    expect(positions).toEqual(['closed', 'moving', 'open', 'moving', 'closed'])
    expect(barrier.position()).toBe('closed')
    expect(rig.device.health().state).toBe('ok')
  })

  test('a held barrier on the normally closed side of its relay goes up without power, and down when it is energised', async () => {
    const { rig, barrier, run, relay, arm } = await make(HOLD, { invert: ['do1'] })
    await rig.clock.advance(6_000)
    expect([relay('do1'), arm.opening, barrier.position()]).toEqual([false, 1, 'open'])
    expect(await run('close')).toBe('ok')
    await rig.clock.advance(6_000)
    expect([relay('do1'), arm.opening, barrier.position()]).toEqual([true, 0, 'closed'])
    expect(await run('open')).toBe('ok')
    await rig.clock.advance(6_000)
    expect([relay('do1'), arm.opening, barrier.position()]).toEqual([false, 1, 'open'])
  })
})

describe('pulse kind', () => {
  test('open and close: pulses of the board itself, limits followed', async () => {
    const { rig, barrier, positions, run, arm } = await make()
    expect(barrier.position()).toBe('closed')
    expect(await run('open')).toBe('ok')
    await rig.clock.advance(2_000)
    expect([barrier.position(), arm.opening > 0.3 && arm.opening < 0.7]).toEqual(['moving', true])
    await rig.clock.advance(3_000)
    expect([barrier.position(), arm.opening]).toEqual(['open', 1])
    expect(await run('close')).toBe('ok')
    await rig.clock.advance(5_000)
    expect([barrier.position(), arm.opening]).toEqual(['closed', 0])
    expect(positions).toEqual(['closed', 'moving', 'open', 'moving', 'closed'])
    // Flash relay 1 and relay 2 for 5 × 100 ms.
    expect(writes(rig).map((w) => w.slice(4, 16))).toEqual(['010502000005', '010502010005'])
  })

  test('stop stands the arm where it is', async () => {
    const { rig, barrier, run, arm } = await make()
    await run('open')
    await rig.clock.advance(1_500)
    expect(await run('stop')).toBe('ok')
    await rig.clock.advance(8_000)
    expect(arm.opening).toBeGreaterThan(0.2)
    expect(arm.opening).toBeLessThan(0.8)
    expect(barrier.position()).toBe('moving')
  })

  test('reopening at once: open goes out first, then the close pulse is cut short', async () => {
    const { rig, run, arm } = await make()
    await run('open')
    await rig.clock.advance(6_000)
    const before = writes(rig).length
    await run('close')
    await rig.clock.advance(100)
    await run('open')
    await rig.clock.advance(100)
    expect(
      writes(rig)
        .slice(before)
        .map((w) => w.slice(4, 16)),
    ).toEqual(['010502010005', '010502000005', '010500010000'])
    await rig.clock.advance(6_000)
    expect(arm.opening).toBe(1)
  })

  test('without a stop relay there is no stop', async () => {
    const { barrier } = await make({ stop: undefined })
    expect(barrier.stop).toBeUndefined()
  })
})

describe('hold kind', () => {
  test('relay on is open, relay off is closed', async () => {
    const { rig, barrier, run, relay } = await make(HOLD)
    expect(await run('open')).toBe('ok')
    await rig.clock.advance(5_000)
    expect([barrier.position(), relay('do1')]).toEqual(['open', true])
    expect(await run('close')).toBe('ok')
    await rig.clock.advance(5_000)
    expect([barrier.position(), relay('do1')]).toEqual(['closed', false])
  })

  test('stopping the gateway leaves the arm up', async () => {
    const { rig, run, relay, arm } = await make(HOLD)
    await run('open')
    await rig.clock.advance(5_000)
    expect(await outcome(rig.clock, rig.devices.stop(), 20_000)).toBe('ok')
    await rig.clock.advance(10_000)
    expect([relay('do1'), arm.opening]).toEqual([true, 1])
  })

  test('and starting it again does not move it', async () => {
    const { rig, run, relay, barrier } = await make(HOLD)
    await run('open')
    await rig.clock.advance(5_000)
    await outcome(rig.clock, rig.device.stop(), 10_000)
    rig.device.start()
    await rig.clock.advance(5_000)
    expect([relay('do1'), barrier.position()]).toEqual([true, 'open'])
  })
})

describe.each([
  ['pulse', {}],
  ['hold', HOLD],
] as const)('never close on a vehicle: %s kind', (_kind, kind) => {
  const opened = async () => {
    const made = await make(kind)
    await made.run('open')
    await made.rig.clock.advance(6_000)
    expect(made.arm.opening).toBe(1)
    return made
  }

  test.each(['di3', 'di4'])('refused while %s is on, named', async (point) => {
    const { rig, run, input, arm } = await opened()
    const before = writes(rig).length
    input(point, true)
    await rig.clock.advance(100)
    const error = await run('close')
    expect(error).toMatchObject({ code: 'DEVICE_REFUSED', message: `arm: close refused, safety input io.${point} is on` })
    await rig.clock.advance(10_000)
    expect([arm.opening, writes(rig).length]).toEqual([1, before])
    expect(rig.device.health().counters.refused).toBe(1)
  })

  test('refused while an input is unknown, named', async () => {
    const { rig, run, arm } = await opened()
    rig.sims.get('io').fault!('silent')
    await rig.clock.advance(1_000)
    const error = await run('close')
    expect(error).toMatchObject({ code: 'DEVICE_REFUSED', message: 'arm: close refused, safety input io.di3 is unknown' })
    rig.sims.get('io').fault!('none')
    await rig.clock.advance(10_000)
    expect(arm.opening).toBe(1)
  })

  test('refused at the moment of sending, when a truck drives in while the command waits for the bus', async () => {
    const loops = ['loops.di3', 'loops.di4']
    const rig = await makeRig({
      links: { bus: 'bytes', other: 'bytes' },
      devices: {
        io: BOARD,
        loops: { ...BOARD, link: 'other' },
        arm: withoutGaps({ ...barrierSettings, ...kind, inhibit: loops }),
      },
      subject: 'arm',
    })
    rigs.push(rig)
    await rig.begin()
    const { barrier } = rig.device
    expect(await outcome(rig.clock, barrier!.open({ deadline: rig.clock.mono() + 1_000 }), 5_000)).toBe('ok')
    await rig.clock.advance(6_000)
    busy(rig)
    const before = writes(rig).length
    const work = barrier!.close({ deadline: rig.clock.mono() + 5_000 })
    work.catch(() => {})
    await rig.clock.advance(50)
    rig.sims.get('loops').terminals!.setInput('di3', true)
    await rig.clock.advance(50)
    rig.sims.get('io').fault!('none')
    expect(await outcome(rig.clock, work, 10_000)).toMatchObject({
      code: 'DEVICE_REFUSED',
      message: 'arm: close refused, safety input loops.di3 is on',
    })
    await rig.clock.advance(10_000)
    expect([rig.sim.arm!.opening, writes(rig).length]).toEqual([1, before])
  })

  test('open is never inhibited', async () => {
    const { rig, run, input, arm } = await make(kind)
    input('di3', true)
    input('di4', true)
    await rig.clock.advance(100)
    expect(await run('open')).toBe('ok')
    await rig.clock.advance(6_000)
    expect(arm.opening).toBe(1)
  })

  test('a newer open takes a close that still waits out of the queue', async () => {
    const { rig, send, arm } = await opened()
    busy(rig)
    const before = writes(rig).length
    const close = send('close')
    const open = send('open')
    rig.sims.get('io').fault!('none')
    expect(await outcome(rig.clock, close, 5_000)).toMatchObject({
      code: 'DEVICE_REFUSED',
      message: expect.stringContaining('newer command'),
    })
    expect(await outcome(rig.clock, open, 5_000)).toBe('ok')
    await rig.clock.advance(10_000)
    expect(arm.opening).toBe(1)
    const closing = kind === HOLD ? 'bus 010500000000' : 'bus 01050201'
    const after = writes(rig).slice(before)
    expect(after.length).toBeGreaterThan(0)
    expect(after.filter((frame) => frame.startsWith(closing))).toEqual([])
  })

  test('stopping drops a close that still waits, and later commands', async () => {
    const { rig, send, run, arm } = await opened()
    busy(rig)
    const before = writes(rig).length
    const close = outcome(rig.clock, send('close'), 5_000)
    await outcome(rig.clock, rig.device.stop(), 5_000)
    expect(await close).toMatchObject({ code: 'DEVICE_REFUSED' })
    expect(await run('close')).toMatchObject({ code: 'STOPPED' })
    expect(await run('open')).toMatchObject({ code: 'STOPPED' })
    await rig.clock.advance(10_000)
    expect([arm.opening, writes(rig).length]).toEqual([1, before])
  })

  test('whatever loops, faults and commands do: no close leaves while a safety input is on or unknown', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('input' as const), point: fc.constantFrom('di3', 'di4'), on: fc.boolean() }),
      fc.record({ do: fc.constant('command' as const), motion: fc.constantFrom('open' as const, 'close' as const) }),
      fc.record({ do: fc.constant('fault' as const), kind: fc.constantFrom('none' as const, 'late' as const, 'silent' as const) }),
      fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 700 }) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const { rig, send, input } = await make(kind)
        const inputs = ['di3', 'di4'].map((name) => rig.devices.input(`io.${name}`))
        const closes: (boolean | null)[] = []
        // The relay's own command is the last place before the bus that can be watched from here.
        rig.lines.get('bus')!.device.onData((bytes) => {
          const frame = Buffer.from(bytes).toString('hex')
          const closing = kind === HOLD ? frame.startsWith('010500000000') : frame.startsWith('01050201')
          if (closing) for (const point of inputs) closes.push(point.read().value)
        })
        for (const s of steps) {
          if (s.do === 'input') input(s.point, s.on)
          else if (s.do === 'command') send(s.motion).catch(() => {})
          else if (s.do === 'fault') rig.sims.get('io').fault!(s.kind)
          else await rig.clock.advance(s.ms)
        }
        await rig.clock.advance(3_000)
        expect(closes.filter((value) => value !== false)).toEqual([])
        await rigs.pop()!.end()
      }),
      { numRuns: 40 },
    )
  })
})

test('an arm that jams stays moving, for the lane to see', async () => {
  const { rig, barrier, run, arm } = await make()
  await run('open')
  await rig.clock.advance(1_000)
  arm.jam(true)
  await rig.clock.advance(20_000)
  expect(barrier.position()).toBe('moving')
})

test('boards that cannot time a pulse: the gateway ends it', async () => {
  const { rig, run, relay, arm } = await make(
    { open_limit: undefined, closed_limit: undefined, inhibit: ['io.di1'] },
    { profile: 'moxa-e1214', framing: 'tcp' },
  )
  await run('open')
  expect(relay('do1')).toBe(true)
  await rig.clock.advance(700)
  expect(relay('do1')).toBe(false)
  await rig.clock.advance(5_000)
  expect(arm.opening).toBe(1)
})

test('settings: what fits and what does not', () => {
  const base = { ...barrierSettings }
  expect(settings.safeParse(base).success).toBe(true)
  expect(settings.safeParse({ ...base, kind: 'hold', close: undefined }).success).toBe(true)
  const bad: [object, RegExp][] = [
    [{ kind: 'hold' }, /leave close out/],
    [{ close: undefined }, /needs a close relay/],
    [{ close: 'io.do1' }, /different outputs/],
    [{ closed_limit: 'io.di1' }, /different inputs/],
    [{ inhibit: ['io.di1'] }, /cannot be a safety input/],
    [{ inhibit: [] }, /inhibit|Too small|>=1/],
    [{ pulse_ms: 50 }, /100/],
    [{ pulse_ms: 5_000 }, /3000/],
    [{ open: 'do1' }, /DEVICE\.POINT/],
    [{ travel: 3 }, /travel/],
  ]
  for (const [change, message] of bad) {
    const result = settings.safeParse({ ...base, ...change })
    expect(result.success ? 'accepted' : result.error.message, JSON.stringify(change)).toMatch(message)
  }
})
