import { afterEach, describe, expect, test } from 'vitest'
import { declaration } from '../../gateway/identity/declaration.ts'
import { loadScenario, parseScenario } from '../sim/scenario.ts'
import { HABITS } from '../sim/truck.ts'
import type { WorldEvent } from '../sim/world.ts'
import { type Rig, rig } from './rig.ts'

const DEMO = 'config/sites/demo.yaml'
const rigs: Rig[] = []
const make = async (options: Parameters<typeof rig>[0] = {}) => {
  const made = await rig(options)
  rigs.push(made)
  return made
}
afterEach(async () => {
  for (const r of rigs.splice(0)) await r.stop()
})

describe('the world on real drivers', () => {
  test('trucks of all five lanes get through, nothing is hit, and it ends after the passages asked for', async () => {
    const { clock, world } = await make({ site: DEMO, traffic: { passages: 12, every_s: 30 } })
    clock.start()
    await world.done
    expect(world.truth.disasters).toEqual([])
    expect(world.truth.counts).toMatchObject({ arrived: 12, passed: 12 })
    expect(new Set(world.truth.vehicles.map((v) => v.lane)).size).toBe(5)
    for (const v of world.truth.vehicles) {
      const times = [v.arrivedAt, v.stoppedAt, v.enteredAt, v.throughAt, v.goneAt]
      expect(times).toEqual(times.toSorted((a, b) => a! - b!))
    }
  })

  test('the same seed gives the same truth, another seed another', async () => {
    const run = async (seed: number) => {
      const { clock, world } = await make({ seed, traffic: { passages: 6, every_s: 30 } })
      clock.start()
      await world.done
      return structuredClone(world.truth.vehicles)
    }
    const first = await run(7)
    expect(first).toHaveLength(6)
    expect(await run(7)).toEqual(first)
    expect(await run(8)).not.toEqual(first)
  })

  test('declarations are valid, come before their trucks, and are withdrawn after them', async () => {
    const { clock, world, broker } = await make({ traffic: { passages: 4, trouble: 0 } })
    const early: string[] = []
    world.onEvent((e: WorldEvent) => {
      if (e.what !== 'arrives') return
      const payload = broker.retained.get(`luong/v1/one/declaration/${e.vehicle.declaration!.id}`)
      if (payload) early.push(declaration.parse(JSON.parse(Buffer.from(payload).toString())).plate)
    })
    clock.start()
    await world.done
    expect(early).toEqual(world.truth.vehicles.map((v) => v.plate))
    await clock.stop()
    await clock.advance(60_000)
    expect([...broker.retained.keys()].filter((t) => t.includes('/declaration/'))).toEqual([])
  })

  test('asked for, the first truck of each lane stands at the line from the beginning, in order', async () => {
    const { clock, world } = await make({ site: DEMO, traffic: { passages: 7, every_s: 30, trouble: 1, waiting: true } })
    clock.start()
    await world.done
    const [first, later] = [world.truth.vehicles.slice(0, 5), world.truth.vehicles.slice(5)]
    expect(new Set(first.map((v) => v.lane)).size).toBe(5)
    for (const v of first) {
      expect(v).toMatchObject({ body: 'rigid', habit: 'brisk', trouble: null, outcome: 'passed' })
      expect(v.stoppedAt! - v.arrivedAt).toBeLessThan(10)
    }
    for (const v of later) {
      expect(v.trouble).not.toBeNull()
      expect(v.stoppedAt! - v.arrivedAt).toBeGreaterThan(2_000)
    }
  })

  test('a truck with nobody to open stands at the line, and gives up when its patience ends', async () => {
    const { clock, world } = await make({ door: false, traffic: { passages: 1 } })
    clock.start()
    await world.done
    const [v] = world.truth.vehicles
    expect(v).toMatchObject({ outcome: 'backed-out', enteredAt: null })
    expect(v!.goneAt! - v!.stoppedAt!).toBeGreaterThan(HABITS.normal.patience_s * 1000)
  })

  test('the loops see the truck in driving order, and the weighbridge its weight', async () => {
    const { clock, world, devices } = await make({
      scenario: parseScenario('scene', '{name: s, about: s, trucks: [{at: 1, body: rigid, weight_kg: 12000}]}'),
    })
    const seen: string[] = []
    const names = { di1: 'approach', di2: 'presence', di3: 'curtain', di4: 'exit' } as const
    for (const [di, role] of Object.entries(names)) {
      devices.input(`io.${di}`).onChange((value) => value !== null && seen.push(`${role} ${value ? 'on' : 'off'}`))
    }
    let heaviest = 0
    devices.get('scale').scale!.onWeight((w) => {
      if (w) heaviest = Math.max(heaviest, w.kg)
    })
    await clock.advance(500)
    // All is free when the world begins, the inverted light curtain too.
    expect(seen.toSorted()).toEqual(['approach off', 'curtain off', 'exit off', 'presence off'])
    seen.length = 0
    clock.start()
    await world.done
    expect(world.truth.counts.passed).toBe(1)
    expect(seen.filter((s) => s.endsWith('on'))).toEqual(['approach on', 'presence on', 'curtain on', 'exit on'])
    expect(seen.filter((s) => s.endsWith('off'))).toEqual(['approach off', 'curtain off', 'presence off', 'exit off'])
    expect(heaviest).toBe(12_000)
  })

  test('a truck that is told to goes back, and the next one comes to the line', async () => {
    const { clock, world } = await make({ door: false, traffic: { passages: 2, every_s: 10 } })
    const told: boolean[] = []
    world.onEvent((e) => e.what === 'stops' && told.push(world.lanes.get('lane')!.sendBack(2)))
    clock.start()
    await world.done
    expect(told).toEqual([true, true])
    for (const v of world.truth.vehicles) {
      expect(v).toMatchObject({ outcome: 'backed-out', enteredAt: null })
      expect(v.goneAt! - v.stoppedAt!).toBeLessThan(30_000)
    }
    expect(world.lanes.get('lane')!.sendBack(2)).toBe(false)
  })

  test('pictures are sent while a truck is in view, by the front and the rear camera', async () => {
    const { clock, world, devices } = await make({ traffic: { passages: 1 } })
    const frames = { front: 0, rear: 0 }
    for (const side of ['front', 'rear'] as const) devices.get(side).camera!.onFrame(() => frames[side]++)
    clock.start()
    await world.done
    expect(frames.front).toBeGreaterThan(3)
    expect(frames.rear).toBeGreaterThan(3)
  })

  test('stop settles in the middle of everything, and done resolves', async () => {
    const { clock, world } = await make({ site: DEMO, traffic: {} })
    await clock.advance(25_000)
    expect(world.truth.counts.arrived).toBeGreaterThan(3)
    clock.start()
    await world.stop()
    await world.done
    await clock.stop()
    const { arrived } = world.truth.counts
    await clock.advance(60_000)
    expect(world.truth.counts.arrived).toBe(arrived)
  })

  test('memory of past vehicles is bounded', async () => {
    const { clock, world } = await make({ traffic: { passages: 5, every_s: 30 }, keep: 3 })
    clock.start()
    await world.done
    expect([world.truth.vehicles.length, world.truth.forgotten, world.truth.counts.passed]).toEqual([3, 2, 5])
  })
})

describe('scenes', () => {
  const scene = (name: string) => loadScenario(`test/sim/scenarios/${name}.yaml`)
  const play = async (name: string, options: Parameters<typeof rig>[0] = {}) => {
    const made = await make({ scenario: scene(name), ...options })
    made.clock.start()
    await made.world.done
    return { ...made, outcomes: made.world.truth.vehicles.map((v) => v.outcome) }
  }

  test('no declaration: nothing is on the broker for it', async () => {
    const { world, broker, outcomes } = await play('no-declaration', { door: false })
    expect(world.truth.vehicles[0]).toMatchObject({ plate: '24C31807', declaration: null })
    expect([...broker.retained.keys()]).toEqual([])
    expect(outcomes).toEqual(['backed-out'])
  })

  test('detained: the plate is on the list', async () => {
    const { broker, outcomes } = await play('detained', { door: false })
    const entry = broker.retained.get('luong/v1/one/list/detained/29H58213')
    expect(JSON.parse(Buffer.from(entry!).toString())).toMatchObject({ key: '29H58213' })
    expect(outcomes).toEqual(['backed-out'])
  })

  test('swapped trailer: the declaration names another one', async () => {
    const { world } = await play('swapped-trailer', { door: false })
    const [v] = world.truth.vehicles
    expect([v!.trailer, v!.declaration!.trailer]).toEqual(['24RM00817', '24RM04466'])
  })

  test('tailgater: both get through on one opening', async () => {
    const { world, outcomes } = await play('tailgater')
    const [first, second] = world.truth.vehicles
    expect(outcomes).toEqual(['passed', 'passed'])
    expect(second!.enteredAt! - first!.throughAt!).toBeLessThan(3_000)
    expect(world.truth.disasters).toEqual([])
  })

  test('reverser: the first backs out before anybody opens, the second comes to the line', async () => {
    const made = await make({ scenario: scene('reverser'), door: false })
    await made.clock.advance(60_000)
    const [first, second] = made.world.truth.vehicles
    expect(first!.outcome).toBe('backed-out')
    expect(second!.stoppedAt).toBeGreaterThan(first!.goneAt!)
  })

  test('camera dead: no picture at all', async () => {
    const made = await make({ scenario: scene('camera-dead'), door: false })
    let frames = 0
    for (const side of ['front', 'rear']) made.devices.get(side).camera!.onFrame(() => frames++)
    made.clock.start()
    await made.world.done
    expect(made.world.truth.counts.backedOut).toBe(1)
    expect(frames).toBe(0)
  })

  test('loop stuck: it stays on without a truck, and lets go', async () => {
    const made = await make({ scenario: scene('loop-stuck') })
    await made.clock.advance(70_000)
    expect(made.world.truth.counts.passed).toBe(1)
    expect(made.devices.input('io.di2').read().value).toBe(true)
    await made.clock.advance(300_000)
    expect(made.devices.input('io.di2').read().value).toBe(false)
    expect(made.world.truth.disasters).toEqual([])
  })

  test('power cut: the inputs become unknown, and come back', async () => {
    const made = await make({ scenario: scene('power-cut') })
    await made.clock.advance(30_000)
    expect(made.devices.input('io.di2').read().value).toBe(null)
    await made.clock.advance(20_000)
    expect(made.devices.input('io.di2').read().value).not.toBe(null)
    expect(made.world.truth.disasters).toEqual([])
  })

  test('wrong way: the exit loop sees it, the arm stays down', async () => {
    const made = await make({ scenario: scene('wrong-way'), door: false })
    const seen: string[] = []
    for (const di of ['di1', 'di2', 'di3', 'di4']) made.devices.input(`io.${di}`).onChange((on) => on && seen.push(di))
    made.clock.start()
    await made.world.done
    expect(made.world.truth.counts.wrongWay).toBe(1)
    expect(seen).toEqual(['di4'])
    expect(made.devices.get('arm').barrier!.position()).toBe('closed')
    expect(made.world.truth.disasters).toEqual([])
  })

  test('abandoned: seven minutes under the arm, which stays up', async () => {
    const { world, outcomes } = await play('abandoned')
    const [v] = world.truth.vehicles
    expect(outcomes).toEqual(['passed'])
    expect(v!.throughAt! - v!.enteredAt!).toBeGreaterThan(420_000)
    expect(world.truth.disasters).toEqual([])
  })

  test('every scene can be played on the five lanes', async () => {
    for (const name of ['swapped-trailer', 'power-cut']) {
      const made = await make({ scenario: scene(name), site: DEMO, door: false })
      await made.clock.advance(20_000)
      expect(made.world.truth.vehicles[0]!.lane).toBe('import-1')
    }
  })

  test('a lane that the site does not have is refused before anything moves', async () => {
    await expect(
      make({ scenario: { ...scene('detained'), faults: [], trucks: [{ ...scene('detained').trucks[0]!, lane: 'nine' }] } }),
    ).rejects.toThrow('there is no lane nine; there are lane')
  })
})

describe('what must never happen is seen', () => {
  /** Somebody wires past all software: the board's relay contact for CLOSE or OPEN. */
  const relay = (r: Rig, point: string) => r.devices.output(`io.${point}`).pulse(500, { deadline: r.clock.mono() + 5_000 })

  test('an arm that comes down on a truck', async () => {
    const made = await make({ scenario: loadScenario('test/sim/scenarios/abandoned.yaml') })
    await made.clock.advance(40_000)
    expect(made.world.truth.vehicles[0]!.enteredAt).not.toBeNull()
    expect(made.world.truth.disasters).toEqual([])
    const done = relay(made, 'do2')
    await made.clock.advance(10_000)
    await done
    expect(made.world.truth.disasters).toMatchObject([{ kind: 'arm-on-vehicle', lane: 'lane', vehicle: 1 }])
  })

  test('a truck that cannot stop before a falling arm, and one that can', async () => {
    for (const [early, kind] of [
      [true, undefined],
      [false, 'arm-on-vehicle'],
    ] as const) {
      const made = await make({ scenario: loadScenario('test/sim/scenarios/no-declaration.yaml'), door: false })
      await made.clock.advance(20_000)
      const opened = relay(made, 'do1')
      const lit = made.devices.get('light').signal!.show('green', { deadline: made.clock.mono() + 5_000 })
      const [v] = made.world.lanes.get('lane')!.vehicles
      for (let i = 0; i < 200 && v!.x < (early ? 0.4 : 4); i++) await made.clock.advance(50)
      const closed = relay(made, 'do2')
      await made.clock.advance(10_000)
      await Promise.all([opened, lit, closed])
      expect(made.world.truth.disasters.map((d) => d.kind)).toEqual(kind ? [kind] : [])
      expect(v!.stage).toBe(early ? 'at-line' : v!.stage)
    }
  })
})
