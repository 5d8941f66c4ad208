import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import type { Aspect } from '../../../../firmware-bridge/driver.ts'
import { settings } from '../../../../firmware-bridge/drivers/traffic-light/schema.ts'
import { outcome, type Rig } from '../../../contract/rig.ts'
import { lightRig } from '../rigs.ts'

const rigs: Rig[] = []
const make = async (differs: Record<string, unknown> = {}) => {
  const rig = await lightRig(differs)
  rigs.push(rig)
  const board = rig.sims.get('io').terminals!
  let both = 0
  for (const lamp of ['do4', 'do5']) board.onOutput(lamp, () => board.output('do4') && board.output('do5') && both++)
  await rig.begin()
  const send = (aspect: Aspect, ms = 2_000) => rig.device.signal!.show(aspect, { deadline: rig.clock.mono() + ms })
  const show = (aspect: Aspect, ms?: number) => outcome(rig.clock, send(aspect, ms), 10_000)
  return {
    rig,
    send,
    show,
    seen: () => rig.sim.light!.aspect(),
    both: () => both,
    fault: rig.sims.get('io').fault!.bind(rig.sims.get('io')),
  }
}
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.end()
})

test('shows what it is told, one lamp at a time', async () => {
  const { show, seen, both } = await make()
  for (const aspect of ['red', 'green', 'amber', 'red', 'off', 'green', 'red'] as const) {
    expect(await show(aspect)).toBe('ok')
    expect(seen()).toBe(aspect)
  }
  expect(both()).toBe(0)
})

test('writes nothing before it is told', async () => {
  const { rig, seen } = await make()
  await rig.clock.advance(10_000)
  expect(rig.moves).toEqual([])
  expect(seen()).toBe('off')
})

test('no amber lamp: refused by name', async () => {
  const { show } = await make({ amber: undefined })
  expect(await show('amber')).toMatchObject({ code: 'DEVICE_REFUSED', message: 'light: there is no amber lamp' })
})

test('the latest request wins; older ones that wait are refused', async () => {
  const { rig, send, seen, both } = await make()
  const green = send('green')
  const red = send('red')
  expect(await outcome(rig.clock, green, 5_000)).toMatchObject({ code: 'DEVICE_REFUSED' })
  expect(await outcome(rig.clock, red, 5_000)).toBe('ok')
  expect([seen(), both()]).toEqual(['red', 0])
})

test('red wins on doubt: a change that fails half way ends in red', async () => {
  const { rig, show, seen, fault } = await make()
  await show('green')
  fault('silent')
  expect(await show('green', 500)).toBeInstanceOf(Error)
  await rig.clock.advance(3_000)
  expect(seen()).toBe('green')
  fault('none')
  await rig.clock.advance(6_000)
  expect(seen()).toBe('red')
  expect(rig.device.health().state).toBe('ok')
})

test('the lamps are shown again when their board was away', async () => {
  const { rig, show, seen } = await make()
  await show('red')
  rig.plugged(false)
  await rig.clock.advance(1_000)
  expect(rig.device.health()).toMatchObject({ state: 'down', why: expect.stringContaining('relay board is away') })
  const before = rig.sent.length
  rig.plugged(true)
  await rig.clock.advance(3_000)
  // Relay 4 on, though the gateway had it on before.
  expect(rig.sent.slice(before).some((frame) => frame.startsWith('bus 01050003ff00'))).toBe(true)
  expect(seen()).toBe('red')
})

describe('never red and green together', () => {
  test('red is not switched on while green could not be switched off', async () => {
    const { rig, send, show, seen, both, fault } = await make()
    await show('green')
    fault('silent')
    const red = send('red', 5_000)
    red.catch(() => {})
    // Longer than the board's time-out, shorter than it would take for the next request to go unanswered as well.
    await rig.clock.advance(250)
    fault('none')
    await rig.clock.advance(10_000)
    expect([both(), seen()]).toEqual([0, 'red'])
  })

  test('whatever is asked for while the board is slow, silent or noisy', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('show' as const), aspect: fc.constantFrom<Aspect>('red', 'green', 'amber', 'off') }),
      fc.record({
        do: fc.constant('fault' as const),
        kind: fc.constantFrom('none' as const, 'late' as const, 'silent' as const, 'bad-crc' as const),
      }),
      fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 600 }) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const { rig, send, both, fault, show, seen } = await make()
        for (const s of steps) {
          if (s.do === 'show') send(s.aspect).catch(() => {})
          else if (s.do === 'fault') fault(s.kind)
          else await rig.clock.advance(s.ms)
        }
        fault('none')
        await rig.clock.advance(10_000)
        expect(await show('red')).toBe('ok')
        expect([both(), seen()]).toEqual([0, 'red'])
        await rigs.pop()!.end()
      }),
      { numRuns: 40 },
    )
  })
})

test('settings: each lamp its own output', () => {
  const base = { driver: 'traffic-light', red: 'io.do1', green: 'io.do2' }
  expect(settings.safeParse(base).success).toBe(true)
  expect(settings.safeParse({ ...base, green: 'io.do1' }).success).toBe(false)
  expect(settings.safeParse({ ...base, amber: 'io.do2' }).success).toBe(false)
  expect(settings.safeParse({ ...base, blue: 'io.do3' }).success).toBe(false)
})
