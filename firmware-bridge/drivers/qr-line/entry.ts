import type { DriverEntry } from '../../driver.ts'
import { settings } from './schema.ts'

/** QR and bar code scanners that send each code as a line of text. */
export const entry: DriverEntry<typeof settings> = {
  name: 'qr-line',
  schema: settings,
  provides: 'code',
  links: ['serial', 'tcp', 'memory'],
  uses: (s) => ({ link: s.link, inputs: [], outputs: [] }),
  load: async () => (await import('./driver.ts')).createQrLine,
  loadSim: async () => (await import('./sim.ts')).createQrLineSim,
}
