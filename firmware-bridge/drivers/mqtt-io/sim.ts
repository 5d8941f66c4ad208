/** A relay and sensor device's end: reports its inputs, obeys its command topics, says what its relays do and that it is there. */
import type { Timer } from '../../../gateway/kernel/clock.ts'
import { Listeners } from '../../../gateway/kernel/listeners.ts'
import type { SimContext, SimDevice, SimFault, SimTerminals } from '../../sim.ts'
import { type LevelSource, planOf, type Switched } from './codec.ts'
import type { Settings } from './schema.ts'

export interface MqttIoSim extends SimDevice {
  readonly terminals: SimTerminals
  fault(kind: SimFault): void
  /** Off: relays drop, the broker publishes the last will. On: birth, then all states. */
  power(on: boolean): void
}

export function createMqttIoSim(settings: Settings, context: SimContext): MqttIoSim {
  return new Board(settings, context)
}

const LATE_MS = 3_000

class Board implements MqttIoSim {
  readonly id: string
  readonly terminals: SimTerminals
  readonly #settings: Settings
  readonly #context: SimContext
  readonly #plan: ReturnType<typeof planOf>
  readonly #inputs = new Map<string, boolean>()
  readonly #outputs = new Map<string, { on: boolean; changed: Listeners<[boolean]>; pulse: Timer | undefined }>()
  #off: (() => void)[] = []
  #beat: Timer | undefined
  #late = new Set<Timer>()
  #fault: SimFault = 'none'
  #powered = true

  constructor(settings: Settings, context: SimContext) {
    this.id = context.id
    this.#settings = settings
    this.#context = context
    this.#plan = planOf(settings)
    for (const name of this.#plan.inputs.keys()) this.#inputs.set(name, false)
    for (const name of this.#plan.outputs.keys()) this.#outputs.set(name, { on: false, changed: new Listeners(), pulse: undefined })
    this.terminals = {
      setInput: (point, on) => this.#setInput(point, on),
      output: (point) => this.#output(point).on,
      onOutput: (point, fn) => this.#output(point).changed.add(fn),
    }
  }

  start(): void {
    const link = this.#context.messages(this.#settings.link)
    const { outputs, query } = this.#plan
    const topics = new Set([...outputs.values()].flatMap(({ topic, pulse }) => (pulse ? [topic, pulse.topic] : [topic])))
    this.#off = [...topics].map((topic) => link.subscribe(topic, (m) => this.#command(topic, Buffer.from(m.payload).toString('utf8'))))
    if (query)
      this.#off.push(link.subscribe(query.topic, (m) => Buffer.from(m.payload).toString('utf8') === query.payload && this.#reportAll()))
    this.#off.push(link.onState((up) => up && this.#birth()))
    this.#keepFresh()
  }

  async stop(): Promise<void> {
    this.#say(false)
    for (const off of this.#off) off()
    this.#off = []
    this.#beat?.cancel()
    for (const timer of this.#late) timer.cancel()
    this.#late.clear()
    for (const output of this.#outputs.values()) output.pulse?.cancel()
  }

  fault(kind: SimFault): void {
    this.#fault = kind
  }

  power(on: boolean): void {
    this.#powered = on
    if (on) this.#birth()
    else {
      this.#say(false)
      for (const name of this.#outputs.keys()) this.#switch(name, false)
    }
  }

  #output(point: string) {
    const output = this.#outputs.get(point)
    if (!output) throw new Error(`${this.id} has no output ${point}; it has ${[...this.#outputs.keys()].join(', ')}`)
    return output
  }

  #setInput(point: string, on: boolean): void {
    const source = this.#plan.inputs.get(point)
    if (!source) throw new Error(`${this.id} has no input ${point}; it has ${[...this.#inputs.keys()].join(', ')}`)
    if (this.#inputs.get(point) === on) return
    this.#inputs.set(point, on)
    this.#report(source.topic)
  }

  #birth(): void {
    if (!this.#powered) return
    this.#say(true)
    this.#reportAll()
  }

  /** Devices that report on change only are never stale by age; the others repeat themselves in time. */
  #keepFresh(): void {
    const { stale_ms: staleMs } = this.#settings
    if (staleMs === undefined) return
    this.#beat = this.#context.clock.after(staleMs / 3, () => {
      this.#reportAll()
      this.#keepFresh()
    })
  }

  #say(online: boolean): void {
    const { availability } = this.#plan
    if (availability) this.#publish(availability.topic, text([{ source: availability, on: online }]), true)
  }

  #reportAll(): void {
    const sources = [...this.#plan.inputs.values(), ...[...this.#plan.outputs.values()].map(({ state }) => state)]
    for (const topic of new Set(sources.flatMap((source) => (source ? [source.topic] : [])))) this.#report(topic)
  }

  /** All levels of one topic in one message, as JSON devices send them. */
  #report(topic: string): void {
    if (!this.#powered || this.#fault === 'silent') return
    const levels: { source: LevelSource; on: boolean }[] = []
    for (const [name, source] of this.#plan.inputs) if (source.topic === topic) levels.push({ source, on: this.#inputs.get(name)! })
    for (const [name, { state }] of this.#plan.outputs) {
      if (state?.topic === topic) levels.push({ source: state, on: this.#output(name).on })
    }
    const garbled = this.#fault === 'garbage' || this.#fault === 'bad-crc' || this.#fault === 'half'
    const publish = () => this.#publish(topic, garbled ? '{"stat' : text(levels), this.#settings.accept_retained)
    if (this.#fault !== 'late') {
      publish()
      return
    }
    const timer = this.#context.clock.after(LATE_MS, () => {
      this.#late.delete(timer)
      publish()
    })
    this.#late.add(timer)
  }

  #publish(topic: string, payload: string, retain: boolean): void {
    const link = this.#context.messages(this.#settings.link)
    // A device whose broker is away loses what it says; it says all of it again when it is back.
    if (link.up) link.publish(topic, payload, { qos: 1, retain }).catch(() => {})
  }

  #command(topic: string, payload: string): void {
    if (!this.#powered || this.#fault === 'silent' || this.#fault === 'exception') return
    for (const [name, topics] of this.#plan.outputs) {
      const ms = topics.pulse?.topic === topic ? pulseTime(topics, payload) : undefined
      if (ms !== undefined) {
        this.#switch(name, true)
        this.#output(name).pulse = this.#context.clock.after(ms, () => this.#switch(name, false))
      } else if (topics.topic === topic && (payload === topics.on || payload === topics.off)) this.#switch(name, payload === topics.on)
    }
  }

  #switch(name: string, on: boolean): void {
    const output = this.#output(name)
    output.pulse?.cancel()
    output.pulse = undefined
    const changed = output.on !== on
    output.on = on
    if (changed) output.changed.emit(on)
    const { state } = this.#plan.outputs.get(name)!
    if (state) this.#report(state.topic)
  }
}

/** The text of one message that says all `levels`. */
function text(levels: readonly { source: LevelSource; on: boolean }[]): string {
  const document: Record<string, unknown> = {}
  for (const { source, on } of levels) {
    const said = on ? source.on : source.off
    if (source.pointer === undefined) return said
    const keys = source.pointer.split('/').slice(1)
    const last = keys.pop()!
    let inner = document
    for (const key of keys) {
      inner[key] ??= {}
      inner = inner[key] as Record<string, unknown>
    }
    inner[last] = said === 'true' ? true : said === 'false' ? false : said
  }
  return JSON.stringify(document)
}

/** The time in a pulse command, ms; undefined when `payload` is none for this output. */
function pulseTime({ pulse }: Switched, payload: string): number | undefined {
  if (!pulse) return undefined
  const [, before, unit, after] = /^(.*?)\{(ms|s|ds)\}(.*)$/s.exec(pulse.payload) ?? []
  if (unit === undefined) return payload === pulse.payload ? 500 : undefined
  if (!payload.startsWith(before!) || !payload.endsWith(after!)) return undefined
  const value = Number(payload.slice(before!.length, payload.length - after!.length))
  return Number.isFinite(value) && value > 0 ? value * { ms: 1, s: 1_000, ds: 100 }[unit as 'ms' | 's' | 'ds'] : undefined
}
