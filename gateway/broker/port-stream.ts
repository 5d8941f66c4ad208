/** A stream over a MessagePort: what is written in one thread is read in another. */
import { Duplex } from 'node:stream'
import { MessageChannel, type MessagePort } from 'node:worker_threads'

type Done = (error?: Error | null) => void

/** Written, and not taken by the reader yet: room for a picture or two. */
const WINDOW = 256 * 1024

/** What goes over the port: bytes; how many of the other side's bytes were taken; null: no more will come. */
type Message = Uint8Array | number | null

class PortStream extends Duplex {
  readonly #port: MessagePort
  #underWay = 0
  #taken = 0
  #wake: Done | null = null
  /** Not 0: one end was destroyed, and what lies in the port is not to be taken any more. */
  readonly #torn: Int32Array

  constructor({ port, torn }: StreamEnd) {
    super({ readableHighWaterMark: WINDOW, writableHighWaterMark: WINDOW, allowHalfOpen: false })
    this.#port = port
    this.#torn = new Int32Array(torn)
    port.on('message', (message: Message) => this.#hear(message))
    // The other thread has closed its end, or is gone.
    port.once('close', () => this.destroy())
  }

  #hear(message: Message): void {
    if (this.destroyed) return
    if (Atomics.load(this.#torn, 0) !== 0) {
      this.destroy()
      return
    }
    if (typeof message === 'number') {
      this.#underWay -= message
      if (this.#underWay <= WINDOW) this.#goOn()
    } else if (message === null) this.push(null)
    else {
      this.#taken += message.length
      if (this.push(Buffer.from(message.buffer, message.byteOffset, message.length))) this._read()
    }
  }

  #goOn(): void {
    const wake = this.#wake
    this.#wake = null
    wake?.()
  }

  override _read(): void {
    if (this.#taken === 0) return
    this.#port.postMessage(this.#taken)
    this.#taken = 0
  }

  override _write(chunk: Buffer, _encoding: string, done: Done): void {
    this.#hand([chunk], done)
  }

  override _writev(chunks: { chunk: Buffer }[], done: Done): void {
    this.#hand(
      chunks.map(({ chunk }) => chunk),
      done,
    )
  }

  #hand(chunks: readonly Buffer[], done: Done): void {
    // A copy of the right size: a slice would take the whole of what it was cut from along.
    const bytes = new Uint8Array(chunks.reduce((n, chunk) => n + chunk.length, 0))
    let at = 0
    for (const chunk of chunks) {
      bytes.set(chunk, at)
      at += chunk.length
    }
    this.#underWay += bytes.length
    this.#port.postMessage(bytes, [bytes.buffer])
    if (this.#underWay <= WINDOW) done()
    else this.#wake = done
  }

  override _final(done: Done): void {
    this.#port.postMessage(null)
    done()
  }

  override _destroy(error: Error | null, done: Done): void {
    // What was written and not heard yet is taken back: a switch must not move because of it later. After an orderly end nothing is.
    if (!this.writableFinished) Atomics.store(this.#torn, 0, 1)
    this.#goOn()
    this.#port.close()
    done(error)
  }
}

/** What makes one end of a stream; goes to the other thread with its port in the list of what is transferred. */
export interface StreamEnd {
  readonly port: MessagePort
  /** Shared by both ends. */
  readonly torn: SharedArrayBuffer
}

/** What both ends are made of. */
export function streamEnds(): readonly [StreamEnd, StreamEnd] {
  const { port1, port2 } = new MessageChannel()
  const torn = new SharedArrayBuffer(4)
  return [
    { port: port1, torn },
    { port: port2, torn },
  ]
}

/**
 * One end; the port belongs to it from now on. A writer waits until the reader takes more. When one end is destroyed or its thread
 * ends, the other one is destroyed, and does not take what it has not heard by then.
 */
export function portStream(end: StreamEnd): Duplex {
  return new PortStream(end)
}
