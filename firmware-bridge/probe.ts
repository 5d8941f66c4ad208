/** Bring-up: talks to one device of a site and tells what it says. Moves nothing, because starting a driver moves nothing. */
import { type Clock, sleep, withDeadline } from '../gateway/kernel/clock.ts'
import { LuongError, messageOf } from '../gateway/kernel/errors.ts'
import type { Log } from '../gateway/kernel/log.ts'
import { buildDevices } from './build.ts'
import type { Device, DriverEntry, Presence, ProbeFact } from './driver.ts'
import { type DeviceSpec, deviceOf, type Links } from './plan.ts'
import { drivers } from './registry.ts'
import type { ByteTransport, MessageTransport } from './transport/transport.ts'

export interface ProbeOptions {
  readonly device: string
  readonly links: Links
  readonly devices: ReadonlyMap<string, DeviceSpec>
  readonly clock: Clock
  readonly log: Log
  readonly messages?: MessageTransport
  readonly bytesFor?: (link: string) => ByteTransport | undefined
  /** How long to listen at most, ms; default 5,000. */
  readonly listenMs?: number
  readonly registry?: ReadonlyMap<string, DriverEntry>
  /** Told what comes while it listens: a tag or code was seen, in words. */
  readonly onFact?: (fact: ProbeFact) => void
}

export interface ProbeResult {
  readonly device: string
  readonly driver: string
  /** Whether the device answered. */
  readonly ok: boolean
  readonly facts: readonly ProbeFact[]
}

const PROBE_MS = 30_000

/** Listens to one device, with the others that it needs. Rejects with CONFIG_INVALID when the site has no such device. */
export async function probeDevice(options: ProbeOptions): Promise<ProbeResult> {
  const { clock, log, listenMs = 5_000 } = options
  const registry = options.registry ?? drivers
  const spec = options.devices.get(options.device)
  if (!spec)
    throw new LuongError('CONFIG_INVALID', `there is no device ${options.device}; there are ${[...options.devices.keys()].join(', ')}`)
  const devices = await buildDevices({ ...options, devices: neededFor(options.device, options.devices, registry), registry })
  const device = devices.get(options.device)
  const pictures = countPictures(device)
  const read = watchReader(device, options.onFact)
  try {
    devices.start()
    await untilSettled(device, clock, listenMs, () => pictures.count > 0)
    const facts = [...linkFacts(devices.links), ...stateFacts(device), ...pictures.facts(), ...read.facts()]
    if (device.probe && [...devices.links.values()].every((link) => link.up)) {
      try {
        const late = () => new LuongError('DEVICE_TIMEOUT', 'asking took too long')
        facts.push(...(await withDeadline(clock, device.probe(), PROBE_MS, late)))
      } catch (error) {
        facts.push({ what: 'failed', value: messageOf(error) })
      }
    }
    facts.push(...counterFacts(device))
    return { device: options.device, driver: spec.driver, ok: device.health().state === 'ok', facts }
  } catch (error) {
    log.debug({ device: options.device, err: messageOf(error) }, 'probing')
    throw error
  } finally {
    await devices.stop()
  }
}

/** The device itself and what its points hang on. */
function neededFor(id: string, all: ReadonlyMap<string, DeviceSpec>, registry: ReadonlyMap<string, DriverEntry>): Map<string, DeviceSpec> {
  const needed = new Map<string, DeviceSpec>()
  const add = (one: string) => {
    const spec = all.get(one)
    if (!spec || needed.has(one)) return
    needed.set(one, spec)
    const uses = registry.get(spec.driver)?.uses(spec.settings)
    for (const ref of [...(uses?.inputs ?? []), ...(uses?.outputs ?? [])]) add(deviceOf(ref))
  }
  add(id)
  return needed
}

/** Waits until the device is ok, then a moment more for what it has to say; at most `ms`. */
async function untilSettled(device: Device, clock: Clock, ms: number, enough: () => boolean): Promise<void> {
  const end = clock.mono() + ms
  while (clock.mono() < end && device.health().state !== 'ok') await sleep(clock, 50)
  if (device.camera) while (clock.mono() < end && !enough()) await sleep(clock, 50)
  // Somebody may hold a tag or code before a reader at any moment: the whole time is his.
  if (device.tag ?? device.code) await sleep(clock, Math.max(0, end - clock.mono()))
  await sleep(clock, Math.max(0, Math.min(300, end - clock.mono())))
}

function countPictures(device: Device) {
  let count = 0
  let bytes = 0
  device.camera?.onFrame((frame) => {
    count++
    bytes = frame.image.length
  })
  return {
    get count() {
      return count
    },
    facts(): ProbeFact[] {
      if (!device.camera) return []
      return [{ what: 'pictures', value: count === 0 ? 'none came' : `${count}, the last of ${Math.round(bytes / 1024)} kB` }]
    },
  }
}

/** More tags and codes than this are not listed. */
const MAX_SHOWN = 20

function watchReader(device: Device, onFact: ((fact: ProbeFact) => void) | undefined) {
  const what = device.tag ? 'tag' : 'code'
  const reader = device.tag ?? device.code
  const seen = new Map<string, Presence>()
  reader?.onPresence((presence, there) => {
    if (seen.size < MAX_SHOWN || seen.has(presence.text)) seen.set(presence.text, presence)
    if (there) onFact?.({ what, value: presenceWords(presence) })
  })
  return {
    facts(): ProbeFact[] {
      for (const presence of reader?.present() ?? []) if (seen.has(presence.text)) seen.set(presence.text, presence)
      if (reader && seen.size === 0) return [{ what, value: 'none came' }]
      return [...seen.values()].map((presence) => ({ what, value: presenceWords(presence) }))
    },
  }
}

function presenceWords({ text, count, rssi, antenna }: Presence): string {
  const more = [count > 1 ? `read ${count} times` : '', rssi === null ? '' : `signal ${rssi}`, antenna === null ? '' : `antenna ${antenna}`]
  const said = more.filter((words) => words !== '').join(', ')
  return said === '' ? text : `${text} (${said})`
}

function linkFacts(links: ReadonlyMap<string, { name: string; up: boolean }>): ProbeFact[] {
  return [...links.values()].map((link) => ({ what: 'link', value: `${link.name}: ${link.up ? 'up' : 'down'}` }))
}

function stateFacts(device: Device): ProbeFact[] {
  const { state, why } = device.health()
  const facts: ProbeFact[] = [{ what: 'health', value: why === undefined ? state : `${state}: ${why}` }]
  const levels = [...(device.points?.inputs ?? [])].map(([name, point]) => {
    const { value } = point.read()
    return `${name} ${value === null ? 'unknown' : value ? 'on' : 'off'}`
  })
  if (levels.length > 0) facts.push({ what: 'inputs', value: levels.join(', ') })
  if (device.barrier) facts.push({ what: 'position', value: device.barrier.position() })
  if (device.scale) {
    const weight = device.scale.read()
    const words =
      weight === null
        ? 'unknown'
        : `${weight.kg} kg, ${weight.overload ? 'overload' : weight.stable ? 'stable' : 'moving'}; raw ${weight.raw}`
    facts.push({ what: 'weight', value: words })
  }
  return facts
}

function counterFacts(device: Device): ProbeFact[] {
  const counters = Object.entries(device.health().counters).map(([name, n]) => `${name} ${n}`)
  return counters.length === 0 ? [] : [{ what: 'counters', value: counters.join(', ') }]
}
