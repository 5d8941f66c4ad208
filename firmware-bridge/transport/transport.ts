/**
 * What carries bytes or messages between a driver and a device. A driver is handed one and never opens anything
 * itself, so the same driver runs over a serial port, a device server, memory or a recording.
 */

/** A line that carries bytes both ways: serial port, TCP socket, memory pair, recording. */
export interface ByteTransport {
  /** For messages: `bus-1 (/dev/ttyUSB0)`. */
  readonly name: string
  readonly up: boolean
  /** Bits per second of a serial line, for protocol timing; absent where the line has none or it is not known. */
  readonly baud?: number
  /** Begins to connect and keeps reconnecting with backoff until {@link stop}. */
  start(): void
  /** Closes; settles within a bounded time. */
  stop(): Promise<void>
  /** Resolves when the bytes are handed to the system; rejects with LINK_DOWN when not up. */
  write(bytes: Uint8Array): Promise<void>
  onData(fn: (bytes: Uint8Array) => void): () => void
  /** `why` says in words why the link went down. Called with the present state at once when it is up. */
  onState(fn: (up: boolean, why?: string) => void): () => void
}

export interface Message {
  readonly topic: string
  readonly payload: Uint8Array
  /** A stored copy delivered on subscribe, not something that happened now. */
  readonly retained: boolean
}

/** A broker connection shared by all devices of one link. */
export interface MessageTransport {
  readonly name: string
  readonly up: boolean
  start(): void
  stop(): Promise<void>
  /** Resolves on the broker's acknowledgement (QoS 1) or hand-over (QoS 0); rejects with LINK_DOWN when not up. Never queued across a link loss. */
  publish(topic: string, payload: Uint8Array | string, options: { qos: 0 | 1; retain: boolean }): Promise<void>
  /** Subscriptions are kept over reconnects. `filter` may hold + and #. */
  subscribe(filter: string, fn: (message: Message) => void): () => void
  onState(fn: (up: boolean, why?: string) => void): () => void
}
