/** The sending side of a simulated device that can be made faulty: what all of them do to their frames alike. */
import type { Clock, Timer } from '../gateway/kernel/clock.ts'
import type { SimFault, SimLine } from './sim.ts'

const LATE_MS = 500

export class SimWire {
  readonly #clock: Clock
  readonly #line: () => SimLine
  readonly #late = new Set<Timer>()
  fault: SimFault = 'none'

  /** @param line asked for at each frame: the line may be made after the device */
  constructor(clock: Clock, line: () => SimLine) {
    this.#clock = clock
    this.#line = line
  }

  /** Sends a frame, or what the fault makes of it. `exception` is for the device to say. */
  send(frame: Uint8Array): void {
    if (this.fault === 'silent') return
    if (this.fault !== 'late') {
      this.#line().send(mangled(frame, this.fault))
      return
    }
    const timer = this.#clock.after(LATE_MS, () => {
      this.#late.delete(timer)
      this.#line().send(frame)
    })
    this.#late.add(timer)
  }

  stop(): void {
    for (const timer of this.#late) timer.cancel()
    this.#late.clear()
  }
}

function mangled(frame: Uint8Array, fault: SimFault): Uint8Array {
  if (fault === 'half') return frame.subarray(0, frame.length >> 1)
  if (fault === 'garbage') return frame.map((byte) => byte ^ 0x55)
  if (fault === 'bad-crc') return frame.map((byte, i) => (i === frame.length - 2 ? byte ^ 1 : byte))
  return frame
}
