/** A central system: listens to everything a site publishes, checks it, and sends declarations and commands down. */
import { connect, type MqttClient } from 'mqtt'
import { until } from './chaos-site.ts'
import { EventLog } from './event-log.ts'

export interface CollectorOptions {
  readonly url: string
  readonly site: string
  readonly root?: string
  /** Of commands: the site's wall clock, which may be virtual. */
  readonly now?: () => number
}

export interface CommandText {
  readonly do: string
  readonly id?: string
  readonly lane?: string
  readonly by?: string
  readonly reason?: string
  readonly expires?: string
  readonly [more: string]: unknown
}

export class Collector {
  readonly log: EventLog
  readonly #o: CollectorOptions
  readonly #base: string
  #client: MqttClient | null = null
  #count = 0

  constructor(options: CollectorOptions) {
    const root = options.root ?? 'luong/v1'
    this.#o = options
    this.#base = `${root}/${options.site}`
    this.log = new EventLog({ root, site: options.site })
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    const client = connect(this.#o.url, {
      clientId: `centre-${Math.random().toString(36).slice(2)}`,
      reconnectPeriod: 100,
      protocolVersion: 4,
    })
    this.#client = client
    client.on('error', () => {})
    client.on('message', (topic, payload) => this.log.take(topic, payload.toString('utf8')))
    await new Promise<void>((resolve) => client.once('connect', () => resolve()))
    await client.subscribeAsync(`${this.#base}/#`, { qos: 1 })
  }

  async stop(): Promise<void> {
    await this.#client?.endAsync(true)
    this.#client = null
  }

  /** Publishes below `{root}/{site}/`. */
  async publish(topic: string, payload: unknown, retain = false): Promise<void> {
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
    await this.#client!.publishAsync(`${this.#base}/${topic}`, text, { qos: 1, retain })
  }

  /** Sends a command, complete unless told otherwise, and waits for its reply. */
  async command(c: CommandText): Promise<{ id: string; ok: boolean; error?: string }> {
    const id = c.id ?? `c-${++this.#count}`
    const before = this.log.replies.filter((r) => r.id === id).length
    const now = this.#o.now?.() ?? Date.now()
    const filled = { id, by: 'Officer Lan', reason: 'a test', expires: new Date(now + 60_000).toISOString(), ...c }
    await this.publish('command', filled)
    const replies = () => this.log.replies.filter((r) => r.id === id)
    await until(`a reply to ${JSON.stringify(filled)}`, () => replies().length > before)
    return replies().at(-1)!
  }
}
