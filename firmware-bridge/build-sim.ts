/** The mirror of build.ts: the simulated ends of a site's devices. */
import type { Clock } from '../gateway/kernel/clock.ts'
import { LuongError, messageOf } from '../gateway/kernel/errors.ts'
import type { Log } from '../gateway/kernel/log.ts'
import { mqttOptions } from './build.ts'
import type { DriverEntry } from './driver.ts'
import { type DeviceSpec, type Links, planDevices } from './plan.ts'
import { drivers } from './registry.ts'
import type { SimContext, SimDevice, SimLine } from './sim.ts'
import { mqttTransport } from './transport/mqtt.ts'
import type { MessageTransport } from './transport/transport.ts'

export interface BuildSimOptions {
  readonly links: Links
  readonly devices: ReadonlyMap<string, DeviceSpec>
  readonly clock: Clock
  readonly log: Log
  /** The devices' end of each byte link. */
  readonly lineFor: (link: string) => SimLine
  /** The simulator's connection to the site's broker; started and stopped by whoever made it. */
  readonly messages?: MessageTransport
  readonly registry?: ReadonlyMap<string, DriverEntry>
}

export interface SimDevices {
  readonly all: ReadonlyMap<string, SimDevice>
  /** Throws CONFIG_INVALID when there is no such device. */
  get(id: string): SimDevice
  start(): void
  stop(): Promise<void>
}

/** Makes the simulated end of every device, boards before what is wired to them. Nothing runs before `start`. */
export async function buildSim(options: BuildSimOptions): Promise<SimDevices> {
  const { clock, log } = options
  const all = new Map<string, SimDevice>()
  const messages = new Map<string, MessageTransport>()
  const get = (id: string): SimDevice => {
    const device = all.get(id)
    if (!device) throw new LuongError('CONFIG_INVALID', `there is no simulated device ${id}; there are ${[...all.keys()].join(', ')}`)
    return device
  }
  for (const { id, entry, settings } of planDevices(options.devices, options.registry ?? drivers)) {
    const context: SimContext = {
      id,
      clock,
      log: log.child({ sim: id }),
      line: options.lineFor,
      messages(link) {
        const found = options.links[link]
        if (found?.kind !== 'mqtt') throw new LuongError('CONFIG_INVALID', `device ${id} needs a link of kind mqtt; ${link} is not`)
        if (found.url === undefined) {
          if (!options.messages) throw new LuongError('CONFIG_INVALID', `link ${link} has no url and the simulator has no broker`)
          return options.messages
        }
        const made = messages.get(link) ?? mqttTransport({ ...mqttOptions(`simulated ${link}`, found), clock, log })
        messages.set(link, made)
        return made
      },
      terminals(device) {
        const terminals = get(device).terminals
        if (!terminals) throw new LuongError('CONFIG_INVALID', `device ${device} has no terminals to wire ${id} to`)
        return terminals
      },
    }
    all.set(id, (await entry.loadSim())(settings, context))
  }
  return {
    all,
    get,
    start() {
      for (const m of messages.values()) m.start()
      for (const device of all.values()) device.start()
    },
    async stop() {
      const quietly = (work: Promise<void>) => work.catch((error) => log.warn({ err: messageOf(error) }, 'stopping the simulator'))
      await Promise.all([...all.values()].map((device) => quietly(device.stop())))
      await Promise.all([...messages.values()].map((m) => quietly(m.stop())))
    },
  }
}
