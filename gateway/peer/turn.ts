/** May this lane turn? Asked of the other half of a smart gate, where the lane leads into one of its lanes; and its questions answered. */
import { randomBytes } from 'node:crypto'
import type { Direction } from '../lane/model.ts'
import type { PeerMessage, PeerSignal } from '../uplink/schema/peer.ts'

/** Why a lane of this site stands against traffic in that direction, or null: then the other half may turn its end of the road. */
export type MayTurn = (lane: string, direction: Direction) => string | null

/** Questions under way; one more is refused. */
const MOST_ASKED = 16

export class Turning {
  readonly #say: (signal: PeerSignal) => void
  readonly #mayTurn: MayTurn
  readonly #asked = new Map<string, (why: string | null) => void>()

  constructor(say: (signal: PeerSignal) => void, mayTurn: MayTurn) {
    this.#say = say
    this.#mayTurn = mayTurn
  }

  /** Null: the other half agrees; else why not. It settles when the answer comes, or with {@link stop}: whoever asks has a deadline. */
  ask(lane: string, direction: Direction): Promise<string | null> {
    const question = randomBytes(8).toString('hex')
    return new Promise((resolve) => {
      // The oldest has had no answer for longest, and whoever asked it waits no more.
      const [oldest] = this.#asked.keys()
      if (this.#asked.size >= MOST_ASKED) this.#answered(oldest!, 'too many questions at once')
      this.#asked.set(question, resolve)
      this.#say({ kind: 'ask', question, lane, direction })
    })
  }

  heard(message: PeerMessage): void {
    if (message.kind === 'ask') {
      const { question, lane, direction } = message
      const why = this.#mayTurn(lane, direction)
      this.#say({ kind: 'answer', question, agreed: why === null, ...(why === null ? {} : { why: why.slice(0, 300) }) })
    } else if (message.kind === 'answer') this.#answered(message.question, message.agreed ? null : (message.why ?? 'it says no more'))
  }

  stop(): void {
    for (const question of [...this.#asked.keys()]) this.#answered(question, 'the gateway is stopping')
  }

  /** An answer to what was not asked, or was answered, counts for nothing. */
  #answered(question: string, why: string | null): void {
    this.#asked.get(question)?.(why)
    this.#asked.delete(question)
  }
}
