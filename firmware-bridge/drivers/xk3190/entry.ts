import type { DriverEntry } from '../../driver.ts'
import { settings } from './schema.ts'

/** Yaohua XK3190 weighbridge indicators, continuous and command mode. */
export const entry: DriverEntry<typeof settings> = {
  name: 'xk3190',
  schema: settings,
  uses: (s) => ({ link: s.link, inputs: [], outputs: [] }),
  load: async () => (await import('./driver.ts')).createXk3190,
  loadSim: async () => (await import('./sim.ts')).createXk3190Sim,
}
