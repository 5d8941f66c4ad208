/** A small site in memory for driver tests: real drivers, real build, simulated boards, a clock moved by hand. */
import { type BuildOptions, buildDevices, type Devices } from '../../firmware-bridge/build.ts'
import { buildSim, type SimDevices } from '../../firmware-bridge/build-sim.ts'
import type { Device, DriverEntry } from '../../firmware-bridge/driver.ts'
import type { DeviceSpec, Links } from '../../firmware-bridge/plan.ts'
import { drivers } from '../../firmware-bridge/registry.ts'
import type { SimDevice } from '../../firmware-bridge/sim.ts'
import { type MemoryLine, memoryLine } from '../../firmware-bridge/transport/memory.ts'
import { type MemoryBroker, memoryBroker } from '../../firmware-bridge/transport/memory-broker.ts'
import { silentLog } from '../../gateway/kernel/log.ts'
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts'

export interface RigOptions {
  /** Kind of each link; `bytes` is a line in memory, `mqtt` the broker in memory. */
  readonly links: Readonly<Record<string, 'bytes' | 'mqtt'>>
  /** Devices as in a site file; parsed by their drivers' schemas. */
  readonly devices: Readonly<Record<string, { readonly driver: string } & Record<string, unknown>>>
  /** Other drivers than the shipped ones. */
  readonly registry?: ReadonlyMap<string, DriverEntry>
  /** The device under test. */
  readonly subject: string
}

export interface Rig {
  readonly clock: VirtualClock
  readonly devices: Devices
  readonly sims: SimDevices
  readonly device: Device
  readonly sim: SimDevice
  readonly lines: ReadonlyMap<string, MemoryLine>
  readonly broker: MemoryBroker
  /** Frames and messages that the gateway's side has sent. */
  readonly sent: readonly string[]
  /** Relays that switched and arms that moved, in order: `io-1.do1 on`. */
  readonly moves: readonly string[]
  /** Takes all links away, or gives them back. */
  plugged(on: boolean): void
  /** Puts bytes on every byte line towards the gateway. */
  noise(bytes: Uint8Array): void
  /** Publishes as a foreign client. */
  publish(topic: string, payload: Uint8Array | string, retain?: boolean): Promise<void>
  /** Starts simulators and devices and lets `ms` pass. */
  begin(ms?: number): Promise<void>
  end(): Promise<void>
}

/** The schema's reading of raw settings, as the config loader does it. */
export function parseDevices(raw: RigOptions['devices'], registry = drivers): Map<string, DeviceSpec> {
  return new Map(
    Object.entries(raw).map(([id, settings]) => {
      const entry = registry.get(settings.driver)
      if (!entry) throw new Error(`no driver ${settings.driver}`)
      return [id, { driver: settings.driver, settings: entry.schema.parse(settings) }]
    }),
  )
}

/** Lets work that has no part in the clock (promises) get through. */
export const settle = async (): Promise<void> => {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** Waits for a promise while the clock runs, at most `ms` of its time. Gives back the error when it rejects. */
export async function outcome(clock: VirtualClock, work: Promise<unknown>, ms: number): Promise<'ok' | Error> {
  let result: 'ok' | Error | undefined
  work.then(
    () => {
      result = 'ok'
    },
    (error: Error) => {
      result = error
    },
  )
  await settle()
  for (let t = 0; t < ms && result === undefined; t += 10) await clock.advance(10)
  if (result === undefined) throw new Error(`did not settle within ${ms} ms`)
  return result
}

export async function makeRig(options: RigOptions): Promise<Rig> {
  const clock = new VirtualClock({ epoch: 0, rounds: 1 })
  const sent: string[] = []
  const moves: string[] = []
  const broker = memoryBroker()
  const mine = broker.connect('gateway')
  const theirs = broker.connect('simulator')
  const foreign = broker.connect('somebody')
  const lines = new Map<string, MemoryLine>()
  const links: Record<string, Links[string]> = {}
  for (const [id, kind] of Object.entries(options.links)) {
    links[id] = kind === 'mqtt' ? { kind: 'mqtt' } : { kind: 'memory' }
    if (kind === 'bytes') lines.set(id, memoryLine(id, clock))
  }
  for (const [id, line] of lines) line.device.onData((bytes) => sent.push(`${id} ${Buffer.from(bytes).toString('hex')}`))
  const messages: typeof mine = Object.create(mine, {
    up: { get: () => mine.up },
    publish: {
      value: (...args: Parameters<typeof mine.publish>) => {
        const [topic, payload] = args
        return mine.publish(...args).then(() => void sent.push(`${topic} ${Buffer.from(payload as Uint8Array).toString('latin1')}`))
      },
    },
  })
  const common: Pick<BuildOptions, 'links' | 'devices' | 'clock' | 'log' | 'registry'> = {
    links,
    devices: parseDevices(options.devices, options.registry),
    ...(options.registry ? { registry: options.registry } : {}),
    clock,
    log: silentLog,
  }
  const devices = await buildDevices({ ...common, messages, bytesFor: (link) => lines.get(link)?.master })
  const sims = await buildSim({ ...common, messages: theirs, lineFor: (link) => lines.get(link)!.device })
  watchMoves(devices, sims, moves)

  return {
    clock,
    devices,
    sims,
    device: devices.get(options.subject),
    sim: sims.get(options.subject),
    lines,
    broker,
    sent,
    moves,
    plugged(on) {
      for (const link of [...lines.values(), mine]) on ? link.restore() : link.cut()
    },
    noise(bytes) {
      for (const line of lines.values()) line.device.send(bytes)
    },
    publish: (topic, payload, retain = false) => foreign.publish(topic, payload, { qos: 1, retain }),
    async begin(ms = 1_000) {
      foreign.start()
      theirs.start()
      mine.start()
      sims.start()
      devices.start()
      await clock.advance(ms)
    },
    async end() {
      await outcome(clock, devices.stop(), 30_000)
      await outcome(clock, sims.stop(), 30_000)
      await Promise.all([mine.stop(), theirs.stop(), foreign.stop()])
    },
  }
}

function watchMoves(devices: Devices, sims: SimDevices, moves: string[]): void {
  for (const [id, sim] of sims.all) {
    for (const name of devices.all.get(id)?.points?.outputs.keys() ?? []) {
      sim.terminals?.onOutput(name, (on) => moves.push(`${id}.${name} ${on ? 'on' : 'off'}`))
    }
    sim.arm?.onMove((opening) => moves.push(`${id} arm ${opening}`))
  }
}
