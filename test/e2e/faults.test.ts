/** The line to the centre and the centre's broker fail at random moments. The whole thousand: `npm run bench -- faults`. */
import { expect, it } from 'vitest'
import { FAULTS } from '../harness/fault-proxy.ts'
import { faultyUplink } from '../harness/faulty-uplink.ts'

for (const persistence of [true, false]) {
  it(`30 faults, a broker ${persistence ? 'that keeps its messages' : 'that forgets everything when killed'}: nothing is lost, nothing changed`, async () => {
    const result = await faultyUplink({ faults: 30, seed: persistence ? 7 : 8, persistence, kills: 20 })
    expect(result).toMatchObject({ lost: 0, changed: 0 })
    expect(result.events).toBeGreaterThan(100)
    // The faults did happen, of most kinds, and the line was made new.
    expect(Object.keys(result.blows).length).toBeGreaterThan(FAULTS.length - 2)
    expect(result.connects).toBeGreaterThan(10)
    expect(result.hung.length).toBeGreaterThan(0)
  })
}
