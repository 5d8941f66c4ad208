import { describeDriver } from '../../../contract/driver.contract.ts'
import type { Rig } from '../../../contract/rig.ts'
import { soloRig } from '../rigs.ts'

const prepare = (rig: Rig) => rig.sim.tag!.place(['E28068940000500012345678'])
describeDriver('r200, single looks', { make: () => soloRig('bytes', { driver: 'r200' }), prepare })
describeDriver('r200, looking by itself', { make: () => soloRig('bytes', { driver: 'r200', mode: 'multi' }), prepare })
