/** The boards that something without a wire of its own hangs on: a barrier, a traffic light. */
import type { Device, DriverContext } from './driver.ts'

export class Boards {
  readonly #boards: readonly Pick<Device, 'id' | 'health' | 'onHealth'>[]

  constructor(context: DriverContext, refs: readonly (string | undefined)[]) {
    const boards = refs.filter((ref) => ref !== undefined).map((ref) => context.board(ref))
    this.#boards = [...new Set(boards)]
  }

  /** Why one of them cannot be reached, in its own words; undefined when all can. */
  away(): string | undefined {
    for (const board of this.#boards) {
      const { state, why } = board.health()
      if (state === 'down' || state === 'starting') return why ?? `${board.id} is ${state}`
    }
    return undefined
  }

  /** Called on each change of any board's health. */
  onHealth(fn: () => void): () => void {
    const offs = this.#boards.map((board) => board.onHealth(fn))
    return () => {
      for (const off of offs) off()
    }
  }
}
