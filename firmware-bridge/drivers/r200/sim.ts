/** The reader's end: looks when asked, or again and again once started, and reports each tag before its antenna. */
import type { Timer } from '../../../gateway/kernel/clock.ts'
import { FrameCutter } from '../../frame-cutter.ts'
import type { SimContext, SimDevice, SimFault } from '../../sim.ts'
import { SimWire } from '../../sim-wire.ts'
import { CMD, encode, encodeTag, framing, NO_TAG, TYPE, tagCrc } from './codec.ts'
import type { Settings } from './schema.ts'

/** Time of one look of a reader that looks by itself. */
const LOOK_MS = 40
const RSSI = -55

export interface R200Sim extends SimDevice {
  readonly tag: { place(epcs: readonly string[]): void }
  fault(kind: SimFault): void
}

export function createR200Sim(settings: Settings, context: SimContext): R200Sim {
  const wire = new SimWire(context.clock, () => context.line(settings.link))
  const cutter = new FrameCutter(framing)
  let epcs: readonly string[] = []
  let looks: Timer | undefined
  let off = () => {}

  const look = () => {
    if (wire.fault === 'exception') wire.send(encode(TYPE.answer, CMD.error, [0x20]))
    else if (epcs.length === 0) wire.send(encode(TYPE.answer, CMD.error, [NO_TAG]))
    else for (const epc of epcs) wire.send(notice(epc))
  }
  const again = () => {
    looks?.cancel()
    looks = context.clock.after(LOOK_MS, () => {
      look()
      again()
    })
  }
  const stop = () => {
    looks?.cancel()
    looks = undefined
  }

  return {
    id: context.id,
    tag: {
      place(next) {
        epcs = next
      },
    },
    start() {
      off = context.line(settings.link).onData((bytes) => {
        for (const { type, command } of cutter.push(bytes)) {
          if (type !== TYPE.command) continue
          if (command === CMD.single) look()
          else if (command === CMD.multi) again()
          else if (command === CMD.stop) {
            stop()
            wire.send(encode(TYPE.answer, CMD.stop, [0]))
          } else wire.send(encode(TYPE.answer, CMD.error, [0x17]))
        }
      })
    },
    async stop() {
      off()
      stop()
      wire.stop()
    },
    fault(kind) {
      wire.fault = kind
    },
  }
}

/** A tag as the reader sees it, with the protocol control word and CRC that such a tag has. */
function notice(epc: string): Uint8Array {
  const bytes = Buffer.from(epc, 'hex')
  const pc = (bytes.length >> 1) << 11
  const crc = tagCrc(Buffer.concat([Uint8Array.from([pc >> 8, pc & 0xff]), bytes]))
  return encodeTag({ epc, pc, rssi: RSSI, crc: crc.toString(16).padStart(4, '0') })
}
