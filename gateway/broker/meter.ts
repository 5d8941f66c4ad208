/** What goes over one connection, metered: packet by packet on the way in, what waits on the way out. */
import type { Socket } from 'node:net'
import type { Bucket } from '../kernel/bucket.ts'
import type { Clock, Timer } from '../kernel/clock.ts'
import { type Broken, PacketGate } from './gate.ts'
import type { LimitKind } from './limits.ts'

/** At most this much is handed on at once where packets are small: thousands of them in one go would hold up everything else. */
const SLICE = 4_096

/** What may be sent: one connection's, or that of all connections of a user. */
export interface Purse {
  readonly packets: Bucket
  readonly bytes: Bucket
}

export interface MeterOptions {
  readonly clock: Clock
  /** Largest packet of a type, bytes. */
  readonly maxPacket: (type: number) => number
  readonly queuedBytes: () => number
  readonly purse: Purse
  /** Something was too much. `publish_rate`: it is read more slowly from now on; otherwise the connection was ended. */
  readonly over: (kind: LimitKind, detail: object) => void
}

type Write = (chunk: Uint8Array | string, ...rest: unknown[]) => boolean

export class Meter {
  readonly #socket: Socket
  readonly #o: MeterOptions
  readonly #gate: PacketGate
  #purse: Purse
  /** Mono ms. */
  #begun: number | null = null
  #moved: number | null = null
  #slow: Timer | null = null
  #told = false
  /** Something was handed on in this turn of the event loop. */
  #given = false
  /** It has said who it is, and may go on. */
  #entered = false

  constructor(socket: Socket, options: MeterOptions) {
    this.#socket = socket
    this.#o = options
    this.#gate = new PacketGate(options.maxPacket)
    this.#purse = options.purse
  }

  get purse(): Purse {
    return this.#purse
  }

  /** From now on every byte is metered. */
  start(): void {
    const socket = this.#socket
    const read = socket.read.bind(socket)
    // aedes takes its bytes with read(); watching there costs no copy.
    // With 0, Node.js itself asks for more to be fetched, and nothing is taken.
    socket.read = (size?: number) => (size === 0 ? read(0) : this.#read(read))
    const write = socket.write.bind(socket) as Write
    socket.write = ((chunk: Uint8Array | string, ...rest: unknown[]) => this.#write(write, chunk, rest)) as Socket['write']
    socket.once('close', () => this.#slow?.cancel())
  }

  /** The user is known: it pays from the purse of all its connections, and what it sent after CONNECT is read. */
  enter(purse: Purse | null): void {
    if (purse) this.#purse = purse
    this.#entered = true
    this.#wake()
  }

  #wake(): void {
    setImmediate(() => {
      if (!this.#socket.destroyed && this.#socket.readableLength > 0) this.#socket.emit('readable')
    })
  }

  /** What it pays from has other rates now: how long it waits is worked out anew. */
  again(): void {
    if (!this.#slow) return
    this.#slow.cancel()
    this.#slow = null
    this.#socket.emit('readable')
  }

  /** Bytes that wait to be sent. */
  get queued(): number {
    return this.#socket.writableLength
  }

  /** Bytes of a packet that is not whole yet. */
  get collected(): number {
    return this.#gate.collected
  }

  /** Ends the connection: all together have too much of packets that are not whole. */
  crowded(): void {
    this.#end('unfinished', { bytes: this.collected })
  }

  /** Ends the connection when a packet was begun too long ago. */
  late(packetMs: number): void {
    const now = this.#o.clock.mono()
    if (this.#begun === null || now - this.#begun < packetMs) return
    this.#end('packet_time', { ms: Math.round(now - this.#begun) })
  }

  /** Ends the connection when what waits for it has not moved for `drainMs`. */
  stuck(drainMs: number): void {
    if (this.#socket.writableLength === 0) this.#moved = null
    else if (this.#moved !== null && this.#o.clock.mono() - this.#moved >= drainMs) this.overflow()
  }

  overflow(): void {
    this.#end('queued', { bytes: this.#socket.writableLength })
  }

  #end(kind: LimitKind, detail: object): void {
    if (this.#socket.destroyed) return
    this.#o.over(kind, detail)
    this.#socket.destroy()
  }

  #read(read: (size?: number) => Buffer | null): Buffer | null {
    const socket = this.#socket
    // aedes may ask again from inside its parser, which does not bear it: the next bytes come in the next turn.
    if (this.#given) return null
    const now = this.#o.clock.mono()
    const wait = Math.max(this.#purse.packets.wait(now), this.#purse.bytes.wait(now))
    if (wait > 0) {
      this.#throttle(wait)
      return null
    }
    // Nothing is parsed of somebody who has said CONNECT and is not known yet: it stays in his own socket.
    if (!this.#entered && this.#gate.packets > 0 && !this.#gate.inside) return null
    const ready = socket.readableLength
    const part = ready > SLICE && !(this.#entered && this.#gate.inside)
    const chunk: Buffer | null = part ? read(SLICE) : read()
    if (chunk === null) return null
    this.#given = true
    setImmediate(() => {
      this.#given = false
      if (!socket.destroyed && socket.readableLength > 0) socket.emit('readable')
    })
    const [packets, cost] = [this.#gate.packets, this.#gate.cost]
    const broken = this.#gate.push(chunk)
    if (broken) {
      this.#break(broken)
      return null
    }
    const whole = this.#gate.packets - packets
    this.#purse.packets.take(this.#gate.cost - cost, now)
    this.#purse.bytes.take(chunk.length, now)
    if (!this.#gate.inside) this.#begun = null
    else if (this.#begun === null || whole > 0) this.#begun = now
    return chunk
  }

  #break(broken: Broken): void {
    if (broken.why === 'first') this.#end('not_connect', {})
    else this.#end('packet_size', { bytes: broken.bytes })
  }

  /** Nothing is read until the bucket has something again: the sender is held back by its own connection, and nothing is lost. */
  #throttle(ms: number): void {
    if (this.#slow) return
    if (!this.#told) this.#o.over('publish_rate', { wait_ms: ms })
    this.#told = true
    // Waiting for us is not the sender's delay.
    if (this.#begun !== null) this.#begun += ms
    this.#slow = this.#o.clock.after(ms, () => {
      this.#slow = null
      if (!this.#socket.destroyed) this.#socket.emit('readable')
    })
  }

  /** Never says that it is full: aedes would hold up everybody else until this one has read. It is dropped instead when too much waits. */
  #write(write: Write, chunk: Uint8Array | string, rest: unknown[]): boolean {
    const last = rest.at(-1)
    const done = typeof last === 'function' ? (last as (error?: Error | null) => void) : undefined
    const encoding = typeof rest[0] === 'string' ? [rest[0]] : []
    this.#moved ??= this.#o.clock.mono()
    write(chunk, ...encoding, (error?: Error | null) => {
      this.#moved = this.#socket.writableLength === 0 ? null : this.#o.clock.mono()
      done?.(error)
    })
    if (this.#socket.writableLength > this.#o.queuedBytes()) this.overflow()
    return true
  }
}
