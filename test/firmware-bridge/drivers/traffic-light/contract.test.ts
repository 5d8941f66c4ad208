import { describeDriver } from '../../../contract/driver.contract.ts'
import { lightRig } from '../rigs.ts'

describeDriver('traffic-light', { make: lightRig, command: (device, options) => device.signal!.show('green', options), faulty: 'io' })
