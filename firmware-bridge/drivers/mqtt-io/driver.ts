/**
 * A relay or sensor device on MQTT. Inputs are known only while link and device are there and the device itself has spoken: stored
 * messages do not count unless the settings say so.
 */
import type { Timer } from '../../../gateway/kernel/clock.ts'
import { messageOf } from '../../../gateway/kernel/errors.ts'
import type { Device, DeviceHealth, DriverContext, Points } from '../../driver.ts'
import { HealthBox, RareLog } from '../../health.ts'
import { InputCell } from '../../input-cell.ts'
import type { Message, MessageTransport } from '../../transport/transport.ts'
import { type LevelSource, levelIn, type Plan, planOf } from './codec.ts'
import { MqttOutput } from './output.ts'
import type { Settings } from './schema.ts'

export function createMqttIo(settings: Settings, context: DriverContext): Device {
  return new MqttIo(settings, context)
}

const COUNTERS = ['messages', 'retained', 'unclear', 'commands', 'confirm_timeouts', 'pulse_off_failed', 'query_failed']

interface Input {
  readonly cell: InputCell
  /** What was heard since link and device were last lost; shown once the device is online. */
  heard: { value: boolean; at: number } | undefined
}

class MqttIo implements Device {
  readonly id: string
  readonly points: Points
  readonly #settings: Settings
  readonly #context: DriverContext
  readonly #plan: Plan
  readonly #link: MessageTransport
  readonly #health = new HealthBox(COUNTERS)
  readonly #log: RareLog
  readonly #inputs = new Map<string, Input>()
  readonly #outputs = new Map<string, MqttOutput>()
  #unsubscribe: (() => void)[] = []
  #running = false
  /** What the availability topic says; null until it said something. */
  #online: boolean | null = null
  #query: Timer | undefined

  constructor(settings: Settings, context: DriverContext) {
    this.id = context.id
    this.#settings = settings
    this.#context = context
    this.#plan = planOf(settings)
    this.#link = context.messages(settings.link)
    this.#log = new RareLog(context.clock, context.log)
    const { clock } = context
    for (const name of this.#plan.inputs.keys()) {
      this.#inputs.set(name, { cell: new InputCell(`${this.id}.${name}`, clock, settings.stale_ms), heard: undefined })
    }
    for (const [name, topics] of this.#plan.outputs) {
      const parts = { ref: `${this.id}.${name}`, topics, link: this.#link, clock, health: this.#health, confirmMs: settings.confirm_ms }
      this.#outputs.set(name, new MqttOutput({ ...parts, away: () => this.#away() }))
    }
    this.points = { inputs: new Map([...this.#inputs].map(([name, { cell }]) => [name, cell])), outputs: this.#outputs }
  }

  start(): void {
    if (this.#running) return
    this.#running = true
    const { inputs, outputs, availability } = this.#plan
    const topics = new Map<string, ((message: Message) => void)[]>()
    const listen = (topic: string, fn: (message: Message) => void) => topics.set(topic, [...(topics.get(topic) ?? []), fn])
    if (availability) listen(availability.topic, (message) => this.#available(message, availability))
    for (const [name, source] of inputs) listen(source.topic, (message) => this.#input(message, source, this.#inputs.get(name)!))
    for (const [name, { state }] of outputs) {
      if (state) listen(state.topic, (message) => this.#state(message, state, this.#outputs.get(name)!))
    }
    this.#unsubscribe = [...topics].map(([topic, fns]) => this.#link.subscribe(topic, (message) => this.#message(message, fns)))
    for (const { cell } of this.#inputs.values()) this.#unsubscribe.push(cell.onChange(() => this.#look()))
    this.#unsubscribe.push(this.#link.onState((up) => this.#linkState(up)))
    this.#look()
  }

  /** Ends pulses that run; leaves all other relays as they are. */
  async stop(): Promise<void> {
    if (!this.#running) return
    await Promise.all([...this.#outputs.values()].map((output) => output.finish()))
    this.#running = false
    this.#query?.cancel()
    this.#query = undefined
    for (const off of this.#unsubscribe) off()
    this.#unsubscribe = []
    this.#online = null
    this.#forget()
    this.#health.set('down', `${this.id}: stopped`)
  }

  health(): DeviceHealth {
    return this.#health.get()
  }

  onHealth(fn: (health: DeviceHealth) => void): () => void {
    return this.#health.on(fn)
  }

  #message(message: Message, fns: readonly ((message: Message) => void)[]): void {
    this.#health.count(message.retained ? 'retained' : 'messages')
    for (const fn of fns) fn(message)
  }

  #input(message: Message, source: LevelSource, input: Input): void {
    if (message.retained && !this.#settings.accept_retained) return
    const level = levelIn(message.payload, source)
    if (level === 'absent') return
    if (level === 'unclear') {
      this.#unclear(message, source, input.cell.ref)
      input.heard = undefined
      input.cell.forget()
      return
    }
    input.heard = { value: level, at: this.#context.clock.mono() }
    this.#show(input)
  }

  #state(message: Message, source: LevelSource, output: MqttOutput): void {
    if (message.retained) return
    const level = levelIn(message.payload, source)
    if (level === 'unclear') {
      this.#unclear(message, source, output.ref)
      output.forget()
    } else if (level !== 'absent') output.heard(level)
  }

  /** The broker's stored last will is the present truth, so retained messages count here. */
  #available(message: Message, source: LevelSource): void {
    const level = levelIn(message.payload, source)
    if (level === 'absent') return
    if (level === 'unclear') this.#unclear(message, source, this.id)
    const was = this.#online
    this.#online = level === 'unclear' ? null : level
    if (this.#online === false || (this.#online === null && was !== null)) this.#forget()
    if (this.#online && !was) {
      for (const input of this.#inputs.values()) this.#show(input)
      this.#ask()
    }
    this.#look()
  }

  #linkState(up: boolean): void {
    if (!up) {
      this.#online = null
      this.#forget()
    } else this.#ask()
    this.#look()
  }

  /** Why the device cannot be reached. */
  #away(): string | undefined {
    if (!this.#running) return 'the device is stopped'
    if (!this.#link.up) return `${this.#link.name} is not connected`
    if (this.#online === false) return `${this.#plan.availability?.topic} says that the device is offline; check its power and network`
    return undefined
  }

  #show(input: Input): void {
    const { stale_ms: staleMs } = this.#settings
    if (input.heard === undefined || !this.#link.up) return
    if (this.#plan.availability !== undefined && this.#online !== true) return
    if (staleMs !== undefined && this.#context.clock.mono() - input.heard.at >= staleMs) return
    input.cell.confirm(input.heard.value, input.heard.at)
  }

  #forget(): void {
    for (const input of this.#inputs.values()) {
      input.heard = undefined
      input.cell.forget()
    }
    for (const output of this.#outputs.values()) output.forget()
  }

  /** Asks for the present state, now and again after `query_ms`. */
  #ask(): void {
    const { query } = this.#plan
    if (query === undefined) return
    this.#query?.cancel()
    this.#query = this.#context.clock.after(this.#settings.query_ms, () => this.#ask())
    if (this.#away() !== undefined) return
    this.#link.publish(query.topic, query.payload, { qos: 1, retain: false }).catch((error) => {
      this.#health.count('query_failed')
      this.#log.warn({ topic: query.topic, why: messageOf(error) }, `${this.id}: the device could not be asked for its state`)
    })
  }

  #unclear(message: Message, source: LevelSource, ref: string): void {
    this.#health.count('unclear')
    const said = Buffer.from(message.payload.subarray(0, 80)).toString('utf8')
    const fields = { topic: message.topic, said, on: source.on, off: source.off, pointer: source.pointer }
    this.#log.warn(fields, `${ref}: a message is neither on nor off; the value is unknown`)
  }

  #look(): void {
    if (!this.#running) return
    const away = this.#away()
    const unknown = [...this.#inputs.values()].find(({ cell }) => cell.read().value === null)
    if (away !== undefined) this.#health.set('down', `${this.id}: ${away}`)
    else if (this.#plan.availability !== undefined && this.#online === null) {
      this.#health.set(
        'degraded',
        `${this.id}: nothing heard on ${this.#plan.availability.topic} yet; check the device's topic and broker address`,
      )
    } else if (unknown) this.#health.set('degraded', `${this.id}: ${unknown.cell.ref} is unknown; the device has not reported it`)
    else this.#health.set('ok')
  }
}
