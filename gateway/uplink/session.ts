/** One connection's life: what is sent over one mqtt.js client, with a deadline and the broker's own limit on what is open. */
import type { MqttClient } from 'mqtt'
import { type Clock, withDeadline } from '../kernel/clock.ts'
import { LuongError } from '../kernel/errors.ts'

/** The broker understood a message and said no (MQTT 5 reason code ≥ 0x80). */
export class BrokerRefused extends LuongError {
  readonly reasonCode: number
  constructor(message: string, reasonCode: number) {
    super('DEVICE_REFUSED', message, { hint: "Check the user's rights and the size limits at the broker." })
    this.reasonCode = reasonCode
  }
}

export interface PublishOptions {
  readonly qos: 0 | 1
  readonly retain: boolean
  /** MQTT 5 user properties. */
  readonly marks?: Readonly<Record<string, string>>
}

/** Publishes handed over and not yet settled. */
const MAX_IN_FLIGHT = 1_024

export class Session {
  readonly client: MqttClient
  readonly #name: string
  readonly #clock: Clock
  readonly #dead: (session: Session, why: string) => void
  readonly #rejects = new Set<(error: LuongError) => void>()
  /** QoS 1 publishes waiting for the broker's receive maximum, in order. */
  readonly #queue: (() => void)[] = []
  #open = 0
  /** Receive maximum of the broker (MQTT 5, 3.2.2.3.3): more unacknowledged publishes are a protocol error. mqtt.js does not heed it. */
  quota = 65_535
  connected = false
  /** Something besides our greeting was acknowledged. */
  proven = false
  readonly since: number
  /** Why it will have ended, should it end now. */
  why: string
  /** The broker refused the protocol version. */
  older = false
  /** The network failed before any broker was reached. */
  unreached = false

  /** @param dead called when an acknowledgement is overdue: the link is to be given up */
  constructor(client: MqttClient, name: string, clock: Clock, dead: (session: Session, why: string) => void) {
    this.client = client
    this.#name = name
    this.#clock = clock
    this.#dead = dead
    this.since = clock.mono()
    this.why = `${name}: the broker closed the connection`
  }

  get inFlight(): number {
    return this.#rejects.size
  }

  /** Rejects with LINK_DOWN, BrokerRefused, QUEUE_FULL, or what {@link abandon} is given. */
  send(topic: string, payload: Uint8Array | string, { qos, retain, marks }: PublishOptions, ms: number): Promise<void> {
    if (this.inFlight >= MAX_IN_FLIGHT) {
      return Promise.reject(new LuongError('QUEUE_FULL', `${this.#name}: ${this.inFlight} publishes are not yet acknowledged`))
    }
    const body = typeof payload === 'string' ? payload : Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
    const work = new Promise<void>((resolve, reject) => {
      const publish = () => {
        if (qos > 0) this.#open++
        const extra = marks ? { properties: { userProperties: { ...marks } } } : {}
        this.client.publish(topic, body, { qos, retain, ...extra }, (error) => {
          const code = error && 'code' in error && typeof error.code === 'number' ? error.code : 0
          if (error && code >= 0x80)
            reject(new BrokerRefused(`${this.#name}: ${topic} refused: ${error.message} (0x${code.toString(16)})`, code))
          else if (error) reject(new LuongError('LINK_DOWN', `${this.#name}: ${topic} was not taken: ${error.message}`))
          else resolve()
          if (qos === 0) return
          this.#open--
          this.#queue.shift()?.()
        })
      }
      if (qos > 0 && this.#open >= this.quota) this.#queue.push(publish)
      else publish()
    })
    return this.settle(work, ms, topic)
  }

  subscribe(filters: string[], ms: number, refused: (filters: string[]) => void): Promise<void> {
    if (filters.length === 0) return Promise.resolve()
    const work = new Promise<void>((resolve, reject) => {
      this.client.subscribe(filters, { qos: 1 }, (error, granted) => {
        const no = granted?.filter((g) => g.qos > 2).map((g) => g.topic) ?? []
        if (no.length > 0) refused(no)
        else if (error) return reject(new LuongError('LINK_DOWN', `${this.#name}: subscribing failed: ${error.message}`))
        resolve()
      })
    })
    return this.settle(work, ms, 'the subscription')
  }

  /** Settles with `work`, with the end of the session, or by ending it when `ms` have passed. */
  async settle(work: Promise<void>, ms: number, what: string): Promise<void> {
    let rejectMine: (error: LuongError) => void = () => {}
    const lost = new Promise<never>((_, reject) => {
      rejectMine = reject
    })
    this.#rejects.add(rejectMine)
    const late = () => {
      const why = `${this.#name}: ${what} was not acknowledged within ${ms} ms`
      this.#dead(this, why)
      return new LuongError('LINK_DOWN', why)
    }
    try {
      await withDeadline(this.#clock, Promise.race([work, lost]), ms, late)
    } finally {
      this.#rejects.delete(rejectMine)
    }
  }

  /** Everything under way rejects with `error`; nothing queued is sent any more. */
  abandon(error: LuongError): void {
    this.#queue.length = 0
    for (const reject of [...this.#rejects]) reject(error)
    this.#rejects.clear()
  }
}
