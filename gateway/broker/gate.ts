/** What aedes does not bound itself: packet sizes on the way in, and what it keeps. */
import type { Aedes } from 'aedes'

/**
 * Follows the frames of an MQTT byte stream (type byte, remaining length as 1 to 4 bytes of 7 bits, MQTT 3.1.1 2.2.3)
 * without keeping them. `push` says the size of the first packet that is larger than allowed, or null.
 */
export class PacketGate {
  readonly #max: number
  #skip = 0
  #inLength = false
  #length = 0
  #shift = 0
  #packets = 0
  constructor(maxBytes: number) {
    this.#max = maxBytes
  }
  /** Packets that have begun. */
  get packets(): number {
    return this.#packets
  }
  /** A packet has begun and is not whole. */
  get inside(): boolean {
    return this.#skip > 0 || this.#inLength
  }
  push(bytes: Uint8Array): number | null {
    let i = 0
    while (i < bytes.length) {
      if (this.#skip > 0) {
        const n = Math.min(this.#skip, bytes.length - i)
        this.#skip -= n
        i += n
        continue
      }
      const byte = bytes[i++] ?? 0
      if (!this.#inLength) {
        this.#inLength = true
        this.#packets++
        this.#length = 0
        this.#shift = 0
        continue
      }
      this.#length += (byte & 0x7f) * 2 ** this.#shift
      this.#shift += 7
      if (this.#length > this.#max) return this.#length
      // A fifth length byte is malformed; aedes closes on that.
      if (byte < 0x80 || this.#shift >= 28) {
        this.#inLength = false
        this.#skip = this.#length
      }
    }
    return null
  }
}

export interface RetainedStats {
  readonly topics: number
  readonly bytes: number
  /** Messages that were forwarded and not kept, because the store was full. */
  readonly refused: number
}

interface Persistence {
  storeRetained(packet: { topic: string; payload: Uint8Array | string }): Promise<void>
}

/** Bounds the store of retained messages: what would not fit is delivered and not kept (`full` is told). */
export function boundRetained(broker: Aedes, maxTopics: number, maxBytes: number, full: (topic: string) => void): () => RetainedStats {
  const store = (broker as unknown as { persistence: Persistence }).persistence
  const sizes = new Map<string, number>()
  let bytes = 0
  let refused = 0
  const keep = store.storeRetained.bind(store)
  store.storeRetained = async (packet) => {
    const size = packet.payload.length === 0 ? 0 : packet.payload.length + packet.topic.length
    const before = sizes.get(packet.topic) ?? 0
    const grown = bytes - before + size
    if (size > 0 && ((before === 0 && sizes.size >= maxTopics) || grown > maxBytes)) {
      refused++
      full(packet.topic)
      return
    }
    bytes = grown
    if (size === 0) sizes.delete(packet.topic)
    else sizes.set(packet.topic, size)
    await keep(packet)
  }
  return () => ({ topics: sizes.size, bytes, refused })
}
