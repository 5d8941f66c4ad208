/** The central system of the simulated world: declarations and list entries, kept on the site's broker as they should be. */

import type { MessageTransport } from '../../firmware-bridge/transport/transport.ts'
import { messageOf } from '../../gateway/kernel/errors.ts'
import type { Log } from '../../gateway/kernel/log.ts'

/** A declaration as it is published (gateway/identity/declaration.ts has the schema). */
export interface Declaration {
  readonly id: string
  readonly plate: string
  readonly trailer?: string
  readonly tag?: string
  readonly direction: 'import' | 'export'
  readonly traffic: string
  readonly goods?: string
  readonly weight_kg?: number
  readonly tare_kg?: number
  readonly firm?: string
  readonly priority?: boolean
  readonly resident?: string
  readonly perishable?: boolean
  readonly cargo?: readonly Readonly<Record<string, string | number>>[]
  readonly currency?: string
  readonly two_way?: string
  readonly channel?: 'green' | 'yellow' | 'red'
  readonly valid_from: string
  readonly valid_to: string
}

export interface Feed {
  declare(declaration: Declaration): void
  withdraw(id: string): void
  /** An entry of a list such as `detained`; null takes it away. */
  list(list: string, key: string, entry: { readonly key: string; readonly reason?: string } | null): void
}

/** Topics wait here while the broker is away; one text per topic, the newest. When it is full the oldest is dropped. */
const BOUND = 2_000

/**
 * Publishes retained on `{root}/{site}/declaration/{id}` and `…/list/{list}/{key}`, in order, again after a link loss
 * until the broker has it. `stop` gives up what is waiting.
 */
export class MqttFeed implements Feed {
  readonly #messages: MessageTransport
  readonly #base: string
  readonly #log: Log
  readonly #waiting = new Map<string, string>()
  #sending = false
  #off: (() => void) | null = null

  constructor(messages: MessageTransport, base: string, log: Log) {
    this.#messages = messages
    this.#base = base
    this.#log = log
  }

  start(): void {
    this.#off ??= this.#messages.onState((up) => {
      if (up) void this.#send()
    })
  }

  async stop(): Promise<void> {
    this.#off?.()
    this.#off = null
    this.#waiting.clear()
  }

  declare(declaration: Declaration): void {
    this.#put(`declaration/${declaration.id}`, JSON.stringify(declaration))
  }

  withdraw(id: string): void {
    this.#put(`declaration/${id}`, '')
  }

  list(list: string, key: string, entry: { readonly key: string; readonly reason?: string } | null): void {
    this.#put(`list/${list}/${key}`, entry === null ? '' : JSON.stringify(entry))
  }

  #put(topic: string, text: string): void {
    this.#waiting.delete(topic)
    this.#waiting.set(topic, text)
    if (this.#waiting.size > BOUND) {
      const [oldest] = this.#waiting.keys()
      this.#waiting.delete(oldest!)
      this.#log.warn({ topic: oldest }, 'the broker has been away for too long: the oldest message of the feed was dropped')
    }
    void this.#send()
  }

  async #send(): Promise<void> {
    if (this.#sending || this.#off === null) return
    this.#sending = true
    try {
      while (this.#messages.up && this.#waiting.size > 0) {
        const [topic, text] = this.#waiting.entries().next().value!
        await this.#messages.publish(`${this.#base}/${topic}`, text, { qos: 1, retain: true })
        if (this.#waiting.get(topic) === text) this.#waiting.delete(topic)
      }
    } catch (error) {
      this.#log.debug({ err: messageOf(error) }, 'the feed waits for the broker')
    } finally {
      this.#sending = false
    }
  }
}
