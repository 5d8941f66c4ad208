import { describeDriver } from '../../../contract/driver.contract.ts'
import { soloRig } from '../rigs.ts'

const plain = {
  driver: 'mqtt-io',
  inputs: { loop: { topic: 'dev/loop', on: '1', off: '0' } },
  outputs: { relay: { topic: 'dev/relay/set', on: '1', off: '0', state: { topic: 'dev/relay', on: '1', off: '0' } } },
  stale_ms: 2_000,
}
const preset = (name: string, inputs: string, outputs: string) => ({
  driver: 'mqtt-io',
  preset: name,
  base: 'lane1',
  inputs: { loop: { channel: inputs } },
  outputs: { relay: { channel: outputs } },
  stale_ms: 3_000,
})

describeDriver('mqtt-io, explicit topics', {
  make: () => soloRig('mqtt', plain),
  command: (device, options) => device.points!.outputs.get('relay')!.set(true, options),
})
for (const [name, input, output] of [
  ['tasmota', '1', '1'],
  ['shelly', '0', '0'],
  ['esphome', 'loop', 'relay'],
  ['zigbee2mqtt', 'contact', 'state'],
] as const) {
  describeDriver(`mqtt-io, ${name}`, {
    make: () => soloRig('mqtt', preset(name, input, output)),
    command: (device, options) => device.points!.outputs.get('relay')!.pulse(500, options),
  })
}
