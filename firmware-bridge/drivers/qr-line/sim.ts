/** The scanner's end: sends each code once, with its AIM identifier and CR, as scanners at a gate are set. */
import type { SimContext, SimDevice, SimFault } from '../../sim.ts'
import { SimWire } from '../../sim-wire.ts'
import type { Settings } from './schema.ts'

export interface QrLineSim extends SimDevice {
  readonly code: { scan(text: string): void }
  fault(kind: SimFault): void
}

/** Letters go out as UTF-8, whatever the encoding of the settings: Node has no encoder for GB 18030. */
export function createQrLineSim(settings: Settings, context: SimContext): QrLineSim {
  const wire = new SimWire(context.clock, () => context.line(settings.link))
  return {
    id: context.id,
    code: { scan: (text) => wire.send(Buffer.from(`]Q1${text}\r`)) },
    start() {},
    async stop() {
      wire.stop()
    },
    fault(kind) {
      wire.fault = kind
    },
  }
}
