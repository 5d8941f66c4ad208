/** What aedes does not bound itself: packet sizes on the way in, and what it keeps. */
import type { Aedes } from 'aedes'

/** Packet types that are told apart here (MQTT 3.1.1, 2.2.1). */
export const PACKET = { connect: 1, publish: 3, subscribe: 8, unsubscribe: 10 } as const

/** Bytes of a list of filters that cost as much as one message: each filter is a question to the rights. */
const FILTER_BYTES = 64

/** What no client should send: something before its CONNECT, or a packet larger than its kind may be. */
export type Broken = { readonly why: 'first' } | { readonly why: 'size'; readonly bytes: number }

/**
 * Follows the frames of an MQTT byte stream (type byte, remaining length as 1 to 4 bytes of 7 bits, MQTT 3.1.1 2.2.3)
 * without keeping them. What is wrong is known at a packet's head, before its body is collected or parsed.
 */
export class PacketGate {
  readonly #max: (type: number) => number
  #type = 0
  #skip = 0
  #inLength = false
  #length = 0
  #shift = 0
  #packets = 0
  #cost = 0
  /** @param max bytes that a packet of a type may have */
  constructor(max: (type: number) => number) {
    this.#max = max
  }
  /** Packets that have begun. */
  get packets(): number {
    return this.#packets
  }
  /** What those have cost that have begun, in messages. */
  get cost(): number {
    return this.#cost
  }
  /** A packet has begun and is not whole. */
  get inside(): boolean {
    return this.#skip > 0 || this.#inLength
  }
  /** Bytes of a body that is not whole yet. */
  get collected(): number {
    return this.#skip > 0 ? this.#length - this.#skip : 0
  }
  push(bytes: Uint8Array): Broken | null {
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
        this.#type = byte >> 4
        if (this.#packets === 0 && this.#type !== PACKET.connect) return { why: 'first' }
        this.#inLength = true
        this.#packets++
        this.#cost++
        this.#length = 0
        this.#shift = 0
        continue
      }
      this.#length += (byte & 0x7f) * 2 ** this.#shift
      this.#shift += 7
      if (this.#length > this.#max(this.#type)) return { why: 'size', bytes: this.#length }
      // A fifth length byte is malformed; aedes closes on that.
      if (byte < 0x80 || this.#shift >= 28) {
        this.#inLength = false
        this.#skip = this.#length
        if (this.#type === PACKET.subscribe || this.#type === PACKET.unsubscribe) this.#cost += Math.floor(this.#length / FILTER_BYTES)
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
