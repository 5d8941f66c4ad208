import type { DriverEntry } from '../../driver.ts'
import { planOf, topicsOf } from './codec.ts'
import { settings } from './schema.ts'

/** Relays and sensors with an MQTT topic each; presets for Tasmota, Shelly, ESPHome and Zigbee2MQTT. */
export const entry: DriverEntry<typeof settings> = {
  name: 'mqtt-io',
  schema: settings,
  uses: (s) => ({ link: s.link, inputs: [], outputs: [] }),
  offers: (s) => ({ inputs: Object.keys(s.inputs), outputs: Object.keys(s.outputs) }),
  topics: (s) => topicsOf(planOf(s)),
  load: async () => (await import('./driver.ts')).createMqttIo,
  loadSim: async () => (await import('./sim.ts')).createMqttIoSim,
}
