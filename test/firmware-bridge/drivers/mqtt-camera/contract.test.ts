import { describeDriver } from '../../../contract/driver.contract.ts'
import { soloRig } from '../rigs.ts'

describeDriver('mqtt-camera', { make: () => soloRig('mqtt', { driver: 'mqtt-camera', topic: 'cam/1/picture' }), mute: true })
