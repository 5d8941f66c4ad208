/** Two ends of a stream inside the process: what is written to one is read at the other. */
import { Duplex } from 'node:stream'

type Done = (error?: Error | null) => void

/**
 * Buffers are handed over as they are, without a copy: neither side may change what it has written. A writer waits until the
 * reader takes more. When one end is destroyed, the other one ends.
 */
class End extends Duplex {
  #other: End | null = null
  /** The writer at the other end waits for this. */
  #wake: Done | null = null

  join(other: End): void {
    this.#other = other
  }

  override _read(): void {
    const wake = this.#wake
    this.#wake = null
    wake?.()
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

  /** In a later turn, as over a socket: nobody is called back by what his own words cause. */
  #hand(chunks: readonly Buffer[], done: Done): void {
    setImmediate(() => this.#other?.hear(chunks, done))
  }

  override _final(done: Done): void {
    this.#other?.close()
    done()
  }

  override _destroy(error: Error | null, done: Done): void {
    this._read()
    this.#other?.close()
    done(error)
  }

  hear(chunks: readonly Buffer[], done: Done): void {
    let room = true
    for (const chunk of chunks) room = this.destroyed || this.readableEnded || this.push(chunk)
    if (room) done()
    else this.#wake = done
  }

  close(): void {
    setImmediate(() => {
      if (!this.destroyed && !this.readableEnded) this.push(null)
    })
  }
}

/** Both ends; either side may be destroyed at any time. */
export function pipe(): readonly [Duplex, Duplex] {
  // Room for a picture or two.
  const options = { readableHighWaterMark: 256 * 1024, writableHighWaterMark: 256 * 1024, allowHalfOpen: false }
  const [a, b] = [new End(options), new End(options)]
  a.join(b)
  b.join(a)
  return [a, b]
}
