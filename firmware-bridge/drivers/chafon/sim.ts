/** The reader's end: answers inventories, or pushes what it sees and a heartbeat when it sees nothing. */
import type { Timer } from '../../../gateway/kernel/clock.ts'
import { FrameCutter } from '../../frame-cutter.ts'
import type { SimContext, SimDevice, SimFault } from '../../sim.ts'
import { SimWire } from '../../sim-wire.ts'
import { BROADCAST, CMD, encodeAnswer, encodeTags, requests, STATUS } from './codec.ts'
import type { Settings } from './schema.ts'

const PUSH_MS = 200
/** Pushes without a tag until a heartbeat is due; readers of family 18 have none. */
const HEARTBEAT = 5
const RSSI = 107
/** As many tags as go into one answer. */
const A_FRAME = 8

export interface ChafonSim extends SimDevice {
  readonly tag: { place(epcs: readonly string[]): void }
  fault(kind: SimFault): void
}

export function createChafonSim(settings: Settings, context: SimContext): ChafonSim {
  const { family, mode } = settings
  const address = settings.address === BROADCAST ? 0 : settings.address
  const wire = new SimWire(context.clock, () => context.line(settings.link))
  const cutter = new FrameCutter(requests)
  let epcs: readonly string[] = []
  let timer: Timer | undefined
  let quiet = 0
  let off = () => {}

  const answer = (command: number, status: number, data: readonly number[] = []) => wire.send(encodeAnswer(address, command, status, data))
  const look = (data: Uint8Array) => {
    const antenna = family === '288' ? (data[7] ?? 0x80) - 0x80 + 1 : 1
    if (wire.fault === 'exception') answer(CMD.inventory, STATUS.antenna)
    // Everybody stands before the first antenna.
    else if (epcs.length === 0 || antenna !== settings.antennas[0]) answer(CMD.inventory, STATUS.noTag)
    else
      for (let i = 0; i < epcs.length; i += A_FRAME) {
        const some = epcs.slice(i, i + A_FRAME).map((epc) => ({ epc, rssi: RSSI }))
        answer(CMD.inventory, i + A_FRAME < epcs.length ? STATUS.more : STATUS.last, encodeTags(family, antenna, some))
      }
  }
  const push = () => {
    timer = context.clock.after(PUSH_MS, push)
    for (const epc of epcs) {
      const bytes = [...Buffer.from(epc, 'hex')]
      answer(CMD.active, STATUS.ok, family === '288' ? [1, bytes.length, ...bytes, RSSI] : bytes)
    }
    quiet = epcs.length > 0 ? 0 : quiet + 1
    if (family === '288' && quiet > 0 && quiet % HEARTBEAT === 0)
      answer(
        CMD.active,
        STATUS.heartbeat,
        [0, 0, 0, quiet / HEARTBEAT, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0].map((b) => b & 0xff),
      )
  }

  return {
    id: context.id,
    tag: {
      place(next) {
        epcs = next
      },
    },
    start() {
      if (mode === 'active') {
        push()
        return
      }
      off = context.line(settings.link).onData((bytes) => {
        for (const request of cutter.push(bytes)) {
          if (request.address !== address && request.address !== BROADCAST) continue
          if (request.command === CMD.inventory) look(request.data)
          else answer(request.command, 0xfe)
        }
      })
    },
    async stop() {
      off()
      timer?.cancel()
      wire.stop()
    },
    fault(kind) {
      wire.fault = kind
    },
  }
}
