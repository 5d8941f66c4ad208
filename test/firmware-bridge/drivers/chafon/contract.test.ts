import { describeDriver } from '../../../contract/driver.contract.ts'
import type { Rig } from '../../../contract/rig.ts'
import { soloRig } from '../rigs.ts'

const prepare = (rig: Rig) => rig.sim.tag!.place(['E28068940000500012345678', '000000000000000000000313'])
const make = (differs: Record<string, unknown>) => () => soloRig('bytes', { driver: 'chafon', ...differs })
describeDriver('chafon, family 18', { make: make({}), prepare })
describeDriver('chafon, family 288 with two antennas', { make: make({ family: '288', antennas: [1, 2], address: 5 }), prepare })
describeDriver('chafon, family 18 sending by itself', { make: make({ mode: 'active' }), prepare, mute: true })
describeDriver('chafon, family 288 sending by itself, with heartbeats', {
  make: make({ family: '288', mode: 'active', silent_ms: 3_000 }),
  prepare,
})
