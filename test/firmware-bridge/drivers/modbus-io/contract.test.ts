import { describeDriver } from '../../../contract/driver.contract.ts'
import { makeRig } from '../../../contract/rig.ts'

for (const profile of ['waveshare-relay-d', 'lc-tech-8', 'r4d8', 'moxa-e1214'] as const) {
  describeDriver(`modbus-io (${profile})`, {
    make: () =>
      makeRig({
        links: { bus: 'bytes' },
        devices: { 'io-1': { driver: 'modbus-io', link: 'bus', profile, framing: profile === 'moxa-e1214' ? 'tcp' : 'rtu' } },
        subject: 'io-1',
      }),
    command: (device, options) => device.points!.outputs.get('do2')!.set(true, options),
  })
}
