/** Blueprint, last step: the contract suite on driver and simulator, and the codec on anything. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encode, type Line, LineCutter } from '../../../../firmware-bridge/drivers/_blueprint/codec.ts'
import { entry } from '../../../../firmware-bridge/drivers/_blueprint/entry.ts'
import { anyDriver, makeRegistry } from '../../../../firmware-bridge/registry.ts'
import { describeDriver } from '../../../contract/driver.contract.ts'
import { makeRig } from '../../../contract/rig.ts'

const registry = makeRegistry([anyDriver(entry)])
const make = () => makeRig({ registry, links: { wire: 'bytes' }, devices: { dev: { driver: 'blueprint', link: 'wire' } }, subject: 'dev' })

describeDriver('blueprint', { make, command: (device, options) => device.points!.outputs.get('do1')!.set(true, options) })

describe('blueprint codec', () => {
  const line = fc.record({ point: fc.constantFrom('input', 'output'), on: fc.boolean() }) as fc.Arbitrary<Line>

  test('known bytes', () => {
    expect(Buffer.from(encode({ point: 'output', on: true })).toString()).toBe('O1\n')
    expect(new LineCutter().push(Buffer.from('I0\nI1\r\n'))).toEqual([
      { point: 'input', on: false },
      { point: 'input', on: true },
    ])
  })

  test('finds all lines however they are split', () => {
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }), (lines, cuts) => {
        const bytes = Buffer.concat(lines.map(encode))
        const cutter = new LineCutter()
        const seen: Line[] = []
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = cuts[i % cuts.length]!
          seen.push(...cutter.push(bytes.subarray(at, at + size)))
          at += size
        }
        expect(seen).toEqual(lines)
        expect(cutter.bad).toBe(0)
      }),
    )
  })

  test('is in step again after any garbage, and holds little of it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), line, (garbage, good) => {
        const cutter = new LineCutter()
        cutter.push(garbage)
        expect(cutter.push(Buffer.concat([Buffer.from('\n'), encode(good)])).at(-1)).toEqual(good)
      }),
    )
  })
})

test('a pulse ends, even when its first off is lost', async () => {
  const rig = await make()
  await rig.begin()
  const relay = rig.device.points!.outputs.get('do1')!
  const pulse = relay.pulse(500, { deadline: rig.clock.mono() + 1_000 })
  await rig.clock.advance(100)
  await pulse
  rig.plugged(false)
  await rig.clock.advance(1_000)
  expect(rig.moves).toEqual(['dev.do1 on'])
  rig.plugged(true)
  await rig.clock.advance(1_000)
  expect(rig.moves).toEqual(['dev.do1 on', 'dev.do1 off'])
  await rig.end()
})
