import type { DriverEntry } from '../../driver.ts'
import { settings } from './schema.ts'

/** Red, green and amber lamps on the relays of another device. */
export const entry: DriverEntry<typeof settings> = {
  name: 'traffic-light',
  schema: settings,
  uses: (s) => ({ inputs: [], outputs: [s.red, s.green, ...(s.amber === undefined ? [] : [s.amber])] }),
  load: async () => (await import('./driver.ts')).createTrafficLight,
  loadSim: async () => (await import('./sim.ts')).createTrafficLightSim,
}
