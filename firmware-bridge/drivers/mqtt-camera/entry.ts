import type { DriverEntry } from '../../driver.ts'
import { settings } from './schema.ts'

/** Pictures from MQTT, in all the forms that cameras and bridges send them. */
export const entry: DriverEntry<typeof settings> = {
  name: 'mqtt-camera',
  schema: settings,
  uses: (s) => ({ link: s.link, inputs: [], outputs: [] }),
  topics: (s) => ({ publish: [s.topic], subscribe: s.trigger ? [s.trigger.topic] : [] }),
  load: async () => (await import('./driver.ts')).createMqttCamera,
  loadSim: async () => (await import('./sim.ts')).createMqttCameraSim,
}
