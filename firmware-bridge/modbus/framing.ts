/** How the master finds the answer to its request in the bytes that come: by expected length and CRC, or by transaction. */
import { joinBytes, readTcpFrame, rtuFrame, rtuValid, tcpFrame } from './codec.ts'

/** What the master waits for. */
export interface Expected {
  readonly unit: number
  readonly fc: number
  /** Length of the good answer's function code and data. */
  readonly length: number
  readonly transaction: number
}

export type Received =
  /** Not enough bytes yet. */
  | { readonly kind: 'more' }
  /** The answer: function code and data. */
  | { readonly kind: 'answer'; readonly pdu: Uint8Array }
  /** The answer to a request that was given up before: dropped. */
  | { readonly kind: 'late'; readonly unit: number; readonly fc: number }
  /** Not a frame, a frame of somebody else, or bytes beyond the frame. */
  | { readonly kind: 'bad'; readonly why: string }

export interface Framing {
  /** Late answers cannot be told from the next one's by themselves: the master must keep the unit quiet for a while. */
  readonly ambiguous: boolean
  frame(expected: Expected, pdu: Uint8Array): Uint8Array
  /** Adds bytes; call {@link next} until it says more. */
  push(bytes: Uint8Array): void
  /** @param late answers that may still come from requests given up */
  next(waiting: Expected | undefined, late: readonly Expected[]): Received
  /** Forgets what came. */
  clear(): void
}

const EMPTY: Uint8Array = new Uint8Array(0)
/** The longest RTU frame; whoever sends more without a frame in it sends noise. */
const MAX_RTU = 256

export function rtuFraming(): Framing {
  let buffer: Uint8Array = EMPTY
  const bad = (why: string): Received => {
    buffer = EMPTY
    return { kind: 'bad', why }
  }
  return {
    ambiguous: true,
    frame: (e, pdu) => rtuFrame(e.unit, pdu),
    push(bytes) {
      buffer = joinBytes(buffer, bytes)
    },
    next(waiting, late) {
      if (buffer.length === 0) return { kind: 'more' }
      const [unit, code] = buffer
      const fits = (e: Expected) => e.unit === unit && (code === undefined || e.fc === (code & 0x7f))
      const expected = waiting && fits(waiting) ? waiting : late.find(fits)
      if (!expected)
        return bad(waiting ? `bytes of another unit or function (${hex(buffer)})` : `bytes that nobody asked for (${hex(buffer)})`)
      if (code === undefined) return { kind: 'more' }
      const size = (code & 0x80 ? 2 : expected.length) + 3
      if (buffer.length > MAX_RTU) return bad('too many bytes')
      if (buffer.length < size) return { kind: 'more' }
      if (!rtuValid(buffer, size)) return bad(`wrong CRC (${hex(buffer.subarray(0, size))})`)
      if (expected !== waiting) {
        buffer = buffer.slice(size)
        return { kind: 'late', unit: expected.unit, fc: expected.fc }
      }
      // More bytes than the answer: one of the two is not what was asked for, and nobody can say which.
      if (buffer.length > size) return bad(`bytes beyond the answer (${hex(buffer)})`)
      const pdu = buffer.slice(1, size - 2)
      buffer = EMPTY
      return { kind: 'answer', pdu }
    },
    clear() {
      buffer = EMPTY
    },
  }
}

export function tcpFraming(): Framing {
  let buffer: Uint8Array = EMPTY
  return {
    ambiguous: false,
    frame: (e, pdu) => tcpFrame(e.transaction, e.unit, pdu),
    push(bytes) {
      buffer = joinBytes(buffer, bytes)
    },
    next(waiting) {
      const frame = readTcpFrame(buffer)
      if (frame === undefined) return { kind: 'more' }
      if (frame === null) {
        const why = `not Modbus TCP (${hex(buffer)}); is the board set to RTU over TCP?`
        buffer = EMPTY
        return { kind: 'bad', why }
      }
      buffer = buffer.slice(frame.size)
      const fc = frame.pdu[0]! & 0x7f
      if (!waiting || frame.transaction !== waiting.transaction) return { kind: 'late', unit: frame.unit, fc }
      if (frame.unit !== waiting.unit) return { kind: 'bad', why: `an answer of unit ${frame.unit}` }
      return { kind: 'answer', pdu: frame.pdu }
    },
    clear() {
      buffer = EMPTY
    },
  }
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes.subarray(0, 16)).toString('hex') + (bytes.length > 16 ? '…' : '')
