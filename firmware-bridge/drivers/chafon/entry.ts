import type { DriverEntry } from '../../driver.ts'
import { settings } from './schema.ts'

/** UHF tag readers of the families UHFReader18, 86 and 288: Chafon and many others. */
export const entry: DriverEntry<typeof settings> = {
  name: 'chafon',
  schema: settings,
  provides: 'tag',
  links: ['serial', 'tcp', 'memory'],
  uses: (s) => ({ link: s.link, inputs: [], outputs: [] }),
  load: async () => (await import('./driver.ts')).createChafon,
  loadSim: async () => (await import('./sim.ts')).createChafonSim,
}
