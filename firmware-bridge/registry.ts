/**
 * All drivers by name. Each lives in `drivers/<name>/` and exports its `entry` from `entry.ts`: the schema is loaded with the
 * registry, the driver's code only when a site uses it.
 */
import type { z } from 'zod'
import type { DriverEntry } from './driver.ts'
import { entry as barrier } from './drivers/barrier/entry.ts'
import { entry as chafon } from './drivers/chafon/entry.ts'
import { entry as modbusIo } from './drivers/modbus-io/entry.ts'
import { entry as mqttCamera } from './drivers/mqtt-camera/entry.ts'
import { entry as mqttIo } from './drivers/mqtt-io/entry.ts'
import { entry as qrLine } from './drivers/qr-line/entry.ts'
import { entry as r200 } from './drivers/r200/entry.ts'
import { entry as trafficLight } from './drivers/traffic-light/entry.ts'
import { entry as xk3190 } from './drivers/xk3190/entry.ts'

/** Makes a registry of entries. Throws when two have the same name. */
export function makeRegistry(entries: readonly DriverEntry[]): ReadonlyMap<string, DriverEntry> {
  const map = new Map<string, DriverEntry>()
  for (const entry of entries) {
    if (map.has(entry.name)) throw new Error(`two drivers are named ${entry.name}: give one of them another name`)
    map.set(entry.name, entry)
  }
  return map
}

/** Forgets the settings' type: whoever looks an entry up by name parses with `entry.schema` first. */
export const anyDriver = <S extends z.ZodType>(entry: DriverEntry<S>): DriverEntry => entry as unknown as DriverEntry

export const drivers: ReadonlyMap<string, DriverEntry> = makeRegistry([
  anyDriver(barrier),
  anyDriver(chafon),
  anyDriver(modbusIo),
  anyDriver(mqttCamera),
  anyDriver(mqttIo),
  anyDriver(qrLine),
  anyDriver(r200),
  anyDriver(trafficLight),
  anyDriver(xk3190),
])
