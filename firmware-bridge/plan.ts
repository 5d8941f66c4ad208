/** What building a site's devices and building their simulated ends have in common: links, order, look-ups. */
import { LuongError } from '../gateway/kernel/errors.ts'
import type { DriverEntry } from './driver.ts'
import type { AccessSettings } from './transport/access.ts'

/** A link as the site file says it (config/schema/site.ts), secrets already read. */
export type LinkSettings =
  | {
      readonly kind: 'serial'
      readonly path: string
      readonly baud: number
      readonly parity: 'none' | 'even' | 'odd'
      readonly data_bits: 7 | 8
      readonly stop_bits: 1 | 2
    }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | ({
      readonly kind: 'mqtt'
      readonly url?: string | undefined
    } & AccessSettings)
  | { readonly kind: 'memory' }
export type Links = Readonly<Record<string, LinkSettings>>

/** A device of a site: settings are already parsed by its driver's schema. */
export interface DeviceSpec {
  readonly driver: string
  readonly settings: unknown
}

export interface Planned {
  readonly id: string
  readonly entry: DriverEntry
  readonly settings: unknown
}

/** The device of a point ref: `io-1.di3` → `io-1`. */
export const deviceOf = (ref: string): string => ref.slice(0, ref.indexOf('.') < 0 ? ref.length : ref.indexOf('.'))

/**
 * Devices in the order in which they can be made: those whose points others use come first.
 * Throws CONFIG_INVALID on an unknown driver or device and on devices that need each other in a circle.
 */
export function planDevices(devices: ReadonlyMap<string, DeviceSpec>, registry: ReadonlyMap<string, DriverEntry>): Planned[] {
  const done = new Map<string, Planned>()
  const visit = (id: string, path: readonly string[]) => {
    if (done.has(id)) return
    if (path.includes(id)) {
      const circle = [...path.slice(path.indexOf(id)), id].join(' → ')
      throw new LuongError('CONFIG_INVALID', `devices need each other in a circle: ${circle}`)
    }
    const spec = devices.get(id)
    if (!spec) throw new LuongError('CONFIG_INVALID', `device ${path.at(-1)} uses ${id}, which is not among the devices`)
    const entry = registry.get(spec.driver)
    if (!entry)
      throw new LuongError('CONFIG_INVALID', `device ${id}: no driver named ${spec.driver}; known: ${[...registry.keys()].join(', ')}`)
    const { inputs, outputs } = entry.uses(spec.settings)
    for (const needed of new Set([...inputs, ...outputs].map(deviceOf))) visit(needed, [...path, id])
    done.set(id, { id, entry, settings: spec.settings })
  }
  for (const id of devices.keys()) visit(id, [])
  return [...done.values()]
}
