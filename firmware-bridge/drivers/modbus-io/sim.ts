/** A simulated board: answers the same bytes as a real one of the profile. */
import type { Timer } from '../../../gateway/kernel/clock.ts'
import { LuongError } from '../../../gateway/kernel/errors.ts'
import { Listeners } from '../../../gateway/kernel/listeners.ts'
import { decodeRequest, encodeException, encodeReply, type Reply, type Request, rtuFrame, tcpFrame } from '../../modbus/codec.ts'
import { requestReader, type ServedRequest } from '../../modbus/server.ts'
import type { SimContext, SimDevice, SimFault, SimTerminals } from '../../sim.ts'
import { PROFILES, type Profile, pointNames, type ReadForm } from './profiles.ts'
import type { Settings } from './schema.ts'

/** How late the fault `late` answers: after the usual time-out, within the time a master must allow for. */
const LATE_MS = 350
/** Firmware 2.00 as Waveshare writes it. */
const VERSION = 200

class ModbusIoSim implements SimDevice {
  readonly id: string
  readonly terminals: SimTerminals
  readonly #s: Settings
  readonly #c: SimContext
  readonly #profile: Profile
  readonly #unit: number
  readonly #inputs: boolean[]
  readonly #outputs: boolean[]
  readonly #flash: (Timer | undefined)[] = []
  readonly #listeners: Listeners<[boolean]>[]
  #fault: SimFault = 'none'
  #off: (() => void) | undefined
  #pending = new Set<Timer>()

  constructor(settings: Settings, context: SimContext) {
    this.id = context.id
    this.#s = settings
    this.#c = context
    this.#profile = PROFILES[settings.profile]
    this.#unit = settings.unit ?? this.#profile.unit
    const names = pointNames(this.#profile)
    // The terminals are what a cable sees; `invert` is what the gateway makes of it, so it is not applied here but told to who wires.
    this.#inputs = names.inputs.map(() => false)
    this.#outputs = names.outputs.map(() => false)
    this.#listeners = names.outputs.map(() => new Listeners<[boolean]>())
    const index = (list: readonly string[], point: string) => {
      const i = list.indexOf(point)
      if (i < 0)
        throw new LuongError('CONFIG_INVALID', `${this.id} has no terminal ${point}; it has ${list.join(', ') || 'none of that kind'}`)
      return i
    }
    this.terminals = {
      setInput: (point, on) => {
        this.#inputs[index(names.inputs, point)] = on
      },
      output: (point) => this.#outputs[index(names.outputs, point)]!,
      onOutput: (point, fn) => this.#listeners[index(names.outputs, point)]!.add(fn),
      inverted: (point) => settings.invert.includes(point),
    }
  }

  start(): void {
    if (this.#off) return
    const line = this.#c.line(this.#s.link)
    const reader = requestReader(this.#s.framing, this.#c.clock)
    this.#off = line.onData((bytes) => {
      for (const request of reader(bytes)) this.#hear(request)
    })
  }

  async stop(): Promise<void> {
    this.#off?.()
    this.#off = undefined
    for (const timer of this.#pending) timer.cancel()
    this.#pending.clear()
  }

  fault(kind: SimFault): void {
    this.#fault = kind
  }

  #hear(request: ServedRequest): void {
    if (request.unit !== this.#unit && request.unit !== 0) return
    const decoded = decodeRequest(request.pdu)
    const fc = request.pdu[0]!
    // Deaf, not only dumb: a board without power does nothing.
    if (this.#fault === 'silent') return
    let answer: Uint8Array
    if (this.#fault === 'exception') answer = encodeException(fc, 4)
    else if (!decoded) answer = encodeException(fc, 1)
    else answer = this.#serve(decoded)
    if (request.unit === 0) return
    const frame = request.transaction === undefined ? rtuFrame(this.#unit, answer) : tcpFrame(request.transaction, this.#unit, answer)
    this.#answer(frame)
  }

  #answer(frame: Uint8Array): void {
    const line = this.#c.line(this.#s.link)
    switch (this.#fault) {
      case 'late': {
        const timer = this.#c.clock.after(LATE_MS, () => {
          this.#pending.delete(timer)
          line.send(frame)
        })
        this.#pending.add(timer)
        break
      }
      case 'garbage':
        line.send(frame.map((b, i) => (b ^ (0x5a + i * 7)) & 0xff))
        break
      case 'bad-crc':
        line.send(frame.map((b, i) => (i === frame.length - 1 ? b ^ 0xff : b)))
        break
      case 'half':
        line.send(frame.slice(0, Math.floor(frame.length / 2)))
        break
      default:
        line.send(frame)
    }
  }

  #serve(r: Request): Uint8Array {
    switch (r.fc) {
      case 1:
      case 2:
      case 3:
      case 4:
        return this.#read(r)
      default:
        return this.#write(r) ? encodeReply(r, {}) : encodeException(r.fc, 2)
    }
  }

  #read(r: Request & { fc: 1 | 2 | 3 | 4 }): Uint8Array {
    if (r.fc === 3 && r.count === 1 && r.addr === this.#profile.version) return encodeReply(r, { registers: [VERSION] })
    const levels = this.#group(r, this.#profile.readOutputs, this.#outputs) ?? this.#group(r, this.#profile.readInputs, this.#inputs)
    if (!levels) return encodeException(r.fc, 2)
    const reply: Reply = r.fc <= 2 ? { bits: levels } : { registers: levels.map(Number) }
    return encodeReply(r, reply)
  }

  #group(r: Request & { fc: 1 | 2 | 3 | 4 }, form: ReadForm | undefined, levels: readonly boolean[]): boolean[] | undefined {
    if (!form || r.fc !== form.fc || r.addr < form.addr || r.addr + r.count > form.addr + form.count) return undefined
    return levels.slice(r.addr - form.addr, r.addr - form.addr + r.count)
  }

  /** false: no such address or value. */
  #write(r: Request): boolean {
    const { write, pulse } = this.#profile
    if (r.fc === 15) {
      if (write.fc !== 5 || r.addr < write.base || r.addr + r.bits.length > write.base + this.#outputs.length) return false
      r.bits.forEach((on, i) => {
        this.#set(r.addr - write.base + i, on)
      })
      return true
    }
    if (r.fc === 16) {
      if (pulse?.kind !== 'pair' || (r.addr - pulse.base) % pulse.stride !== 0 || r.values[0] !== pulse.mode) return false
      return this.#startFlash((r.addr - pulse.base) / pulse.stride, r.values[1]! * pulse.unitMs)
    }
    if (r.fc !== 5 && r.fc !== 6) return false
    if (r.fc === write.fc && (r.value === write.on || r.value === write.off)) {
      const index = r.addr - write.base
      if (index >= 0 && index < this.#outputs.length) return this.#set(index, r.value === write.on)
    }
    if (pulse?.kind !== 'single' || r.fc !== pulse.fc) return false
    const units = r.value - pulse.add
    if (units < 1 || units > pulse.max) return false
    return this.#startFlash(r.addr - pulse.base, units * pulse.unitMs)
  }

  #set(index: number, on: boolean): true {
    this.#flash[index]?.cancel()
    this.#flash[index] = undefined
    if (this.#outputs[index] !== on) {
      this.#outputs[index] = on
      this.#listeners[index]!.emit(on)
    }
    return true
  }

  #startFlash(index: number, ms: number): boolean {
    if (!Number.isInteger(index) || index < 0 || index >= this.#outputs.length) return false
    this.#set(index, true)
    this.#flash[index] = this.#c.clock.after(ms, () => this.#set(index, false))
    return true
  }
}

/** Makes the simulated board. Its relays keep their state over `stop`, as a board keeps it while nobody talks to it. */
export function createModbusIoSim(settings: Settings, context: SimContext): SimDevice {
  return new ModbusIoSim(settings, context)
}
