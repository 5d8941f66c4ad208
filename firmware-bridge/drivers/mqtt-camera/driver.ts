/**
 * Pictures from an MQTT topic. What is no picture is counted and logged and never thrown; retained copies are ignored, for they
 * show a vehicle of some other time.
 */
import type { Timer } from '../../../gateway/kernel/clock.ts'
import { messageOf } from '../../../gateway/kernel/errors.ts'
import { Listeners } from '../../../gateway/kernel/listeners.ts'
import type { Camera, Device, DeviceHealth, DriverContext, Frame } from '../../driver.ts'
import { HealthBox, RareLog } from '../../health.ts'
import type { Message, MessageTransport } from '../../transport/transport.ts'
import { unwrapPicture } from './codec.ts'
import type { Settings } from './schema.ts'

export function createMqttCamera(settings: Settings, context: DriverContext): Device {
  return new MqttCamera(settings, context)
}

const COUNTERS = [
  'frames',
  'bytes',
  'retained',
  'empty',
  'too_large',
  'bad_json',
  'no_picture',
  'bad_base64',
  'too_many_pixels',
  'trigger_failed',
]

class MqttCamera implements Device {
  readonly id: string
  readonly camera: Camera
  readonly #settings: Settings
  readonly #context: DriverContext
  readonly #link: MessageTransport
  readonly #frames = new Listeners<[Frame]>()
  readonly #health = new HealthBox(COUNTERS)
  readonly #log: RareLog
  #unsubscribe: (() => void)[] = []
  #watch: Timer | undefined
  /** Why the last message was not taken; cleared by a good one. */
  #refused: string | undefined
  #lastAt: number | undefined
  #startedAt = 0

  constructor(settings: Settings, context: DriverContext) {
    this.id = context.id
    this.#settings = settings
    this.#context = context
    this.#link = context.messages(settings.link)
    this.#log = new RareLog(context.clock, context.log)
    this.camera = {
      onFrame: (fn) => this.#frames.add(fn),
      ...(settings.trigger === undefined ? {} : { trigger: () => this.#trigger() }),
    }
  }

  start(): void {
    if (this.#unsubscribe.length > 0) return
    this.#startedAt = this.#context.clock.mono()
    this.#lastAt = undefined
    this.#refused = undefined
    this.#unsubscribe = [
      this.#link.onState(() => this.#look()),
      this.#link.subscribe(this.#settings.topic, (message) => this.#take(message)),
    ]
    this.#look()
  }

  async stop(): Promise<void> {
    for (const off of this.#unsubscribe) off()
    this.#unsubscribe = []
    this.#watch?.cancel()
    this.#watch = undefined
    this.#health.set('down', `${this.id}: stopped`)
  }

  health(): DeviceHealth {
    return this.#health.get()
  }

  onHealth(fn: (health: DeviceHealth) => void): () => void {
    return this.#health.on(fn)
  }

  #take(message: Message): void {
    const at = this.#context.clock.mono()
    if (message.retained) {
      this.#health.count('retained')
      return
    }
    const taken = unwrapPicture(message.payload, { maxBytes: this.#settings.max_kb * 1_024, pointer: this.#settings.pointer })
    if ('refusal' in taken) {
      this.#health.count(taken.refusal)
      this.#log.warn(
        { topic: message.topic, reason: taken.refusal, why: taken.why },
        `${this.id}: a message that is no usable picture was ignored`,
      )
      this.#refused = `${this.id}: the last message on ${message.topic} was ignored: ${taken.why}`
      this.#look()
      return
    }
    this.#health.count('frames')
    this.#health.count('bytes', taken.image.length)
    this.#lastAt = at
    this.#refused = undefined
    this.#look()
    this.#frames.emit({ camera: this.id, image: taken.image, at })
  }

  #trigger(): void {
    const { trigger } = this.#settings
    if (trigger === undefined || this.#unsubscribe.length === 0) return
    this.#link.publish(trigger.topic, trigger.payload, { qos: 1, retain: false }).catch((error) => {
      this.#health.count('trigger_failed')
      this.#log.warn({ topic: trigger.topic, why: messageOf(error) }, `${this.id}: the camera could not be triggered`)
    })
  }

  /** Works health out anew and sets the next look when pictures are expected regularly. */
  #look(): void {
    const { stale_ms: staleMs, topic } = this.#settings
    if (this.#unsubscribe.length === 0) return
    const age = this.#context.clock.mono() - (this.#lastAt ?? this.#startedAt)
    const late = staleMs !== undefined && age >= staleMs
    if (staleMs !== undefined) {
      this.#watch ??= this.#context.clock.after(late ? staleMs : staleMs - age, () => {
        this.#watch = undefined
        this.#look()
      })
    }
    if (!this.#link.up) this.#health.set('down', `${this.id}: ${this.#link.name} is not connected`)
    else if (this.#refused !== undefined) this.#health.set('degraded', this.#refused)
    else if (late)
      this.#health.set('down', `${this.id}: no picture on ${topic} for ${staleMs / 1_000} s; check the camera's power, network and topic`)
    else if (staleMs !== undefined && this.#lastAt === undefined) this.#health.set('starting')
    else this.#health.set('ok')
  }
}
