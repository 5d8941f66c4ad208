/** Makes a site's links and devices, starts and stops them together. One device's trouble does not keep the others from running. */

import type { Clock } from '../gateway/kernel/clock.ts'
import { withDeadline } from '../gateway/kernel/clock.ts'
import { LuongError, messageOf } from '../gateway/kernel/errors.ts'
import type { Log } from '../gateway/kernel/log.ts'
import type { Device, DriverContext, DriverEntry, InputPoint, OutputPoint } from './driver.ts'
import { deadDevice, isolate } from './isolate.ts'
import { type DeviceSpec, deviceOf, type LinkSettings, type Links, planDevices } from './plan.ts'
import { drivers } from './registry.ts'
import { accessOf } from './transport/access.ts'
import { type MqttTransport, mqttTransport } from './transport/mqtt.ts'
import { serialTransport } from './transport/serial.ts'
import { tcpTransport } from './transport/tcp.ts'
import type { ByteTransport, MessageTransport } from './transport/transport.ts'

export interface BuildOptions {
  readonly links: Links
  readonly devices: ReadonlyMap<string, DeviceSpec>
  readonly clock: Clock
  readonly log: Log
  /** The site's own broker connection, for links of kind mqtt without url. Started and stopped by whoever made it. */
  readonly messages?: MessageTransport
  /** Byte lines made elsewhere: memory links, recordings. undefined: make it from the link's settings. */
  readonly bytesFor?: (link: string) => ByteTransport | undefined
  readonly registry?: ReadonlyMap<string, DriverEntry>
}

export interface LinkView {
  readonly name: string
  readonly up: boolean
  onState(fn: (up: boolean, why?: string) => void): () => void
}

/** A site's devices. */
export interface Devices {
  readonly all: ReadonlyMap<string, Device>
  /** The links that devices use, by id, for health and metrics. */
  readonly links: ReadonlyMap<string, LinkView>
  /** Throws CONFIG_INVALID when there is no such device. */
  get(id: string): Device
  /** A point by ref (`io-1.di3`). Throws CONFIG_INVALID when there is none. */
  input(ref: string): InputPoint
  output(ref: string): OutputPoint
  start(): void
  /** Other credentials or certificates of links to brokers: those that have changed connect again. */
  renew(links: Links, which: 'down' | 'all'): void
  /** Settles within about ten seconds whatever the devices do. */
  stop(): Promise<void>
}

const STOP_MS = 5_000

function point<P>(devices: ReadonlyMap<string, Device>, ref: string, side: 'inputs' | 'outputs'): P {
  const device = devices.get(deviceOf(ref))
  if (!device) throw new LuongError('CONFIG_INVALID', `${ref}: there is no device ${deviceOf(ref)}`)
  const map = device.points?.[side] as ReadonlyMap<string, P> | undefined
  const found = map?.get(ref.slice(deviceOf(ref).length + 1))
  if (found) return found
  const why = map?.size ? `it has ${[...map.keys()].join(', ')}` : `it has no ${side}: ${device.health().why ?? 'it is not a board'}`
  throw new LuongError('CONFIG_INVALID', `${ref}: device ${deviceOf(ref)} has no such point; ${why}`)
}

/** Keeps the rule that a byte line has one owner: a bus master shared by kind, or a single device. */
class Owners {
  readonly #owners = new Map<string, string>()
  claim(link: string, owner: string): void {
    const before = this.#owners.get(link)
    if (before !== undefined && before !== owner) {
      throw new LuongError(
        'CONFIG_INVALID',
        `link ${link} is owned by ${before} and cannot be used by ${owner} as well: give it a link of its own`,
      )
    }
    this.#owners.set(link, owner)
  }
}

type Lived = { start?: () => void; stop?: () => Promise<void> | void }

/**
 * Makes the devices in the order of their needs; nothing runs before `start`. Objects made through `shared` that have `start` and `stop`
 * are started before and stopped after the devices. Rejects with CONFIG_INVALID on what only the configuration can cause; a
 * driver that cannot be loaded or made is a device that is down.
 */
export async function buildDevices(options: BuildOptions): Promise<Devices> {
  const { clock, log } = options
  const bytes = new Map<string, ByteTransport>()
  const messages = new Map<string, MqttTransport>()
  const shared = new Map<string, unknown>()
  const all = new Map<string, Device>()
  const owners = new Owners()
  const siteLinks = new Set<string>()
  let making = 0

  const settingsOf = (link: string, user: string): LinkSettings => {
    const settings = options.links[link]
    if (!settings) throw new LuongError('CONFIG_INVALID', `device ${user} uses link ${link}, which is not among the links`)
    return settings
  }
  const bytesOf = (link: string, user: string): ByteTransport => {
    const settings = settingsOf(link, user)
    if (making === 0) owners.claim(link, `device ${user}`)
    const made =
      bytes.get(link) ?? (settings.kind === 'mqtt' ? undefined : (options.bytesFor?.(link) ?? makeBytes(link, settings, clock, log)))
    if (!made) throw new LuongError('CONFIG_INVALID', `device ${user} needs a serial or TCP link; ${link} is of kind ${settings.kind}`)
    bytes.set(link, made)
    return made
  }
  const messagesOf = (link: string, user: string): MessageTransport => {
    const settings = settingsOf(link, user)
    if (settings.kind !== 'mqtt')
      throw new LuongError('CONFIG_INVALID', `device ${user} needs a link of kind mqtt; ${link} is ${settings.kind}`)
    if (settings.url === undefined) {
      if (!options.messages) throw new LuongError('CONFIG_INVALID', `link ${link} has no url and the site has no broker`)
      siteLinks.add(link)
      return options.messages
    }
    const made = messages.get(link) ?? mqttTransport({ ...mqttOptions(link, settings), clock, log })
    messages.set(link, made)
    return made
  }

  for (const { id, entry, settings } of planDevices(options.devices, options.registry ?? drivers)) {
    const context: DriverContext = {
      id,
      clock,
      log: log.child({ device: id }),
      bytes: (link) => bytesOf(link, id),
      messages: (link) => messagesOf(link, id),
      shared<T>(link: string, kind: string, make: () => T): T {
        if (settingsOf(link, id).kind !== 'mqtt') owners.claim(link, kind)
        const key = `${link} ${kind}`
        if (!shared.has(key)) {
          making++
          try {
            shared.set(key, make())
          } finally {
            making--
          }
        }
        return shared.get(key) as T
      },
      input: (ref) => point<InputPoint>(all, ref, 'inputs'),
      output: (ref) => point<OutputPoint>(all, ref, 'outputs'),
      board(ref) {
        const board = all.get(deviceOf(ref))
        if (!board) throw new LuongError('CONFIG_INVALID', `${ref}: there is no device ${deviceOf(ref)}`)
        return board
      },
    }
    try {
      const create = await entry.load()
      all.set(id, isolate(create(settings, context), clock, log, STOP_MS))
    } catch (error) {
      if (error instanceof LuongError && error.code === 'CONFIG_INVALID' && !needsDead(all, entry, settings)) throw error
      log.error({ device: id, err: messageOf(error) }, 'a device could not be made; the others go on')
      all.set(id, deadDevice(id, `${id}: the driver ${entry.name} could not be started: ${messageOf(error)}`))
    }
  }

  const links = new Map<string, LinkView>([...bytes, ...messages])
  for (const link of siteLinks) links.set(link, options.messages!)
  const quietly = async (what: string, work: () => Promise<void> | void) => {
    try {
      await withDeadline(clock, Promise.resolve(work()), STOP_MS, () => new LuongError('STOPPED', `${what} did not stop in ${STOP_MS} ms`))
    } catch (error) {
      log.warn({ err: messageOf(error) }, 'stopping')
    }
  }

  return {
    all,
    links,
    get(id) {
      const device = all.get(id)
      if (!device) throw new LuongError('CONFIG_INVALID', `there is no device ${id}; there are ${[...all.keys()].join(', ')}`)
      return device
    },
    input: (ref) => point(all, ref, 'inputs'),
    output: (ref) => point(all, ref, 'outputs'),
    start() {
      for (const link of [...bytes.values(), ...messages.values()]) link.start()
      for (const s of shared.values()) (s as Lived).start?.()
      for (const device of all.values()) device.start()
    },
    renew(links, which) {
      for (const [id, transport] of messages) {
        const settings = links[id]
        if (settings?.kind === 'mqtt' && !(which === 'down' && transport.up)) transport.renew(accessOf(settings))
      }
    },
    async stop() {
      // Those that depend on others first, all within one deadline.
      await Promise.all([...all.values()].reverse().map((device) => device.stop()))
      await Promise.all([...shared.values()].map((s) => quietly('a bus', () => (s as Lived).stop?.())))
      await Promise.all([...bytes.values(), ...messages.values()].map((link) => quietly(link.name, () => link.stop())))
    },
  }
}

/** Whether a device needs points of one that could not be made: then it is down too, and the site is not at fault. */
function needsDead(all: ReadonlyMap<string, Device>, entry: DriverEntry, settings: unknown): boolean {
  const { inputs, outputs } = entry.uses(settings)
  return [...inputs, ...outputs].some((ref) => all.get(deviceOf(ref))?.health().state === 'down')
}

function makeBytes(link: string, settings: LinkSettings, clock: Clock, log: Log): ByteTransport | undefined {
  if (settings.kind === 'serial') {
    const { path, baud, parity, data_bits, stop_bits } = settings
    return serialTransport({ name: `${link} (${path})`, path, baud, parity, dataBits: data_bits, stopBits: stop_bits, clock, log })
  }
  if (settings.kind === 'tcp') {
    return tcpTransport({ name: `${link} (${settings.host}:${settings.port})`, host: settings.host, port: settings.port, clock, log })
  }
  return undefined
}

/** What an mqtt link with its own url says to {@link mqttTransport}. */
export function mqttOptions(link: string, settings: LinkSettings & { kind: 'mqtt' }) {
  return {
    name: `${link} (${settings.url})`,
    url: settings.url as string,
    ...accessOf(settings),
  }
}
