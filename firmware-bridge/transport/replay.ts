/** Recorded bytes: a recorder that listens on any line, and a line that says again what was recorded. */
import type { Clock, Timer } from '../../gateway/kernel/clock.ts'
import { LuongError } from '../../gateway/kernel/errors.ts'
import { Listeners } from '../../gateway/kernel/listeners.ts'
import { LinkState } from './link-state.ts'
import type { ByteTransport } from './transport.ts'

/** A line of a recording. `t`: ms since it began. `rx`: from the device; `tx`: to it; `end`: the recording reached its limit. */
export interface Recorded {
  readonly t: number
  readonly dir: 'rx' | 'tx' | 'end'
  readonly hex: string
}

export interface RecorderOptions {
  readonly clock: Clock
  /** Takes one line of JSON, without the line feed. */
  readonly sink: (line: string) => void
  /** Bytes of the line (not of the file) after which it records no more; default 16 MiB. */
  readonly maxBytes?: number
}

/** The same transport, with everything that passes written down. */
export function recording(transport: ByteTransport, options: RecorderOptions): ByteTransport {
  const { clock, sink, maxBytes = 16 * 1024 * 1024 } = options
  const began = clock.mono()
  let left = maxBytes
  let off: (() => void) | undefined
  const note = (dir: 'rx' | 'tx', bytes: Uint8Array) => {
    if (left <= 0) return
    left -= bytes.length
    const t = Math.round((clock.mono() - began) * 1000) / 1000
    sink(JSON.stringify({ t, dir, hex: Buffer.from(bytes).toString('hex') }))
    if (left <= 0) sink(JSON.stringify({ t, dir: 'end', hex: '' }))
  }
  return {
    name: transport.name,
    ...(transport.baud === undefined ? {} : { baud: transport.baud }),
    get up() {
      return transport.up
    },
    start() {
      off ??= transport.onData((bytes) => note('rx', bytes))
      transport.start()
    },
    async stop() {
      await transport.stop()
      off?.()
      off = undefined
    },
    write(bytes) {
      note('tx', bytes)
      return transport.write(bytes)
    },
    onData: (fn) => transport.onData(fn),
    onState: (fn) => transport.onState(fn),
  }
}

/** Reads a recording. Throws CONFIG_INVALID with the name and the line that is wrong. */
export function parseRecording(text: string, name: string): Recorded[] {
  const records: Recorded[] = []
  text.split('\n').forEach((line, i) => {
    if (line.trim() === '') return
    const bad = (what: string) =>
      new LuongError('CONFIG_INVALID', `${name}:${i + 1}: ${what}`, { hint: 'One JSON object a line: {"t":0,"dir":"rx","hex":"01ff"}.' })
    let value: Partial<Recorded>
    try {
      value = JSON.parse(line) as Partial<Recorded>
    } catch {
      throw bad('not JSON')
    }
    const { t, dir, hex } = value ?? {}
    if (typeof t !== 'number' || !(t >= 0)) throw bad('t must be a number of ms')
    if (dir !== 'rx' && dir !== 'tx' && dir !== 'end') throw bad('dir must be rx, tx or end')
    if (typeof hex !== 'string' || !/^([0-9a-fA-F]{2})*$/.test(hex)) throw bad('hex must be bytes in hex')
    if (t < (records.at(-1)?.t ?? 0)) throw bad('t goes back')
    records.push({ t, dir, hex })
  })
  return records
}

export interface ReplayOptions {
  readonly name: string
  readonly records: readonly Recorded[]
  readonly clock: Clock
}

/** A line that says what the device said, with the recorded times, once from each `start`. What is written to it is ignored. */
export function replayTransport(options: ReplayOptions): ByteTransport {
  const { name, clock, records } = options
  const said = records.filter((r) => r.dir === 'rx')
  const state = new LinkState()
  const data = new Listeners<[Uint8Array]>()
  let timer: Timer | undefined
  const play = (i: number, began: number) => {
    const next = said[i]
    if (!next) return
    timer = clock.after(Math.max(0, began + next.t - clock.mono()), () => {
      data.emit(Uint8Array.from(Buffer.from(next.hex, 'hex')))
      play(i + 1, began)
    })
  }
  return {
    name,
    get up() {
      return state.up
    },
    start() {
      if (state.up) return
      state.set(true)
      play(0, clock.mono())
    },
    async stop() {
      timer?.cancel()
      state.set(false, `${name}: stopped`)
    },
    async write() {
      if (!state.up) throw new LuongError('LINK_DOWN', `${name} is not running`)
    },
    onData: (fn) => data.add(fn),
    onState: (fn) => state.on(fn),
  }
}
