/** A barrier on a relay board on a simulated bus, for the tests of this folder. */
import { afterEach } from 'vitest'
import { outcome, type Rig } from '../../../contract/rig.ts'
import { barrierRig } from '../rigs.ts'

/** Ended after each test. */
export const rigs: Rig[] = []
/** @param differs settings of the barrier that differ from the rig's, @param board those of its relay board */
export const make = async (differs: Record<string, unknown> = {}, board: Record<string, unknown> = {}) => {
  const rig = await barrierRig(differs, board)
  rigs.push(rig)
  const positions: string[] = []
  rig.device.barrier!.onPosition((position) => positions.push(position))
  await rig.begin()
  const barrier = rig.device.barrier!
  const send = (motion: 'open' | 'close' | 'stop', ms = 2_000, guard?: () => boolean) =>
    barrier[motion]!({ deadline: rig.clock.mono() + ms, ...(guard ? { guard } : {}) })
  const run = (motion: 'open' | 'close' | 'stop', ms?: number) => outcome(rig.clock, send(motion, ms), 10_000)
  const input = (point: string, on: boolean) => rig.sims.get('io').terminals!.setInput(point, on)
  const relay = (point: string) => rig.sims.get('io').terminals!.output(point)
  return { rig, barrier, positions, send, run, input, relay, arm: rig.sim.arm! }
}
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.end()
})
