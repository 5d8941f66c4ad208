/** Blueprint, step 5: the entry for registry.ts. The code is loaded only when a site uses the driver. */
import type { DriverEntry } from '../../driver.ts'
import { settings } from './schema.ts'

export const entry: DriverEntry<typeof settings> = {
  name: 'blueprint',
  schema: settings,
  uses: (s) => ({ link: s.link, inputs: [], outputs: [] }),
  offers: () => ({ inputs: ['di1'], outputs: ['do1'] }),
  load: async () => (await import('./driver.ts')).createBlueprint,
  loadSim: async () => (await import('./sim.ts')).createBlueprintSim,
}
