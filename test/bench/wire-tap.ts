/**
 * Listens on the boards' end of a Modbus line: which answer carried a change of an input, and which request switched a relay as its
 * consequence. Times are taken where the bytes leave and reach the board.
 */

import { requestReader } from '../../firmware-bridge/modbus/server.ts'
import type { SimLine } from '../../firmware-bridge/sim.ts'
import { systemClock } from '../../gateway/kernel/clock.ts'

/** Terminals of the shared wiring plan (config/sites/shared/kim-thanh-lanes.yaml). */
const DI = { presence: 1, open: 4 } as const
const COIL = { red: 3, green: 4 } as const
const FLASH_OPEN = 0x0200

export interface Reaction {
  /**
   * light: the arm's open limit came on → the red lamp is switched off (no debounce). enter: a truck drives under the arm → the green lamp is
   * switched off. reopen: something came under the closing arm → open.
   */
  readonly kind: 'light' | 'enter' | 'reopen'
  /** Last byte of the answer leaves the board → last byte of the command reaches it, ms. Debounce included. */
  readonly ms: number
}

/** A command later than this has another cause. */
const FAR_MS = 1_000

export class WireTap {
  readonly #onReaction: (reaction: Reaction) => void
  /** Of every request that opens an arm. */
  readonly #onOpen: (unit: number, at: number) => void
  /** Inputs as last answered, by unit. */
  readonly #inputs = new Map<number, number>()
  /** When an edge went over the wire, by unit and input. */
  readonly #edges = new Map<string, number>()
  /** Requests and answers seen. */
  polls = 0

  constructor(onReaction: (reaction: Reaction) => void, onOpen: (unit: number, at: number) => void = () => {}) {
    this.#onReaction = onReaction
    this.#onOpen = onOpen
  }

  /** The line as the simulated boards shall have it. */
  tap(line: SimLine): SimLine {
    const read = requestReader('rtu', systemClock)
    line.onData((bytes) => {
      const at = performance.now()
      for (const { unit, pdu } of read(bytes)) this.#asked(unit, pdu, at)
    })
    return {
      onData: (fn) => line.onData(fn),
      send: (bytes) => {
        this.#answered(bytes, performance.now())
        line.send(bytes)
      },
    }
  }

  #answered(frame: Uint8Array, at: number): void {
    if (frame[1] !== 2 || frame.length < 6) return
    const unit = frame[0]!
    const now = frame[3]!
    const before = this.#inputs.get(unit) ?? 0
    this.polls++
    this.#inputs.set(unit, now)
    for (let di = 0; di < 8; di++) if (now & ~before & (1 << di)) this.#edges.set(`${unit} ${di}`, at)
  }

  #asked(unit: number, pdu: Uint8Array, at: number): void {
    if (pdu[0] !== 5) return
    const address = (pdu[1]! << 8) | pdu[2]!
    const off = pdu[3] === 0 && pdu[4] === 0
    if (address === COIL.red && off) this.#reaction('light', unit, DI.open, at)
    else if (address === COIL.green && off) this.#reaction('enter', unit, DI.presence, at)
    else if (address === FLASH_OPEN) {
      this.#onOpen(unit, at)
      this.#reaction('reopen', unit, DI.presence, at)
    }
  }

  #reaction(kind: Reaction['kind'], unit: number, di: number, at: number): void {
    const key = `${unit} ${di}`
    const since = this.#edges.get(key)
    this.#edges.delete(key)
    if (since === undefined || at - since > FAR_MS) return
    this.#onReaction({ kind, ms: at - since })
  }
}
