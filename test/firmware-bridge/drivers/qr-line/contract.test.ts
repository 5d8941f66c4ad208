import { describeDriver } from '../../../contract/driver.contract.ts'
import { soloRig } from '../rigs.ts'

describeDriver('qr-line', {
  make: () => soloRig('bytes', { driver: 'qr-line' }),
  mute: true,
  prepare: (rig) => rig.sim.code!.scan('TK-2026-000123'),
})
