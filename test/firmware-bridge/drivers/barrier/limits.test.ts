import { describe, expect, test } from 'vitest'
import { LuongError } from '../../../../gateway/kernel/errors.ts'
import { HOLD } from '../rigs.ts'
import { make } from './make.ts'

describe('fewer limits', () => {
  test('none: unknown at first, then by command and time', async () => {
    const { rig, barrier, positions, run } = await make({ open_limit: undefined, closed_limit: undefined })
    expect(barrier.position()).toBe('unknown')
    await run('open')
    expect(barrier.position()).toBe('moving')
    await rig.clock.advance(4_100)
    expect(barrier.position()).toBe('open')
    await run('close')
    await rig.clock.advance(4_100)
    expect(positions).toEqual(['moving', 'open', 'moving', 'closed'])
  })

  test('none: unknown again when the relay board was away', async () => {
    const { rig, barrier, run } = await make({ ...HOLD, open_limit: undefined, closed_limit: undefined })
    await run('open')
    await rig.clock.advance(5_000)
    expect(barrier.position()).toBe('open')
    rig.plugged(false)
    await rig.clock.advance(1_000)
    expect(barrier.position()).toBe('unknown')
    rig.plugged(true)
    await rig.clock.advance(5_000)
    expect(barrier.position()).toBe('unknown')
  })

  test('none: unknown after a command that nobody confirmed', async () => {
    const { rig, barrier, run } = await make({ open_limit: undefined, closed_limit: undefined })
    await run('open')
    await rig.clock.advance(5_000)
    rig.sims.get('io').fault!('silent')
    expect(await run('open')).toBeInstanceOf(LuongError)
    expect(barrier.position()).toBe('unknown')
  })

  test('closed limit only', async () => {
    const { rig, barrier, positions, run, arm } = await make({ open_limit: undefined })
    expect(barrier.position()).toBe('closed')
    await run('open')
    await rig.clock.advance(5_000)
    expect(barrier.position()).toBe('open')
    arm.jam(true)
    await run('close')
    await rig.clock.advance(10_000)
    expect(barrier.position()).toBe('moving')
    arm.jam(false)
    await rig.clock.advance(5_000)
    expect(barrier.position()).toBe('closed')
    expect(positions).toEqual(['closed', 'moving', 'open', 'moving', 'closed'])
  })

  test('open limit only', async () => {
    const { rig, barrier, positions, run } = await make({ closed_limit: undefined })
    expect(barrier.position()).toBe('unknown')
    await run('open')
    await rig.clock.advance(5_000)
    await run('close')
    await rig.clock.advance(5_000)
    expect(barrier.position()).toBe('closed')
    expect(positions).toEqual(['moving', 'open', 'moving', 'closed'])
  })
})

test('both limits on: unknown, and health names the wiring', async () => {
  const { rig, barrier, input } = await make()
  input('di1', true)
  await rig.clock.advance(100)
  expect(barrier.position()).toBe('unknown')
  expect(rig.device.health()).toMatchObject({ state: 'degraded', why: expect.stringContaining('both limits io.di1 and io.di2 are on') })
})
