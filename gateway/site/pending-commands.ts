/** Commands handed to a lane's core and not yet answered by it. */
import type { ListIndex } from '../identity/lists.ts'
import type { CommandDo, Direction } from '../lane/model.ts'
import { isDetained } from '../rules/facts-of.ts'
import type { CommandNote } from './lane-events.ts'
import type { Passage } from './passage.ts'

export interface LaneCommand {
  readonly id: string
  readonly do: CommandDo
  readonly by: string
  readonly reason: string
  readonly expired: boolean
  /** Passage id the command is meant for, when it names one. */
  readonly passage?: string | undefined
  readonly direction?: Direction | undefined
}

export interface CommandAnswer {
  readonly ok: boolean
  readonly error?: string
}

export class PendingCommands {
  readonly #pending = new Map<string, { note: CommandNote; done: (answer: CommandAnswer) => void }>()

  add(c: LaneCommand): Promise<CommandAnswer> {
    return new Promise((done) => {
      this.#pending.set(c.id, { note: { do: c.do, by: c.by, reason: c.reason }, done })
    })
  }

  note(id: string): CommandNote | undefined {
    return this.#pending.get(id)?.note
  }

  /** @param why null: accepted */
  answer(id: string, why: string | null): void {
    this.#pending.get(id)?.done(why === null ? { ok: true } : { ok: false, error: why })
    this.#pending.delete(id)
  }

  answerAll(why: string): void {
    for (const id of [...this.#pending.keys()]) this.answer(id, why)
  }
}

/** What holds in the moment of the command. */
interface Now {
  readonly lists: ListIndex
  /** Wall clock, ms. */
  readonly now: number
  /** Why no vehicle may be let through just now, or null. */
  readonly inhibited: string | null
}

/** Reasons against a command that the core cannot know; null when there are none. */
export function refusal(c: LaneCommand, lane: string, live: Passage | null, now: Now): string | null {
  if (c.passage !== undefined && live?.id !== c.passage)
    return `passage ${c.passage} is not the vehicle in lane ${lane} (${live ? `that is ${live.id}` : 'there is none'})`
  if (c.do !== 'open') return null
  // As the list is now: it may have changed since the vehicle was decided.
  if (live?.identity && isDetained(live.identity, now)) return 'the vehicle is on the detained list: take it off the list first'
  return now.inhibited
}
