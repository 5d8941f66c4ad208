import type { DriverEntry } from '../../driver.ts'
import { PROFILES, pointNames } from './profiles.ts'
import { settings } from './schema.ts'

/** Modbus relay and digital-input boards; the board's differences are in profiles.ts. */
export const entry: DriverEntry<typeof settings> = {
  name: 'modbus-io',
  schema: settings,
  uses: (s) => ({ link: s.link, inputs: [], outputs: [] }),
  offers: (s) => pointNames(PROFILES[s.profile]),
  load: async () => (await import('./driver.ts')).createModbusIo,
  loadSim: async () => (await import('./sim.ts')).createModbusIoSim,
}
