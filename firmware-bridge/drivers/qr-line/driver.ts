/** A scanner in line mode. It speaks only when a code is held before it, so its silence means nothing. */
import type { Timer } from '../../../gateway/kernel/clock.ts'
import type { Device, DeviceHealth, DriverContext, Reader } from '../../driver.ts'
import { HealthBox, RareLog } from '../../health.ts'
import { Presences } from '../../presences.ts'
import type { ByteTransport } from '../../transport/transport.ts'
import { MAX_LINE, type Scan, ScanCutter } from './codec.ts'
import type { Settings } from './schema.ts'

export function createQrLine(settings: Settings, context: DriverContext): Device {
  return new QrLine(settings, context)
}

const REFUSED = {
  long: `a code of more than ${MAX_LINE} bytes was refused; is something else on this line?`,
  'not-text': 'a code that is no text was refused; check baud rate and the encoding set in scanner and site file',
  blank: 'a code without a printable character was ignored',
} as const

class QrLine implements Device {
  readonly id: string
  readonly code: Reader
  readonly #settings: Settings
  readonly #context: DriverContext
  readonly #line: ByteTransport
  readonly #cutter: ScanCutter
  readonly #presences: Presences
  readonly #health = new HealthBox(['codes', 'presences', 'refused_long', 'refused_not_text', 'refused_blank'])
  readonly #log: RareLog
  #unsubscribe: (() => void)[] = []
  #idle: Timer | undefined

  constructor(settings: Settings, context: DriverContext) {
    this.id = context.id
    this.#settings = settings
    this.#context = context
    this.#line = context.bytes(settings.link)
    this.#cutter = new ScanCutter(settings.encoding)
    this.#presences = new Presences(context.clock, settings.hold_ms)
    this.#log = new RareLog(context.clock, context.log)
    this.code = this.#presences
  }

  start(): void {
    if (this.#unsubscribe.length > 0) return
    this.#unsubscribe = [this.#line.onData((bytes) => this.#take(bytes)), this.#line.onState((up, why) => this.#state(up, why))]
  }

  async stop(): Promise<void> {
    for (const off of this.#unsubscribe) off()
    this.#unsubscribe = []
    this.#forget()
    this.#health.set('down', `${this.id}: stopped`)
  }

  health(): DeviceHealth {
    return this.#health.get()
  }

  onHealth(fn: (health: DeviceHealth) => void): () => void {
    return this.#health.on(fn)
  }

  #take(bytes: Uint8Array): void {
    for (const scan of this.#cutter.push(bytes)) this.#scan(scan)
    this.#idle?.cancel()
    this.#idle = undefined
    if (!this.#cutter.open) return
    this.#idle = this.#context.clock.after(this.#settings.idle_ms, () => {
      this.#idle = undefined
      for (const scan of this.#cutter.flush()) this.#scan(scan)
    })
  }

  #scan(scan: Scan): void {
    if ('refused' in scan) {
      this.#health.count(`refused_${scan.refused.replace('-', '_')}`)
      this.#log.warn({}, `${this.id}: ${REFUSED[scan.refused]}`)
      return
    }
    this.#health.count('codes')
    if (this.#presences.see({ text: scan.text, rssi: null, antenna: null })) this.#health.count('presences')
  }

  #state(up: boolean, why: string | undefined): void {
    if (up) {
      this.#health.set('ok')
      return
    }
    this.#forget()
    this.#health.set('down', `${this.id}: ${this.#line.name} is not connected${why === undefined ? '' : ` (${why})`}`)
  }

  #forget(): void {
    this.#idle?.cancel()
    this.#idle = undefined
    this.#cutter.reset()
    this.#presences.clear()
  }
}
