import type { DriverEntry } from '../../driver.ts'
import { settings } from './schema.ts'

const present = (refs: readonly (string | undefined)[]) => refs.filter((ref) => ref !== undefined)

/** Barrier on the relays and inputs of another device; pulse and hold kinds. */
export const entry: DriverEntry<typeof settings> = {
  name: 'barrier',
  schema: settings,
  uses: (s) => ({ inputs: present([s.open_limit, s.closed_limit, ...s.inhibit]), outputs: present([s.open, s.close, s.stop]) }),
  load: async () => (await import('./driver.ts')).createBarrier,
  loadSim: async () => (await import('./sim.ts')).createBarrierSim,
}
