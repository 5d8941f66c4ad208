/** One screw terminal of a simulated board, found by its ref: what `io-1.do1` means to whatever is wired to it. */
import { deviceOf } from './plan.ts'
import type { SimContext } from './sim.ts'

export interface SimTerminal {
  /** Closes or opens an input contact. */
  set(on: boolean): void
  /** What the board drives the relay to. */
  level(): boolean
  onLevel(fn: (on: boolean) => void): () => void
}

/** Throws when there is no such board; on a name the board does not have, the board throws when it is used. */
export function simTerminal(context: SimContext, ref: string): SimTerminal {
  const device = deviceOf(ref)
  const point = ref.slice(device.length + 1)
  const board = context.terminals(device)
  return { set: (on) => board.setInput(point, on), level: () => board.output(point), onLevel: (fn) => board.onOutput(point, fn) }
}
