/** A line in memory: the driver's end and the simulated devices' end, for tests and for the demo in one process. */
import type { Clock } from '../../gateway/kernel/clock.ts'
import { LuongError } from '../../gateway/kernel/errors.ts'
import { Listeners } from '../../gateway/kernel/listeners.ts'
import type { SimLine } from '../sim.ts'
import { LinkState } from './link-state.ts'
import type { ByteTransport } from './transport.ts'

const delivered = Promise.resolve()

export interface MemoryLine {
  readonly master: ByteTransport
  readonly device: SimLine
  /** Pulls the cable: the master goes down, bytes under way are lost. */
  cut(why?: string): void
  restore(): void
}

export interface MemoryLineOptions {
  /** Bytes take their time on the wire (10 bits a byte). Absent: they arrive at once. */
  readonly baud?: number
}

/** Makes a line; bytes arrive in order, never in the turn in which they were sent. */
export function memoryLine(name: string, clock: Clock, options: MemoryLineOptions = {}): MemoryLine {
  const state = new LinkState()
  const toMaster = new Listeners<[Uint8Array]>()
  const toDevice = new Listeners<[Uint8Array]>()
  let plugged = true
  let started = false
  // Bytes sent before the last cut must not arrive after it.
  let epoch = 0

  const direction = (to: Listeners<[Uint8Array]>) => {
    let freeAt = 0
    return (bytes: Uint8Array) => {
      const sentIn = epoch
      const copy = Uint8Array.from(bytes)
      const deliver = () => {
        if (sentIn === epoch && state.up) to.emit(copy)
      }
      if (options.baud === undefined) {
        // Cheaper than queueMicrotask, which keeps an async context for each; nothing that listens throws (Listeners).
        void delivered.then(deliver)
        return
      }
      const now = clock.mono()
      freeAt = Math.max(now, freeAt) + (copy.length * 10_000) / options.baud
      clock.after(freeAt - now, deliver)
    }
  }
  const sendToDevice = direction(toDevice)
  const sendToMaster = direction(toMaster)
  const down = (why: string) => {
    epoch++
    state.set(false, why)
  }

  return {
    master: {
      name,
      get up() {
        return state.up
      },
      start() {
        started = true
        if (plugged) state.set(true)
      },
      async stop() {
        started = false
        down(`${name}: stopped`)
      },
      async write(bytes) {
        if (!state.up) throw new LuongError('LINK_DOWN', `${name} is not connected`)
        sendToDevice(bytes)
      },
      onData: (fn) => toMaster.add(fn),
      onState: (fn) => state.on(fn),
    },
    device: {
      onData: (fn) => toDevice.add(fn),
      send(bytes) {
        if (state.up) sendToMaster(bytes)
      },
    },
    cut(why = `${name}: the cable is unplugged`) {
      plugged = false
      down(why)
    },
    restore() {
      plugged = true
      if (started) state.set(true)
    },
  }
}
