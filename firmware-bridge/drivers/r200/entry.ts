import type { DriverEntry } from '../../driver.ts'
import { settings } from './schema.ts'

/** UHF tag readers with an R200, YRM100, M100 or JRD module. */
export const entry: DriverEntry<typeof settings> = {
  name: 'r200',
  schema: settings,
  provides: 'tag',
  links: ['serial', 'tcp', 'memory'],
  uses: (s) => ({ link: s.link, inputs: [], outputs: [] }),
  load: async () => (await import('./driver.ts')).createR200,
  loadSim: async () => (await import('./sim.ts')).createR200Sim,
}
