import { describeDriver } from '../../../contract/driver.contract.ts'
import { barrierRig, HOLD } from '../rigs.ts'

const open = {
  command: (device: { barrier?: { open: (o: { deadline: number }) => Promise<void> } }, options: { deadline: number }) =>
    device.barrier!.open(options),
}

describeDriver('barrier, pulse kind with limits', { make: () => barrierRig(), ...open, faulty: 'io' })
describeDriver('barrier, hold kind with limits', { make: () => barrierRig(HOLD), ...open, faulty: 'io' })
