/**
 * One screw terminal of a simulated board, found by its ref: what `io-1.do1` means to whatever is wired to it. A point that the site file
 * inverts has a normally closed contact wired to it, so that the gateway, which turns it round, sees the truth.
 */
import { deviceOf } from './plan.ts'
import type { SimContext, SimTerminals } from './sim.ts'

export interface SimTerminal {
  /** Something is there or has happened (on), or not. */
  set(on: boolean): void
  /** Whether what is wired to the relay is asked to act. */
  level(): boolean
  onLevel(fn: (on: boolean) => void): () => void
}

/** Throws when there is no such board; on a name the board does not have, the board throws when it is used. */
export function simTerminal(context: SimContext, ref: string): SimTerminal {
  const device = deviceOf(ref)
  return wired(context.terminals(device), ref.slice(device.length + 1))
}

/** The same for a board at hand. */
export function wired(board: SimTerminals, point: string): SimTerminal {
  const inverted = board.inverted?.(point) ?? false
  return {
    set: (on) => board.setInput(point, on !== inverted),
    level: () => board.output(point) !== inverted,
    onLevel: (fn) => board.onOutput(point, (on) => fn(on !== inverted)),
  }
}
