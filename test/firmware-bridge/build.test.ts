import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { buildDevices } from '../../firmware-bridge/build.ts'
import type { Device, DriverContext, DriverEntry } from '../../firmware-bridge/driver.ts'
import type { DeviceSpec } from '../../firmware-bridge/plan.ts'
import { drivers, makeRegistry } from '../../firmware-bridge/registry.ts'
import { memoryLine } from '../../firmware-bridge/transport/memory.ts'
import { silentLog } from '../../gateway/kernel/log.ts'
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts'
import { outcome, parseDevices } from '../contract/rig.ts'

const clock = new VirtualClock({ epoch: 0, rounds: 1 })
const common = { clock, log: silentLog }
const io = { driver: 'modbus-io', link: 'bus', profile: 'waveshare-relay-d' }
const memory = { bus: { kind: 'memory' } } as const
const bytesFor = () => memoryLine('bus', clock).master

interface Spec {
  needs?: string[]
  make?: (context: DriverContext) => Partial<Device>
}
/** A driver whose behaviour is in its settings. */
const odd: DriverEntry = {
  name: 'odd',
  schema: z.any(),
  uses: (s) => ({ inputs: (s as Spec).needs ?? [], outputs: [] }),
  load: async () => (s, context) => ({
    id: context.id,
    start() {},
    stop: async () => {},
    health: () => ({ state: 'ok', counters: {} }),
    onHealth: () => () => {},
    ...(s as Spec).make?.(context),
  }),
  loadSim: async () => {
    throw new Error('no simulator')
  },
}
const registry = makeRegistry([...drivers.values(), odd])
const oddOnes = (specs: Record<string, Spec>): Map<string, DeviceSpec> =>
  new Map(Object.entries(specs).map(([id, settings]) => [id, { driver: 'odd', settings }]))

describe('the registry', () => {
  it('has the drivers of the house, each with a described schema', () => {
    expect([...drivers.keys()].sort()).toEqual([
      'barrier',
      'chafon',
      'modbus-io',
      'mqtt-camera',
      'mqtt-io',
      'qr-line',
      'r200',
      'traffic-light',
      'xk3190',
    ])
    for (const [name, entry] of drivers) {
      expect(entry.name).toBe(name)
      const schema = z.toJSONSchema(entry.schema, { io: 'input', unrepresentable: 'any' }) as {
        properties?: Record<string, { title?: string; description?: string }>
      }
      for (const [key, property] of Object.entries(schema.properties ?? {})) {
        expect(property.title, `${name}.${key}`).toBeTruthy()
        expect(property.description, `${name}.${key}`).toBeTruthy()
      }
    }
  })

  it('refuses two of one name', () => {
    expect(() => makeRegistry([odd, odd])).toThrow('two drivers are named odd')
  })

  it.each([...drivers.keys()])('%s: its code and its simulator load', async (name) => {
    const entry = drivers.get(name)!
    expect(await entry.load()).toBeTypeOf('function')
    expect(await entry.loadSim()).toBeTypeOf('function')
  })
})

describe('building', () => {
  it.each<[string, Record<string, Spec>, string]>([
    [
      'a circle',
      { a: { needs: ['b.x'] }, b: { needs: ['c.x'] }, c: { needs: ['a.x'] } },
      'devices need each other in a circle: a → b → c → a',
    ],
    ['itself', { a: { needs: ['a.x'] } }, 'circle: a → a'],
    ['a device that is not there', { a: { needs: ['b.x'] } }, 'device a uses b, which is not among the devices'],
  ])('refuses %s', async (_, specs, message) => {
    await expect(buildDevices({ ...common, links: {}, devices: oddOnes(specs), registry })).rejects.toThrow(message)
  })

  it('refuses what only the configuration can cause, in words', async () => {
    const build = (links: object, devices: Record<string, { driver: string }>) =>
      buildDevices({ ...common, links: links as never, devices: parseDevices(devices), bytesFor })
    await expect(build({}, { a: io })).rejects.toThrow('device a uses link bus, which is not among the links')
    await expect(build({ bus: { kind: 'mqtt' } }, { a: io })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    const tcp = { ...io, framing: 'tcp', unit: 2 }
    await expect(build(memory, { a: io, b: tcp })).rejects.toThrow(
      'link bus is owned by modbus-rtu and cannot be used by modbus-tcp as well',
    )
    await expect(build(memory, { a: { ...io, profile: 'waveshare-relay', invert: ['di1'] } as never })).rejects.toThrow(/invert names di1/)
  })

  it('makes boards before what hangs on them, whatever the order in the file', async () => {
    const devices = await buildDevices({
      ...common,
      links: memory,
      devices: parseDevices({ light: { driver: 'traffic-light', red: 'io.do1', green: 'io.do2' } as { driver: string }, io }),
      bytesFor,
    })
    expect([...devices.all.keys()]).toEqual(['io', 'light'])
    expect(() => devices.input('io.di99')).toThrow('io.di99: device io has no such point; it has di1, di2')
    expect(() => devices.output('nobody.do1')).toThrow('there is no device nobody')
    expect(() => devices.get('nobody')).toThrow('there is no device nobody; there are io, light')
  })

  it('goes on when one device throws in start, cannot be loaded, or never stops', async () => {
    const started: string[] = []
    const good = (context: DriverContext) => ({ start: () => void started.push(context.id) })
    const specs = oddOnes({
      good1: { make: good },
      thrower: {
        make: () => ({
          start() {
            throw new Error('no such chip')
          },
        }),
      },
      unmakeable: {
        make: () => {
          throw new Error('library missing')
        },
      },
      sticky: { make: () => ({ stop: () => new Promise<void>(() => {}) }) },
      hanger: { needs: ['unmakeable.x'], make: (context) => ({ barrier: context.input('unmakeable.x') as never }) },
      good2: { make: good },
    })
    const devices = await buildDevices({ ...common, links: {}, devices: specs, registry })
    devices.start()
    expect(started).toEqual(['good1', 'good2'])
    expect(devices.get('thrower').health()).toMatchObject({ state: 'down', why: 'thrower could not be started: no such chip' })
    expect(devices.get('unmakeable').health()).toMatchObject({ state: 'down', why: expect.stringContaining('library missing') })
    expect(devices.get('hanger').health().state).toBe('down')
    expect(devices.get('good2').health().state).toBe('ok')
    expect(await outcome(clock, devices.stop(), 20_000)).toBe('ok')
  })
})
