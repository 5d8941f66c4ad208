import { describeDriver } from '../../../contract/driver.contract.ts'
import { soloRig } from '../rigs.ts'

describeDriver('xk3190, continuous', { make: () => soloRig('bytes', { driver: 'xk3190' }) })
describeDriver('xk3190, command mode', { make: () => soloRig('bytes', { driver: 'xk3190', mode: 'command' }) })
