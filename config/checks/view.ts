/** What the cross-checks look at: the parts of a site that could be read, and the names of those that could not. */
import type { DriverEntry } from '../../firmware-bridge/driver.ts'
import { didYouMean } from '../../gateway/kernel/problems.ts'
import type { Complaint } from '../issues.ts'
import type { LaneConfig, LinkConfig, Site } from '../schema/site.ts'

export interface LoadedDevice {
  /** Name of the driver. */
  readonly driver: string
  readonly entry: DriverEntry
  /** Parsed by the driver's own schema. */
  readonly settings: unknown
}

/** null: it is written, but wrong in itself. It counts as there, and nothing more is said about it. */
export interface SiteView {
  readonly links: ReadonlyMap<string, LinkConfig | null>
  readonly devices: ReadonlyMap<string, LoadedDevice | null>
  readonly lanes: ReadonlyMap<string, LaneConfig | null>
  readonly broker: Site['broker'] | null
  readonly http: Site['http'] | null
  /** undefined: there is none. */
  readonly plan: Site['lane_plan'] | null
  /** null also: it is wrong in itself. */
  readonly calling: Site['calling'] | null
  /** Site id. */
  readonly id: string | null
  /** null also: there is none. */
  readonly peer: NonNullable<Site['peer']> | null
  /** The site as it was written, for places. */
  readonly raw: unknown
}

export type Finding = Complaint & { readonly severity?: 'warning' }
export type DeviceKind = NonNullable<DriverEntry['provides']>

/** What the drivers of this package provide, where their entry does not say so itself. */
const PROVIDES: Readonly<Record<string, DeviceKind>> = {
  'modbus-io': 'points',
  'mqtt-io': 'points',
  barrier: 'barrier',
  'traffic-light': 'signal',
  'mqtt-camera': 'camera',
  xk3190: 'scale',
}
const BYTES = ['serial', 'tcp', 'memory'] as const
const LINKS: Readonly<Record<string, readonly LinkConfig['kind'][]>> = {
  'modbus-io': BYTES,
  xk3190: BYTES,
  'mqtt-io': ['mqtt'],
  'mqtt-camera': ['mqtt'],
}

export const kindOf = (device: LoadedDevice): DeviceKind | undefined => device.entry.provides ?? PROVIDES[device.driver]
export const linkKindsOf = (device: LoadedDevice): readonly LinkConfig['kind'][] | undefined => device.entry.links ?? LINKS[device.driver]

/** A setting of a device by name, whatever its driver. */
export function setting(device: LoadedDevice, key: string): unknown {
  return typeof device.settings === 'object' && device.settings !== null ? Reflect.get(device.settings, key) : undefined
}

/** Inputs that hold a barrier's arm up. */
export function inhibits(device: LoadedDevice): readonly string[] {
  const value = setting(device, 'inhibit')
  return Array.isArray(value) ? value.filter((v) => typeof v === 'string') : []
}

/** Hint for a name that is not there. */
export function among(name: string, known: Iterable<string>, what: string): string {
  const all = [...known]
  return didYouMean(name, all) ?? (all.length === 0 ? `there is no ${what} at all` : `there are: ${short(all)}`)
}

const short = (names: readonly string[]) => (names.length > 12 ? `${names.slice(0, 12).join(', ')} …` : names.join(', '))

/** Those of a map that could be read. */
export function readable<T>(map: ReadonlyMap<string, T | null>): [string, T][] {
  return [...map].flatMap(([key, value]) => (value === null ? [] : [[key, value] satisfies [string, T]]))
}
