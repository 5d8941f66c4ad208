/** Blueprint, step 4: the device's end of the wire. It answers the same bytes, so tests and the demo use the real driver. */
import type { Timer } from '../../../gateway/kernel/clock.ts'
import { Listeners } from '../../../gateway/kernel/listeners.ts'
import type { SimContext, SimDevice, SimFault, SimTerminals } from '../../sim.ts'
import { encode, LineCutter } from './codec.ts'
import type { Settings } from './schema.ts'

const REPORT_MS = 500

export function createBlueprintSim(settings: Settings, context: SimContext): SimDevice & { terminals: SimTerminals } {
  const line = context.line(settings.link)
  const changed = new Listeners<[boolean]>()
  let cutter = new LineCutter()
  let [input, output] = [false, false]
  let fault: SimFault = 'none'
  let timer: Timer | undefined
  let off = () => {}

  const say = (bytes: Uint8Array) => {
    if (fault === 'silent') return
    line.send(fault === 'none' ? bytes : Buffer.from('?!', 'latin1'))
  }
  const report = () => say(encode({ point: 'input', on: input }))
  const beat = () => {
    report()
    timer = context.clock.after(REPORT_MS, beat)
  }
  const known = (point: string, name: string) => {
    if (point !== name) throw new Error(`${context.id} has no terminal ${point}; it has ${name}`)
  }

  return {
    id: context.id,
    start() {
      cutter = new LineCutter()
      off = line.onData((bytes) => {
        for (const { point, on } of cutter.push(bytes)) {
          if (point !== 'output' || fault === 'silent') continue
          const was = output
          output = on
          if (was !== on) changed.emit(on)
          say(encode({ point, on }))
        }
      })
      beat()
    },
    async stop() {
      off()
      timer?.cancel()
    },
    fault(kind) {
      fault = kind
    },
    terminals: {
      setInput(point, on) {
        known(point, 'di1')
        input = on
        report()
      },
      output(point) {
        known(point, 'do1')
        return output
      },
      onOutput(point, fn) {
        known(point, 'do1')
        return changed.add(fn)
      },
    },
  }
}
