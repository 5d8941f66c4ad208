/** A central system that writes down every event as it comes, for the audit afterwards: what is missing, double, changed, out of order. */
import { createHash } from 'node:crypto'
import { connect, type MqttClient } from 'mqtt'
import { sequenceIn } from './traffic-events.ts'

export interface Audit {
  readonly lost: number
  /** Arrivals of an event that was there already, and those of them with other bytes. */
  readonly duplicated: number
  readonly changed: number
  /** First arrivals with a lower sequence than one before. */
  readonly outOfOrder: number
}

export class StreamRecord {
  readonly #digests = new Map<number, string>()
  readonly #changed: number[] = []
  #duplicated = 0
  #outOfOrder = 0
  #highest = 0
  #next = 1
  #client: MqttClient | undefined
  /** `performance.now()` of the last first arrival. */
  lastAt = 0
  /** Called for every arrival. */
  onEvent: (sequence: number, first: boolean, topic: string) => void = () => {}
  /** Called for messages that are no events. */
  onOther: (topic: string, text: string) => void = () => {}

  /** Listens at the broker in a session that outlives a lost connection. Resolves when subscribed. */
  async listen(url: string, topics = ['luong/v1/+/lane/+/event']): Promise<void> {
    const client = connect(url, { clientId: 'record', clean: false, reconnectPeriod: 50, connectTimeout: 5_000 })
    this.#client = client
    client.on('error', () => {})
    client.on('message', (topic, payload) => {
      const text = payload.toString('utf8')
      if (topic.endsWith('/event')) this.take(topic, text)
      else this.onOther(topic, text)
    })
    // Again after each loss: a broker that lost its memory has lost the session as well.
    client.on('connect', () => client.subscribe(topics, { qos: 1 }))
    await new Promise<void>((done) => client.once('connect', () => client.subscribe(topics, { qos: 1 }, () => done())))
  }

  get client(): MqttClient {
    if (!this.#client) throw new Error('not listening')
    return this.#client
  }

  take(topic: string, json: string): void {
    const sequence = sequenceIn(json)
    const digest = createHash('sha1').update(json).digest('base64')
    const before = this.#digests.get(sequence)
    if (before !== undefined) {
      this.#duplicated++
      if (before !== digest) this.#changed.push(sequence)
    } else {
      this.#digests.set(sequence, digest)
      if (sequence < this.#highest) this.#outOfOrder++
      this.#highest = Math.max(this.#highest, sequence)
      this.lastAt = performance.now()
      while (this.#digests.has(this.#next)) this.#next++
    }
    this.onEvent(sequence, before === undefined, topic)
  }

  /** Everything up to here has come. */
  get complete(): number {
    return this.#next - 1
  }
  get highest(): number {
    return this.#highest
  }
  get size(): number {
    return this.#digests.size
  }

  /** @param total events that were handed over, from 1 */
  audit(total: number): Audit {
    let lost = 0
    for (let n = 1; n <= total; n++) if (!this.#digests.has(n)) lost++
    return { lost, duplicated: this.#duplicated, changed: this.#changed.length, outOfOrder: this.#outOfOrder }
  }

  async stop(): Promise<void> {
    await this.#client?.endAsync(true)
  }
}
